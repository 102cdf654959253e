//! The heatmap of a classification: which label it is for, and the grid that its method gives.

use bedside_engine::Tensor;

use super::Classifier;
use crate::explain::{
    ExplainMethod, Grid, Heatmap, View, activation_map, log_odds, member_weights, members, occlusion_map,
};
use crate::image::{Picture, Placement};
use crate::model::features_tap;
use crate::preprocess::{ModelInput, to_picture};
use crate::{Error, ErrorKind, Query, Result, Verdict};

/// What one run of the graph leaves for a heatmap.
pub(super) struct Evidence<'a> {
    /// The graph's output values, one for each label.
    pub(super) values: &'a [f32],
    /// The features before the pooling, where [`Classifier::features_tap`] asked for them.
    pub(super) features: Option<&'a Tensor>,
    pub(super) input: &'a ModelInput,
    pub(super) view: View,
}

impl Classifier {
    /// How the model's input lies in the stored picture.
    pub(super) fn view(&self, picture: &Picture, placement: Placement) -> View {
        let (input, size) = (self.model.manifest.input(), (picture.width, picture.height));
        View { input: (input.width, input.height), picture: size, to_picture: to_picture(size, input), placement }
    }

    /// The index of the tap that the query's heatmap needs; `None` where it needs none.
    pub(super) fn features_tap(&self, query: &Query) -> Option<usize> {
        let wanted = query.explain.as_ref().is_some_and(|explain| explain.method == ExplainMethod::ClassActivation);
        let explanation = self.model.manifest.explanation().filter(|_| wanted)?;
        self.model.tap(&features_tap(&explanation.features))
    }

    /// The heatmap that the query asks for; `None` where it asks for none, or the verdict is rejected. The query must have
    /// been checked.
    ///
    /// # Errors
    /// Those of the runs that occlusion takes; [`ErrorKind::Internal`] where the features are not those of the head.
    pub(super) fn heatmap(&self, query: &Query, verdict: &Verdict, evidence: &Evidence<'_>) -> Result<Option<Heatmap>> {
        let Some(explain) = query.explain.as_ref().filter(|_| !matches!(verdict, Verdict::Rejected(_))) else {
            return Ok(None);
        };
        let probabilities = self.model.scoring.calibrated(evidence.values)?;
        let label = explain.label.clone().or_else(|| verdict.labels().first().map(|label| label.id.clone()));
        let label = label.unwrap_or_else(|| self.likeliest(&probabilities));
        let missing = || Error::new(ErrorKind::Internal, "a heatmap without the features or the label that it is of");
        let members = members(&self.model.rule.classes, &label).ok_or_else(missing)?;
        let grid = match explain.method {
            ExplainMethod::ClassActivation => {
                let (head, features) = self.model.head().zip(evidence.features).ok_or_else(missing)?;
                activation_map(head, features, &member_weights(members, &probabilities))?
            }
            ExplainMethod::Occlusion => self.occlusion(query, members, evidence)?,
        };
        Ok(Some(Heatmap::of(label, explain.method, &grid, &evidence.view)))
    }

    /// The id of the most probable class, from the probabilities of the graph's labels; of equal ones the first.
    fn likeliest(&self, probabilities: &[f64]) -> String {
        let rule = &self.model.rule;
        let classes = rule.classes.iter().zip(rule.of_classes(probabilities));
        let likeliest = classes.reduce(|best, next| if next.1 > best.1 { next } else { best });
        likeliest.map_or_else(String::new, |(class, _)| class.label.id.clone())
    }

    /// The occlusion map of a class, given as the indices of its members. The graph runs once for each cell; the query's
    /// handle is read before each run.
    fn occlusion(&self, query: &Query, members: &[usize], evidence: &Evidence<'_>) -> Result<Grid> {
        let scoring = &self.model.scoring;
        let cancel = query.cancel.clone().unwrap_or_default();
        let odds = |values: &[f32]| log_odds(scoring.activation, scoring.multi_label, values, members);
        occlusion_map(evidence.input, odds(evidence.values), |covered| {
            query.check_cancelled()?;
            Ok(odds(&self.model.run_cancellable(&cancel, covered)?))
        })
    }
}

#[cfg(all(test, feature = "onnx"))]
mod tests {
    use std::path::Path;
    use std::sync::atomic::AtomicBool;

    use bedside_engine::{Engine, Graph, Input, ModelFile, Signature, Tap, TapKind};

    use super::*;
    use crate::manifest::{Draft, Explanation, METADATA_KEY, Manifest};
    use crate::model::Run;
    use crate::preprocess::preprocessed;
    use crate::{CancelHandle, Explain, Image, Options};

    /// A shipped model with the `explanation` that its graph's head gives, and an engine of the same graph that taps the
    /// means of the features and the pooled tensor.
    fn shipped(model: &str) -> (Classifier, Engine) {
        let path = Path::new("models").join(model).join("model.onnx");
        let mut graph = Graph::open(&path, 64 << 20).expect("the shipped model");
        let head = graph.head("logits").expect("a network with a linear head");
        let manifest = Manifest::from_json(graph.metadata(METADATA_KEY).expect("packed")).expect("sound");
        let mut draft = Draft::from(manifest);
        draft.explanation = Some(Explanation::new(&head.features, &head.initializer));
        let json = Manifest::try_from(draft).expect("sound").to_json();
        graph.set_metadata(METADATA_KEY, json);
        let classifier = Classifier::from_bytes(graph.to_bytes(), Options::new()).expect("opens");
        let signature = Signature {
            input: "input".into(),
            shape: vec![1, 3, 224, 224],
            outputs: vec!["logits".into()],
            taps: vec![
                Tap { name: head.features, kind: TapKind::Means },
                Tap { name: head.pooled, kind: TapKind::Values },
            ],
        };
        (classifier, Engine::load(ModelFile::from(graph), &signature, 1).expect("builds"))
    }

    /// The smallest distance of two different values, of which there are many with the same scale: their step.
    fn step(values: &[f32]) -> f64 {
        let mut sorted: Vec<f64> = values.iter().map(|&value| f64::from(value)).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 1e-9).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn mean_of_the_map_plus_bias_is_the_logit_to_one_step() {
        let cases = [
            ("skin-lesion", ["ISIC_0012258.jpg", "ISIC_0012092.jpg"]),
            ("chest-xray", ["IM-0001-0001.jpeg", "person10_virus_35.jpeg"]),
        ];
        for (model, files) in cases {
            let (classifier, engine) = shipped(model);
            let head = classifier.model.head().expect("explained");
            for file in files {
                let image = Image::open(Path::new("models/samples").join(file)).expect("a sample");
                let (picture, placement) = classifier.decode(&image, None, Vec::new()).expect("decodes");
                let input = preprocessed(&picture, classifier.model.manifest.input());
                let tap = classifier.features_tap(&Query::new().explain(Explain::new())).expect("declared");
                let Run { values, taps } =
                    classifier.model.run_tapped(&CancelHandle::default(), &input, &[tap]).expect("runs");
                assert_eq!(values, classifier.model.run(&input).expect("runs"), "a tap changes no bit");
                let pixels = Input::Pixels(classifier.model.pixels(&input));
                let tapped = engine.run_tapped(&AtomicBool::new(false), pixels, &[0, 1]).expect("runs").taps;
                let [means, pooled] = [0, 1].map(|i: usize| tapped[i].as_f32().expect("floats").to_vec());
                let half = step(&pooled) / 2.0;
                for (label, &value) in values.iter().enumerate() {
                    let grid = activation_map(head, &taps[0], &[(label, 1.0)]).expect("fits");
                    let view = classifier.view(&picture, placement);
                    let heatmap = Heatmap::of("a".into(), ExplainMethod::ClassActivation, &grid, &view);
                    let sum: f64 = heatmap.values.iter().map(|&cell| f64::from(cell)).sum();
                    let logit = sum / heatmap.values.len() as f64 + f64::from(head.bias[label]);
                    let difference = (logit - f64::from(value)).abs();
                    // `docs/engine.md`, "The linear head": half a step of the pooled tensor for each channel, or what
                    // calibration cut off, and float rounding; and half a step of the quantized logits.
                    let channels = head.weights_of(label).iter().zip(means.iter().zip(&pooled));
                    let (mut bound, mut products) = (0.0, 0.0);
                    for (&weight, (&mean, &pooled)) in channels {
                        let rounded = (f64::from(mean) - f64::from(pooled)).abs().max(half);
                        bound += f64::from(weight).abs() * rounded;
                        products += f64::from(weight).abs() * f64::from(pooled).abs();
                    }
                    println!("{model} {file} {label}: {difference} of {bound} {} {half}", values[label]);
                    assert!(difference <= bound + 1e-5 * products, "{model} {file} {label}: {difference} {bound}");
                }
            }
        }
    }
}
