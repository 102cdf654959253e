//! Fits equal those of scipy, and thresholds those of a plain search, as `tests/golden/calibrate` holds them. The page
//! beside that file has the rules.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bedside_tools::calibrate::{Class, Fitted, Model, Options, Row, Scaling, fit, logits_of};
use bedside_tools::evaluate::Level;
use bedside_tools::table::{LabelOptions, LabelRow, LabelTable, ScoreOptions, ScoreRow, ScoreTable, with_scores};
use serde_json::Value;

const LABELS: [&str; 3] = ["melanoma", "keratosis", "nevus"];

fn golden(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "tests", "golden", name].iter().collect()
}

fn expected(section: &str) -> Value {
    let text = fs::read_to_string(golden("calibrate/expected.json")).expect("it is there");
    let mut all: Value = serde_json::from_str(&text).expect("it is JSON");
    all[section].take()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn assert_near(found: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = number(expected);
    assert!((found - expected).abs() <= tolerance * (1.0 + expected.abs()), "{what}: {found} instead of {expected}");
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The first model's predictions, their logits times `scale` plus `bias`.
fn predictions(scale: [f64; 3], bias: [f64; 3]) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(golden("statistics/predictions.csv")).expect("it is there");
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().collect::<Result<_, _>>().expect("it is sound");
    let row = |row: &BTreeMap<String, String>| {
        let p: Vec<f64> =
            LABELS.iter().map(|label| row[&format!("first_{label}")].parse().expect("a number")).collect();
        let logits =
            logits_of(&p, false).into_iter().zip(scale.iter().zip(bias)).map(|(z, (s, b))| z * s + b).collect();
        let truth = LABELS.iter().map(|label| Some(row["label"] == *label)).collect();
        Row { file: row["file"].clone(), group: Some(row["group"].clone()), logits, truth, network: 0 }
    };
    rows.iter().map(row).collect()
}

fn findings() -> Vec<Row> {
    let labels = texts(&["effusion", "nodule", "pneumonia"]);
    let path = golden("statistics/multilabel.csv");
    let options = LabelOptions {
        labels: labels.clone(),
        is_multi_label: true,
        group: Some("group".to_owned()),
        ..LabelOptions::default()
    };
    let table = LabelTable::<File>::open(Path::new(&path), &options).expect("it is there");
    let scores = ScoreTable::open(&path, &ScoreOptions { labels, is_multi_label: true, kind: None });
    let scores = scores.and_then(ScoreTable::by_file).expect("they are there");
    let row = |found: Result<(LabelRow, ScoreRow), _>| {
        let (LabelRow { file, group, truth, .. }, found) = found.expect("it is sound");
        Row { file, group, truth, logits: logits_of(&found.scores, true), network: 0 }
    };
    with_scores(table, scores).map(row).collect()
}

fn model(labels: &[&str], is_multi_label: bool, classes: &[(&str, Level, &[usize])]) -> Model {
    let class = |(id, level, members): &(&str, Level, &[usize])| Class {
        id: (*id).to_owned(),
        level: *level,
        members: members.to_vec(),
    };
    Model {
        labels: texts(labels),
        is_multi_label,
        classes: classes.iter().map(class).collect(),
        before: Scaling::NONE,
        has_logits: true,
    }
}

fn lesions() -> Model {
    model(&LABELS, false, &[("lesion", Level::Urgent, &[0, 1]), ("nevus", Level::NoSign, &[2])])
}

fn assert_trials(fitted: &Fitted, expected: &Value) {
    let trials = &fitted.scaling.trials;
    let ways = ["temperature", "labels", "networks"].into_iter().filter(|way| !expected[*way].is_null());
    assert_near(trials[0].nll, &expected["before"], 1e-10, "before");
    assert_eq!(trials.len() - 1, ways.clone().count());
    for (trial, way) in trials[1..].iter().zip(ways) {
        assert_near(trial.nll, &expected[format!("{way}_nll")], 1e-9, way);
        let (change, wanted) = (trial.change.expect("it is no first"), &expected[format!("{way}_change")]);
        assert_near(change.value, &wanted[0], 1e-9, way);
        assert_near(change.standard_error, &wanted[1], 1e-9, way);
    }
}

fn assert_labels(found: &Scaling, expected: &Value) {
    let Scaling::Labels { scale, bias } = found else { panic!("{found:?}") };
    for (at, found) in scale.iter().chain(bias).enumerate() {
        // They are written as f32.
        assert_near(*found, &expected[at], 1e-6, "scale and bias");
    }
}

#[test]
fn temperature_of_an_overconfident_model_equals_scipy() {
    let expected = expected("plain");
    let misses = BTreeMap::from([("lesion".to_owned(), 0.05), ("nevus".to_owned(), 0.2)]);
    let mut model = lesions();
    let rows = predictions([1.0; 3], [0.0; 3]);
    let fitted = fit(&model, &rows, &Options { misses: misses.clone(), action: None }).expect("it is sound");
    assert_trials(&fitted, &expected);
    // Logarithms of probabilities get no scale a label, and so the temperature.
    model.has_logits = false;
    let fitted = fit(&model, &rows, &Options { misses, action: None }).expect("it is sound");
    let Scaling::Temperature(temperature) = *fitted.scaling.scalings.model() else { panic!("{:?}", fitted.scaling) };
    assert_near(temperature, &expected["temperature"], 1e-7, "temperature");

    let expected = &expected["thresholds"];
    for class in &fitted.classes {
        let wanted = &expected[&class.id];
        // Rounded down to six digits.
        let at = number(&wanted[0]);
        assert!(class.at <= at && class.at > at * (1.0 - 1.1e-5), "{}: {} instead of {at}", class.id, class.at);
        assert_eq!((Some(class.rank), Some(class.patients)), (wanted[1].as_u64(), wanted[2].as_u64()), "{}", class.id);
    }
    let no_sign = &fitted.no_sign.classes[0];
    let wanted = &expected["no_sign"];
    assert_eq!((Some(no_sign.count), Some(no_sign.patients)), (wanted[0].as_u64(), wanted[1].as_u64()));
}

#[test]
fn scale_and_bias_of_a_warped_model_equal_scipy() {
    let rows = predictions([1.5, 0.7, 1.0], [1.0, -0.5, 0.0]);
    let fitted = fit(&lesions(), &rows, &Options::default()).expect("it is sound");
    assert_trials(&fitted, &expected("warped"));
    assert!(!fitted.scaling.scalings.are_several());
    assert_labels(fitted.scaling.scalings.model(), &expected("warped")["labels"]);
}

/// Patients whose names end in an odd digit are scored by another network than the model, whose logits are warped.
fn predictions_of_two_networks() -> Vec<Row> {
    let warped = predictions([3.0, 2.0, 3.0], [3.0, -2.0, 0.0]);
    let of_model = |row: &Row| row.group.as_ref().is_some_and(|group| group.ends_with(['0', '2', '4', '6', '8']));
    let choose = |(plain, warped): (Row, Row)| if of_model(&plain) { plain } else { Row { network: 1, ..warped } };
    predictions([1.0; 3], [0.0; 3]).into_iter().zip(warped).map(choose).collect()
}

#[test]
fn scale_and_bias_of_each_network_equal_scipy() {
    let (rows, expected) = (predictions_of_two_networks(), expected("networks"));
    let fitted = fit(&lesions(), &rows, &Options::default()).expect("it is sound");
    assert_trials(&fitted, &expected);
    let scalings = &fitted.scaling.scalings;
    assert!(scalings.are_several());
    for network in [0, 1] {
        assert_labels(scalings.of(network), &expected["networks"][network]);
    }
    assert_eq!(scalings.model(), scalings.of(0));
    // A threshold is of probabilities that mean the same: of each row by its own network's.
    let lowest = |miss: f64| {
        let mut lowest: BTreeMap<&str, f64> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.truth[2] == Some(true)) {
            let p = scalings.of(row.network).probabilities(&row.logits, false)[2];
            let at = lowest.entry(row.group.as_deref().expect("it has one")).or_insert(p);
            *at = at.min(p);
        }
        let mut values: Vec<f64> = lowest.into_values().collect();
        values.sort_by(f64::total_cmp);
        values[((values.len() + 1) as f64 * miss) as usize - 1]
    };
    let nevus = &fitted.classes[1];
    assert!((nevus.at - lowest(nevus.miss)).abs() < 1e-5, "{} beside {}", nevus.at, lowest(nevus.miss));
}

#[test]
fn networks_have_no_scale_of_their_own_where_the_model_is_none_of_them() {
    let mut rows = predictions_of_two_networks();
    for row in &mut rows {
        row.network += 1;
    }
    let fitted = fit(&lesions(), &rows, &Options::default()).expect("it is sound");
    assert!(!fitted.scaling.scalings.are_several());
    assert_eq!(fitted.scaling.trials.len(), 3);
}

#[test]
fn findings_with_missing_labels_equal_scipy() {
    let names = ["effusion", "nodule", "pneumonia"];
    let classes: [(&str, Level, &[usize]); 3] =
        [(names[0], Level::Refer, &[0]), (names[1], Level::Urgent, &[1]), (names[2], Level::Urgent, &[2])];
    let fitted = fit(&model(&names, true, &classes), &findings(), &Options::default()).expect("it is sound");
    assert_trials(&fitted, &expected("findings"));
    // Probabilities of such labels don't add up.
    assert!(fitted.action.is_none() && fitted.prevalence.is_none());
}
