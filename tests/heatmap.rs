//! Heatmaps of whole models: their unit is the logit, and asking for one changes no bit of a score.

#![allow(clippy::float_cmp, clippy::many_single_char_names, reason = "exact values, and the letters of an affine map")]

mod shipped;
mod tiny;

use std::fs;

use bedside::manifest::{Draft, Explanation, METADATA_KEY};
use bedside::tools::{self, Binding};
use bedside::{
    Answer, Classifier, ErrorKind, Explain, ExplainMethod, Heatmap, Image, Manifest, Options, Query, Region, Report,
};
use bedside_engine::{Graph, Prepared};
use serde_json::{Value, json};
use shipped::{MODELS, shipped};

/// The graph of a shipped model and its manifest, with the `explanation` that the graph's linear head gives.
fn explained(model: &str) -> (Graph, Manifest) {
    let mut graph = Graph::open(&shipped(model).join("model.onnx"), 64 << 20).expect("a sound graph");
    let manifest = Manifest::from_json(graph.metadata(METADATA_KEY).expect("packed")).expect("sound");
    let head = graph.head("logits").expect("a network with a linear head");
    let mut draft = Draft::from(manifest);
    draft.explanation = Some(Explanation::new(head.features, head.initializer));
    let manifest = Manifest::try_from(draft).expect("sound");
    graph.set_metadata(METADATA_KEY, manifest.to_json());
    (graph, manifest)
}

fn classifier(model: &str) -> Classifier {
    Classifier::from_bytes(explained(model).0.to_bytes(), Options::default()).expect("the explanation fits the graph")
}

/// The pictures of a model's samples, and a query whose answers are in scope.
fn samples(model: &str) -> (Vec<Image<'static>>, Query) {
    let prefixes: &[&str] = match model {
        "skin-photo" => &["PAT_"],
        "skin-lesion" => &["ISIC"],
        "breast-ultrasound" => &["bus_", "normal_"],
        _ => &["IM-", "person"],
    };
    let manifest = shipped::open(model).manifest().clone();
    let answers = manifest.scope().iter().map(|question| (question.id.clone(), tools::in_scope_answer(question)));
    let answers: Vec<(String, Answer)> = answers.collect();
    let entries = fs::read_dir(shipped("samples")).expect("a folder").map(|entry| entry.expect("readable").path());
    let mut files: Vec<_> = entries
        .filter(|path| prefixes.iter().any(|p| path.file_name().is_some_and(|f| f.to_string_lossy().starts_with(p))))
        .collect();
    files.sort();
    assert!(files.len() >= 6, "{model}");
    (files.iter().map(|file| Image::open(file).expect("a sample")).collect(), Query::new().answers(answers))
}

/// A report without what differs from run to run.
fn without_times(report: &Report) -> Value {
    let mut json: Value = serde_json::from_str(&report.to_json()).expect("JSON");
    for field in ["timings_ms", "heatmap"] {
        json.as_object_mut().expect("an object").remove(field);
    }
    json
}

fn mean(heatmap: &Heatmap) -> f64 {
    heatmap.values.iter().map(|&value| f64::from(value)).sum::<f64>() / heatmap.values.len() as f64
}

#[test]
fn heatmap_changes_no_bit_of_a_report() {
    for model in MODELS {
        let classifier = classifier(model);
        let (images, query) = samples(model);
        for image in &images {
            let plain = classifier.classify(image, &query).expect("classified");
            let explained = classifier.classify(image, &query.clone().explain(Explain::new())).expect("classified");
            assert!(plain.heatmap.is_none() && !plain.to_json().contains("heatmap"));
            assert_eq!(without_times(&plain), without_times(&explained), "{model} {:?}", image.name());
            let heatmap = explained.heatmap.as_ref().expect("asked for");
            let first = explained.verdict.labels().first().map(|label| &label.id);
            assert_eq!((Some(&heatmap.label), heatmap.width, heatmap.height), (first, 7, 7));
            let read: Report = serde_json::from_str(&explained.to_json()).expect("a report");
            assert_eq!(read.heatmap, explained.heatmap);
        }
    }
}

#[test]
fn heatmap_of_a_prepared_model_has_the_same_bits() {
    for model in MODELS {
        let (graph, manifest) = explained(model);
        let file = graph.clone().into();
        let signature = Binding::new(&manifest, &file).expect("they fit").signature;
        let prepared = Prepared::of(graph, &signature).map_err(tools::engine_error).expect("quantized throughout");
        let prepared = Classifier::from_bytes(prepared.to_bytes(), Options::default()).expect("opens");
        let (images, query) = samples(model);
        let query = query.explain(Explain::new());
        let heatmap = |c: &Classifier| c.classify(&images[0], &query).expect("classified").heatmap.expect("asked for");
        assert_eq!(heatmap(&prepared), heatmap(&classifier(model)), "{model}");
    }
}

/// A manifest for the tiny graphs with the `explanation` of one of them.
fn tiny_explained(graph: &str) -> Value {
    let head = Graph::open(&tiny::golden("graphs").join(graph), 1 << 20).expect("sound").head("logits");
    let head = head.expect("a network with a linear head");
    let mut manifest = tiny::manifest();
    manifest["explanation"] = json!({"features": head.features, "weights": head.initializer});
    manifest
}

#[test]
fn class_activation_map_without_an_explanation_is_an_invalid_query() {
    let classifier = tiny::classifier(&tiny::manifest()).expect("opens");
    let image = Image::gray8(40, 30, 40, vec![90u8; 1200]).expect("sound");
    let error = classifier.classify(&image, &Query::new().explain(Explain::new())).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    assert!(error.to_string().contains("`explanation`"), "{error}");
}

#[test]
fn occlusion_serves_a_model_without_an_explanation() {
    let classifier = tiny::classifier(&tiny::manifest()).expect("opens");
    let pixels: Vec<u8> = (0..1200u32).map(|i| (i * i / 7) as u8).collect();
    let image = Image::gray8(40, 30, 40, pixels).expect("sound");
    let query = Query::new().explain(Explain::new().method(ExplainMethod::Occlusion).label("b"));
    let heatmap = classifier.classify(&image, &query).expect("classified").heatmap.expect("asked for");
    assert_eq!((heatmap.label.as_str(), heatmap.width, heatmap.height, heatmap.values.len()), ("b", 8, 8, 64));
    assert!(heatmap.values.iter().any(|value| *value != 0.0) && heatmap.values.iter().all(|value| value.is_finite()));
    assert_eq!(heatmap.frame, [[5.0, 0.0, 0.0], [0.0, 3.75, 0.0]]);
}

#[test]
fn heatmap_of_a_float_graph_gives_the_differences_of_logits() {
    // A softmax gives the differences of logits: ln(p / q). The mean of a map is a logit less its bias, so that the same
    // differences of means for two pictures are those of their logits.
    let manifest = tiny_explained("torchscript-17.onnx");
    let classifier = tiny::classifier(&manifest).expect("opens");
    let image = |seed: u32| {
        let pixels: Vec<u8> = (0..3072u32).map(|i| (i * i / seed + i) as u8).collect();
        Image::rgb8(32, 32, 96, pixels).expect("sound")
    };
    let logits = |image: &Image<'_>| {
        ["a", "b", "c"].map(|label| {
            let query = Query::new().explain(Explain::new().label(label));
            mean(&classifier.classify(image, &query).expect("classified").heatmap.expect("asked for"))
        })
    };
    let (first, second) = (image(7), image(13));
    let (maps, scores) =
        ([&first, &second].map(&logits), [&first, &second].map(|i| classifier.scores(i).expect("runs")));
    for (i, j) in [(0, 1), (1, 2), (2, 0)] {
        let of_maps = (maps[0][i] - maps[0][j]) - (maps[1][i] - maps[1][j]);
        let log = |s: &[f32]| (f64::from(s[i]) / f64::from(s[j])).ln();
        let of_scores = log(&scores[0]) - log(&scores[1]);
        assert!((of_maps - of_scores).abs() < 1e-4, "{i} {j}: {of_maps} {of_scores}");
    }
}

#[test]
fn heatmap_follows_the_region() {
    let classifier = tiny::classifier(&tiny_explained("torchscript-17.onnx")).expect("opens");
    let image = Image::gray8(400, 200, 400, vec![90u8; 80_000]).expect("sound");
    let query = Query::new().region(Region::new(0.5, 0.25, 0.25, 0.5).expect("inside")).explain(Explain::new());
    let heatmap = classifier.classify(&image, &query).expect("classified").heatmap.expect("asked for");
    assert_eq!((heatmap.picture, heatmap.seen), ([400, 200], [200.0, 50.0, 300.0, 150.0]));
    let [[a, b, c], [d, e, f]] = heatmap.frame;
    let (width, height) = (f64::from(heatmap.width), f64::from(heatmap.height));
    assert_eq!([a * width + c, c, b, d, e * height + f, f], [300.0, 200.0, 0.0, 0.0, 150.0, 50.0]);
}

#[test]
fn open_refuses_an_explanation_that_does_not_fit() {
    let graph = "torchscript-17.onnx";
    for (field, value) in [("features", "input"), ("weights", "nothing")] {
        let mut manifest = tiny_explained(graph);
        manifest["explanation"][field] = value.into();
        let error = Classifier::from_bytes(tiny::packed(graph, &manifest), Options::default()).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::InvalidManifest);
        assert!(error.to_string().contains(&format!("`{field}` is \"{value}\"")), "{error}");
    }
}

#[test]
fn rejected_picture_has_no_heatmap() {
    let classifier = classifier("skin-lesion");
    let image = Image::gray8(40, 30, 40, vec![90u8; 1200]).expect("sound");
    let report = classifier.classify(&image, &Query::new().explain(Explain::new())).expect("a report");
    assert_eq!((report.verdict.kind(), report.heatmap), ("rejected", None));
}
