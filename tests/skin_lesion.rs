//! The shipped skin-lesion model beside ONNX Runtime: its int8 graph and the float graph that it was made from.
//!
//! The gate takes the sample pictures; the whole test split, and enlarged copies of it, take minutes and are run by
//! `cargo xtask full`.

mod shipped;
mod tiny;

use std::path::Path;

use bedside::manifest::{METADATA_KEY, Manifest};
use bedside::{Answer, Classifier, Image, Options, Query};
use bedside_engine::Graph;
use shipped::{Agreement, assert_complete, assert_golden, data_set, references, shipped, write_agreement};
use tiny::golden;

const MODEL: &str = "skin-lesion";

fn int8() -> Classifier {
    shipped::open(MODEL)
}

/// The float graph under the shipped manifest, less what is bound to the int8 graph.
fn float() -> Classifier {
    let manifest = Manifest { calibration: None, golden: None, ..int8().manifest().clone() };
    let mut graph = Graph::open(&golden("skin-lesion/float.onnx"), 64 << 20).expect("a sound graph");
    graph.set_metadata(METADATA_KEY, manifest.to_json());
    Classifier::from_bytes(&graph.to_bytes(), Options::default()).expect("the float graph opens")
}

/// Both graphs over all pictures of a reference file.
fn agreements(file: &str, folder: &Path) -> [(&'static str, Agreement); 2] {
    [("float", float()), ("int8", int8())]
        .map(|(graph, classifier)| (graph, Agreement::of(&classifier, &references(MODEL, file, graph), folder)))
}

#[test]
fn samples_get_the_reference_scores() {
    for (graph, found) in agreements("samples.csv", &shipped("samples")) {
        found.assert_same(graph);
    }
}

#[test]
fn the_golden_sample_is_the_labs_and_passes() {
    assert_golden(&int8());
}

#[test]
fn the_shipped_manifest_says_what_the_plan_asks_for() {
    assert_complete(&int8());
}

#[test]
fn without_a_dermatoscope_there_is_no_verdict() {
    let image = Image::open(shipped("samples/ISIC_0012258.jpg")).expect("a sample");
    let classifier = int8();
    let asked = |answer: Option<Answer>| {
        let answers = answer.map(|answer| ("dermatoscope", answer));
        classifier.classify(&image, &Query::new().answers(answers)).expect("a report")
    };
    assert_eq!(asked(None).verdict.kind(), "rejected");
    assert_eq!(asked(Some(Answer::No)).verdict.kind(), "rejected");
    assert_eq!(asked(Some(Answer::Yes)).findings.len(), 3);
}

/// The shares of pictures with the same top label, and with all scores [`NEAR`], that are reached where the reference
/// was decoded in full and ours at a quarter, by graph; a little below what is measured, so that it can't get worse unseen.
const BESIDE_FULL: [(&str, f64, f64); 2] = [("float", 0.985, 0.86), ("int8", 0.965, 0.74)];

#[test]
#[ignore = "needs the ISIC 2017 test split and minutes; `cargo xtask full` runs it"]
fn the_test_split_and_enlarged_copies_agree_with_the_reference() {
    let (whole, enlarged) = (data_set("BEDSIDE_ISIC2017"), data_set("BEDSIDE_ISIC2017_ENLARGED"));
    let mut rows = Vec::new();
    let mut poor = Vec::new();
    for (name, file, pictures) in [
        ("test split", "test_split.csv", &whole),
        ("enlarged, both decoded at a quarter", "enlarged_draft.csv", &enlarged),
        ("enlarged, the reference decoded in full", "enlarged.csv", &enlarged),
    ] {
        for (graph, found) in agreements(file, pictures) {
            assert_eq!(found.pictures, 598, "{file}");
            let name = format!("{graph}, {name}");
            rows.push(found.row(&name));
            let (_, same_top, near) = BESIDE_FULL.into_iter().find(|(g, ..)| *g == graph).expect("one for each graph");
            let share = |count: usize| count as f64 / found.pictures as f64;
            let good = match file {
                "enlarged.csv" => share(found.same_top) >= same_top && share(found.near) >= near,
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
