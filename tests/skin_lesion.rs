//! Compares the shipped skin-lesion model with ONNX Runtime: its int8 graph, and the float graph that it was made from.
//!
//! The gate runs the sample pictures. The whole test split and enlarged copies of it take minutes; `cargo xtask full`
//! runs them.

mod shipped;
mod tiny;

use std::path::Path;

use bedside::manifest::{Draft, METADATA_KEY, Manifest};
use bedside::{Answer, Classifier, Image, Options, Query};
use bedside_engine::Graph;
use shipped::{Agreement, assert_complete, assert_golden, pictures, references, shipped, write_agreement};
use tiny::golden;

const MODEL: &str = "skin-lesion";

fn int8() -> Classifier {
    shipped::open(MODEL)
}

/// The float graph with the shipped manifest, without the fields that are bound to the int8 graph.
fn float() -> Classifier {
    let mut draft = Draft::from(int8().manifest().clone());
    (draft.calibration, draft.explanation, draft.golden) = (None, None, None);
    let manifest = Manifest::try_from(draft).expect("sound");
    let mut graph = Graph::open(&golden("skin-lesion/float.onnx"), 64 << 20).expect("a sound graph");
    graph.set_metadata(METADATA_KEY, manifest.to_json());
    Classifier::from_bytes(graph.to_bytes(), Options::default()).expect("the float graph opens")
}

/// The agreement of both graphs with the reference over all pictures of a reference file.
fn agreements(file: &str, folder: &Path) -> [(&'static str, Agreement); 2] {
    [("float", float()), ("int8", int8())]
        .map(|(graph, classifier)| (graph, Agreement::of(&classifier, &references(MODEL, file, graph), folder)))
}

#[test]
fn classifier_gives_the_reference_scores_of_the_samples() {
    for (graph, found) in agreements("samples.csv", &shipped("samples")) {
        found.assert_same(graph);
    }
}

#[test]
fn self_test_passes_on_the_labs_golden_sample() {
    assert_golden(&int8());
}

#[test]
fn shipped_manifest_is_complete() {
    assert_complete(&int8());
}

#[test]
fn verdict_requires_a_dermatoscope_and_a_mole_like_spot() {
    let image = Image::open(shipped("samples/ISIC_0012258.jpg")).expect("a sample");
    let classifier = int8();
    let classify = |dermatoscope, mole_like| {
        let answers = [("dermatoscope", dermatoscope), ("mole_like", mole_like)];
        let answers = answers.into_iter().filter_map(|(question, answer)| Some((question, answer?)));
        classifier.classify(&image, &Query::new().answers(answers)).expect("a report")
    };
    let (yes, no) = (Some(Answer::Yes), Some(Answer::No));
    for (dermatoscope, mole_like) in [(None, None), (yes, None), (None, yes), (yes, no), (no, yes)] {
        assert_eq!(classify(dermatoscope, mole_like).verdict.kind(), "rejected", "{dermatoscope:?}, {mole_like:?}");
    }
    assert_eq!(classify(yes, yes).findings.len(), 3);
}

/// For each graph, the minimum fractions of pictures with the same top label and with all scores near
/// (`shipped::NEAR`), where the reference was decoded in full and ours at a quarter. They are a little below the
/// measured fractions, so that a regression fails.
const MIN_RATES: [(&str, f64, f64); 2] = [("float", 0.985, 0.86), ("int8", 0.965, 0.74)];

#[test]
#[ignore = "needs the ISIC 2017 test split and minutes; `cargo xtask full` runs it"]
fn classifier_agrees_with_the_reference_on_test_split_and_enlarged_copies() {
    let (sets, enlarged) = (pictures("BEDSIDE_DATA"), pictures("BEDSIDE_ISIC2017_ENLARGED"));
    let mut rows = Vec::new();
    let mut poor = Vec::new();
    for (name, file, folder) in [
        ("test split", "test_split.csv", &sets),
        ("enlarged, both decoded at a quarter", "enlarged_draft.csv", &enlarged),
        ("enlarged, the reference decoded in full", "enlarged.csv", &enlarged),
    ] {
        for (graph, found) in agreements(file, folder) {
            assert_eq!(found.pictures, 598, "{file}");
            let name = format!("{graph}, {name}");
            rows.push(found.row(&name));
            let (_, same_top, near) = MIN_RATES.into_iter().find(|(g, ..)| *g == graph).expect("one for each graph");
            let fraction = |count: usize| count as f64 / found.pictures as f64;
            let good = match file {
                "enlarged.csv" => fraction(found.same_top) >= same_top && fraction(found.near) >= near,
                _ => found.same_top == found.pictures && found.same == found.pictures,
            };
            if !good {
                poor.push(name);
            }
        }
    }
    write_agreement(MODEL, 598, &rows);
    assert!(poor.is_empty(), "{poor:?}");
}
