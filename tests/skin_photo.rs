//! Compares the shipped skin-photo model with ONNX Runtime. Its float graph is not in the repository.
//!
//! The gate runs the sample pictures. The whole test split takes longer; `cargo xtask full` runs it.

mod shipped;
mod tiny;

use std::fs;
use std::path::Path;

use bedside::{Answer, Classifier, Image, Query, Report, Triage};
use shipped::{Agreement, assert_complete, assert_golden, pictures, references, shipped, write_agreement};

const MODEL: &str = "skin-photo";

fn model() -> Classifier {
    shipped::open(MODEL)
}

fn agreement(file: &str, folder: &Path) -> Agreement {
    Agreement::of(&model(), &references(MODEL, file, "int8"), folder)
}

fn classify(sample: &str, answers: &[(&str, Answer)]) -> Report {
    let image = Image::open(shipped("samples").join(sample)).expect("a sample");
    model().classify(&image, &Query::new().answers(answers.iter().copied())).expect("a report")
}

#[test]
fn classifier_gives_the_reference_scores_of_the_samples() {
    agreement("samples.csv", &shipped("samples")).assert_same("int8");
}

#[test]
fn self_test_passes_on_the_labs_golden_sample() {
    assert_golden(&model());
}

#[test]
fn shipped_manifest_is_complete() {
    assert_complete(&model());
}

/// The answers with which a photo is in scope.
const IN_SCOPE: [(&str, Answer); 5] = [
    ("adult", Answer::Yes),
    ("one_spot", Answer::Yes),
    ("plain_skin", Answer::Yes),
    ("untouched", Answer::Yes),
    ("burns", Answer::Yes),
];

#[test]
fn verdict_requires_each_answer_of_its_scope() {
    assert_ne!(classify("PAT_1113_458_387.jpg", &IN_SCOPE).verdict.kind(), "rejected");
    for left_out in 0..IN_SCOPE.len() {
        let mut answers = IN_SCOPE;
        answers[left_out].1 = Answer::No;
        let report = classify("PAT_1113_458_387.jpg", &answers);
        assert_eq!((report.verdict.kind(), report.triage), ("rejected", Triage::Unassessed), "{}", answers[left_out].0);
    }
}

#[test]
fn no_sample_ends_as_no_sign() {
    for reference in references(MODEL, "samples.csv", "int8") {
        assert_ne!(classify(&reference.file, &IN_SCOPE).triage, Triage::NoSign, "{}", reference.file);
    }
}

/// What the last column of the card's tables of the triage says of people with melanoma: (missed, all).
fn melanomas_of_card() -> (u64, u64) {
    let card = fs::read_to_string(shipped("skin-photo/CARD.md")).expect("a card");
    let rows =
        card.lines().filter_map(|line| line.strip_prefix("| melanoma (")?.trim_end_matches(" |").rsplit_once("| "));
    rows.filter_map(|(_, people)| people.split_once(" of ")).fold((0, 0), |(missed, all), (of_table, people)| {
        let number = |text: &str| text.parse::<u64>().expect("a count");
        (missed + number(of_table), all + number(people))
    })
}

#[test]
fn advice_says_how_many_melanomas_the_card_counts_as_missed() {
    let (missed, all) = melanomas_of_card();
    assert!(all > 0, "the card has no row of melanomas");
    let model = model();
    let says = |language: &str, words: String| {
        let text = model.manifest().advice(Triage::Refer, language);
        assert!(text.contains(&words), "{text}: {words}");
    };
    says("en", format!("missed the melanomas of {missed} of {all} people"));
    says("uk", format!("пропустила меланому у {missed} з {all} людей"));
}

#[test]
#[ignore = "needs the test split of PAD-UFES-20; `cargo xtask full` runs it"]
fn classifier_gives_the_reference_scores_of_the_test_split() {
    let found = agreement("test_split.csv", &pictures("BEDSIDE_DATA"));
    write_agreement(MODEL, 211, &[found.row("int8, test split")]);
    assert_eq!(found.pictures, 211);
    found.assert_same("int8");
}
