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
