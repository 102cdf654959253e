//! An evaluation of tables equals what scikit-learn, statsmodels and published formulas make of the same rows
//! (`tests/golden/statistics`), and its page can be read.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bedside_tools::evaluate::{
    Against, Case, Column, Evaluation, Label, Level, Measure, Method, Model, Options, Outcome, Picture, Pictures,
    Ranged, Scores, Stated, UrgentMiss, evaluate, html, html_with_pictures,
};
use bedside_tools::statistics::Interval;
use bedside_tools::table::{LabelOptions, LabelTable, ScoreKind, ScoreOptions, ScoreRow, ScoreTable, with_scores};
use serde_json::Value;

const LABELS: [&str; 3] = ["melanoma", "keratosis", "nevus"];
const THRESHOLDS: [f64; 3] = [0.25, 0.3, 0.5];

fn golden(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "tests", "golden", "statistics", name].iter().collect();
    fs::read_to_string(path).expect("the file is there")
}

fn expected(section: &str) -> Value {
    let mut all: Value = serde_json::from_str(&golden("expected.json")).expect("it is JSON");
    all[section].take()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[track_caller]
fn same(found: f64, value: &Value) {
    let wanted = number(value);
    assert!((found - wanted).abs() <= 1e-7 * wanted.abs() + 1e-11, "{found} instead of {wanted}");
}

#[track_caller]
fn value<T: std::fmt::Debug + Copy>(measure: &Measure<T>) -> T {
    measure.value().unwrap_or_else(|| panic!("{measure:?}"))
}

#[track_caller]
fn same_interval(found: &Measure<Interval>, wanted: &Value) {
    let found = value(found);
    same(found.lower, &wanted[0]);
    same(found.upper, &wanted[1]);
}

fn names(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|l| (*l).to_owned()).collect()
}

/// The labels of `predictions.csv`, the first of which is urgent.
fn model(name: &str) -> Model {
    let stated = |miss, rank| Some(Stated { miss, rank, patients: 50 });
    let label = |name: &str, level, stated| Label { name: name.to_owned(), level, stated };
    Model {
        name: name.to_owned(),
        labels: vec![
            label(LABELS[0], Level::Urgent, stated(0.4, 20)),
            label(LABELS[1], Level::Refer, stated(0.1, 5)),
            label(LABELS[2], Level::NoSign, None),
        ],
        is_multi_label: false,
        contrasts: Vec::new(),
    }
}

/// What a model with these probabilities says by the rule: the highest level of the labels over their threshold.
fn judge(probabilities: Vec<f64>, novelty: Option<f64>) -> Outcome {
    let over: Vec<bool> = probabilities.iter().zip(THRESHOLDS).map(|(p, at)| *p >= at).collect();
    let levels = [Level::Urgent, Level::Refer, Level::NoSign];
    let highest = levels.into_iter().zip(&over).filter(|(_, over)| **over).map(|(level, _)| level).max();
    Outcome::Judged {
        triage: highest.unwrap_or(Level::Refer),
        scores: Scores { probabilities, over, urgent: None },
        novelty,
    }
}

/// The cases of `predictions.csv`, read as `evaluate` reads its tables.
fn cases(scores_of: &str, is_grouped: bool) -> Vec<Case> {
    let text = golden("predictions.csv");
    let by = names(&["age", "sex", "device"]);
    let options = LabelOptions {
        labels: names(&LABELS),
        group: is_grouped.then(|| "group".to_owned()),
        by: by.clone(),
        ..LabelOptions::default()
    };
    let labels = LabelTable::new("predictions.csv", text.as_bytes(), &options).expect("a head");
    let renamed = text.replacen(&format!("{scores_of}_"), "probability_", 3);
    let options = ScoreOptions { labels: names(&LABELS), ..ScoreOptions::default() };
    let scores = ScoreTable::new("predictions.csv", renamed.as_bytes(), &options).expect("a head");
    assert_eq!(scores.kind(), ScoreKind::Probabilities);
    let joined = with_scores(labels, scores.by_file().expect("whole"));
    joined
        .map(|row| {
            let (row, scores) = row.expect("both tables have it");
            let subgroups = by.iter().cloned().zip(row.by).filter_map(|(name, value)| Some((name, value?)));
            Case {
                file: row.file,
                group: row.group,
                foreign: None,
                truth: row.truth,
                outcome: judge(scores.scores, None),
                subgroups: subgroups.collect(),
                seconds: None,
                copies: Vec::new(),
            }
        })
        .collect()
}

fn options() -> Options {
    Options { prevalences: vec![0.01, 0.05, 0.2, 0.5], replicates: 100, ..Options::default() }
}

fn grouped(options: &Options) -> Evaluation {
    let (first, second) = (cases("first", true), cases("second", true));
    let other = model("second");
    let against = Some(Against { model: &other, cases: &second });
    evaluate(&model("first"), &first, against, options).expect("it fits")
}

/// A bootstrap's ends are near those of Obuchowski's formula.
#[track_caller]
fn alike(found: &Measure<Interval>, wanted: &Value) {
    let found = value(found);
    let (lower, upper) = (number(&wanted[0]), number(&wanted[1]));
    let tolerance = (upper - lower) / 7.0;
    assert!((found.lower - lower).abs() < tolerance && (found.upper - upper).abs() < tolerance, "{found:?} {wanted}");
}

#[test]
fn evaluation_by_patients_equals_the_references() {
    let e = grouped(&Options { replicates: 400, ..options() });
    assert!(e.method.is_grouped);
    let point = expected("operating_point");
    // The triage is urgent from the threshold of melanoma on.
    let urgent = &e.detection[1];
    same(value(&urgent.sensitivity.share).value, &point["sensitivity"]["proportion"]);
    let by_t = "wilson_of_at_most_all_rows_by_t";
    same_interval(&value(&urgent.sensitivity.share).interval, &point["sensitivity"][by_t]);
    same_interval(&value(&urgent.specificity.share).interval, &point["specificity"][by_t]);
    assert_eq!(urgent.sensitivity, urgent.sensitivity_of_all);
    for (at, wanted) in urgent.at.iter().zip(point["at_prevalence"].as_array().expect("a list")) {
        let (positive, negative) = (value(&at.positive), value(&at.negative));
        same(positive.value, &wanted["positive"]);
        same(negative.value, &wanted["negative"]);
        same_interval(&positive.interval, &wanted["logit_interval_clustered"]["positive"]);
        same_interval(&negative.interval, &wanted["logit_interval_clustered"]["negative"]);
    }
    let misses = &e.misses[0];
    assert_eq!(misses.missed, point["by_patient"]["missed"].as_u64().expect("a count"));
    assert_eq!(misses.patients, 100);
    same_interval(&value(&misses.share).interval, &point["by_patient"]["clopper_pearson"]);
    assert_eq!(e.urgent_misses.len(), 142 - 102);
    let areas = expected("areas");
    let ranking = |of: &str| e.ranking.iter().find(|r| r.of == of).expect("it is there");
    assert_eq!(ranking("urgent").auc, ranking("melanoma").auc);
    for label in LABELS {
        assert_eq!(ranking(label).method, Method::Bootstrap);
        same(value(&ranking(label).auc).value, &areas[label]["area"][0]);
        alike(&value(&ranking(label).auc).interval, &areas[label]["clustered"]["interval"][0]);
        let compared = e.comparison.as_ref().expect("two models").auc.iter().find(|p| p.of == label);
        let difference = value(&compared.expect("it is there").difference);
        same(difference.value, &areas[label]["clustered"]["difference"]);
        alike(&difference.interval, &areas[label]["clustered"]["difference_interval"]);
    }
    calibration_is_that_of_statsmodels(&e);
    let risk = expected("risk_coverage");
    same(value(&e.selective[0].aurc), &risk["first"]["area"]);
    same(value(&e.selective[0].excess), &risk["first"]["excess_area"]);
    same(value(&e.selective[0].risk), &risk["first"]["risk_at_coverage"]["1.0"]);
}

fn calibration_is_that_of_statsmodels(e: &Evaluation) {
    const Z: f64 = 1.959_963_984_540_054;
    let (wanted, scores) = (&expected("calibration")["first"], &expected("scores")["first"]);
    for label in LABELS {
        let found = e.calibration.iter().find(|c| c.of == label).expect("it is there");
        for (found, wanted) in
            [(&found.intercept, &wanted[label]["intercept"]), (&found.slope, &wanted[label]["slope"])]
        {
            let Ranged { value: estimate, interval } = value(found);
            same(estimate, &wanted["value"]);
            let half = (value(&interval).upper - value(&interval).lower) / 2.0;
            same(half / Z, &wanted["standard_error_clustered"]);
        }
        same(value(&found.brier), &scores["brier_by_label"][label]);
        assert!(value(&found.ece) > value(&found.ece_if_calibrated).mean);
    }
}

#[test]
fn evaluation_of_independent_pictures_is_by_delong() {
    let (first, second) = (cases("first", false), cases("second", false));
    let other = model("second");
    let against = Some(Against { model: &other, cases: &second });
    let e = evaluate(&model("first"), &first, against, &options()).expect("it fits");
    assert!(!e.method.is_grouped);
    let (areas, point) = (expected("areas"), expected("operating_point"));
    for (index, label) in LABELS.iter().enumerate() {
        let delong = &areas[label]["delong"];
        let found = &e.ranking[index + 1];
        assert_eq!((found.of.as_str(), found.method), (*label, Method::DeLong));
        same_interval(&value(&found.auc).interval, &delong["logit_interval"][0]);
        let compared = &e.comparison.as_ref().expect("two models").auc[index + 1];
        same(value(&compared.difference).value, &delong["difference"]);
        same_interval(&value(&compared.difference).interval, &delong["difference_interval"]);
        same(compared.p_value.expect("by DeLong"), &delong["p"]);
    }
    let urgent = &e.detection[1];
    same_interval(&value(&urgent.sensitivity.share).interval, &point["sensitivity"]["wilson_unclustered"]);
    same_interval(&value(&urgent.specificity.share).interval, &point["specificity"]["wilson_unclustered"]);
}

#[test]
fn evaluation_of_findings_leaves_out_what_is_not_known() {
    let text = golden("multilabel.csv");
    let findings = ["effusion", "nodule", "pneumonia"];
    let labels = LabelOptions { labels: names(&findings), is_multi_label: true, ..LabelOptions::default() };
    let rows = LabelTable::new("multilabel.csv", text.as_bytes(), &labels).expect("a head");
    let scores = ScoreOptions { labels: names(&findings), is_multi_label: true, kind: None };
    let scores = ScoreTable::new("multilabel.csv", text.as_bytes(), &scores).expect("a head").by_file();
    let cases: Vec<Case> = with_scores(rows, scores.expect("whole"))
        .map(|row| {
            let (row, ScoreRow { scores: probabilities, .. }) = row.expect("both");
            let over = probabilities.iter().map(|p| *p >= 0.5).collect();
            let scores = Scores { probabilities, over, urgent: None };
            Case {
                file: row.file,
                group: None,
                foreign: None,
                truth: row.truth,
                outcome: Outcome::Judged { triage: Level::Refer, scores, novelty: None },
                subgroups: BTreeMap::new(),
                seconds: None,
                copies: Vec::new(),
            }
        })
        .collect();
    let label = |name: &&str| Label { name: (*name).to_owned(), level: Level::Refer, stated: None };
    let labels = findings.iter().map(label).collect();
    let model = Model { name: "findings".into(), labels, is_multi_label: true, contrasts: Vec::new() };
    let e = evaluate(&model, &cases, None, &options()).expect("it fits");
    let wanted = expected("multilabel");
    for (index, finding) in findings.iter().enumerate() {
        let (ranking, calibration) = (&e.ranking[index], &e.calibration[index]);
        let wanted = &wanted[finding];
        assert_eq!(ranking.positives + ranking.negatives, wanted["known"].as_u64().expect("a count"));
        same(value(&ranking.auc).value, &wanted["area"][0]);
        same_interval(&value(&ranking.auc).interval, &wanted["delong"]["logit_interval"][0]);
        same(value(&calibration.brier), &wanted["brier"]);
        same(value(&calibration.nll), &wanted["nll"]);
        let sensitivity = ranking.at.expect("a label").sensitivity;
        same_interval(&value(&sensitivity.share).interval, &wanted["sensitivity_at_0.5"]["wilson_unclustered"]);
        assert_eq!(e.selective[index].of.as_deref(), Some(*finding));
    }
    // No label is urgent: what is of urgent pictures is not there.
    assert!(e.detection.is_empty() && e.no_sign.is_empty() && e.urgent_misses.is_empty());
    assert!(html(&e).contains("effusion"));
}

/// A set with all that a page can show: rejected, unreadable and foreign pictures, times, parts, another model.
fn demonstration() -> Evaluation {
    let second = cases("second", true);
    let mut first = cases("first", true);
    let table: Vec<f64> =
        expected("novelty")["mahalanobis_squared"].as_array().expect("a list").iter().map(number).collect();
    let (known, novel) = table.split_at(40);
    for (index, case) in first.iter_mut().enumerate() {
        let novelty = known[index % known.len()] + (index % 7) as f64 * 0.1;
        case.seconds = Some(0.030 + (index % 23) as f64 * 0.0005);
        let Outcome::Judged { scores, .. } = &case.outcome else { unreachable!("all are judged") };
        case.outcome = match index {
            _ if index % 41 == 3 => Outcome::Rejected {
                reasons: names(&["blurred", "too_dark"][..=index % 2]),
                triage: Level::Unassessed,
                novelty: None,
            },
            _ if novelty > 9.0 => {
                let triage = if scores.over[0] { Level::Refer } else { Level::Unassessed };
                Outcome::Rejected { reasons: names(&["unlike"]), triage, novelty: Some(novelty) }
            }
            77 => Outcome::Unreadable { error: "not a picture".into() },
            _ => judge(scores.probabilities.clone(), Some(novelty)),
        };
    }
    for (source, shift) in [("phone <photos>", 0.0), ("plants", 9.0)] {
        first.extend(novel.iter().enumerate().map(|(index, novelty)| {
            let novelty = (novelty + shift) * if source == "plants" { 1.0 } else { 0.4 };
            let outcome = if novelty > 9.0 {
                Outcome::Rejected { reasons: names(&["unlike"]), triage: Level::Unassessed, novelty: Some(novelty) }
            } else {
                judge(vec![0.2, 0.1, 0.7], Some(novelty))
            };
            Case {
                file: format!("{source}/{index}.jpg"),
                group: None,
                foreign: Some(source.to_owned()),
                truth: Vec::new(),
                outcome,
                subgroups: BTreeMap::new(),
                seconds: Some(0.031),
                copies: Vec::new(),
            }
        }));
    }
    let options = Options {
        title: "Evaluation of skin-lesion-demo".to_owned(),
        set: "Drawn by chance: tests/golden/statistics/predictions.csv, 600 pictures of 244 patients.".to_owned(),
        about: vec![
            ("Graph".to_owned(), "sha256 0123456789abcdef".to_owned()),
            ("Commit".to_owned(), "none".to_owned()),
        ],
        by: ["age", "sex", "device"].map(Column::named).to_vec(),
        ..options()
    };
    let other = model("second");
    evaluate(&model("first"), &first, Some(Against { model: &other, cases: &second }), &options).expect("it fits")
}

#[test]
fn page_and_json_show_all_of_it() {
    let e = demonstration();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let page = html(&e);
    fs::write(folder.join("evaluation.html"), &page).expect("the folder is there");
    let json = serde_json::to_string_pretty(&e).expect("it can be written");
    fs::write(folder.join("evaluation.json"), &json).expect("the folder is there");
    for mark in ["NaN", "inf%", "null%", "<script", "http:", "https:", "phone <photos>"] {
        assert!(!page.contains(mark), "{mark}");
    }
    assert!(page.contains("phone &lt;photos&gt;") && page.contains("not estimable"));
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(json["method"]["seed"], 0);
    assert_eq!(json["flow"][0]["unreadable"], 1);
    // No number is NaN or infinite, which JSON writes as null; options are null by themselves.
    assert!(json["ranking"][0]["auc"]["value"].is_f64());
    assert_eq!((page.matches("<img").count(), page.matches("data:image").count()), (0, 0));
}

fn shown(bytes: &str) -> Picture {
    Picture::Shown { url: format!("data:image/jpeg;base64,{bytes}"), caption: format!("caption {bytes}") }
}

#[test]
fn page_shows_pictures_beside_the_rows_of_its_lists() {
    let e = demonstration();
    let (worst, miss) = (&e.worst[0], &e.urgent_misses[0]);
    // The lists are the 20 worst errors and all urgent misses; each file is in them at most twice.
    let listed = e.worst.len() + e.urgent_misses.len();
    assert!(e.worst.len() == 20 && listed <= 100 && worst.file != miss.file, "{listed}");
    assert_eq!(e.pictured().count(), listed);
    assert_eq!(e.pictured().next(), Some((&worst.file[..], &worst.label[..])));
    assert_eq!(e.pictured().nth(20), Some((&miss.file[..], "melanoma")));
    let mut pictures = Pictures::default();
    pictures.thumbnails.insert(worst.file.clone(), shown("AAAA"));
    pictures.thumbnails.insert(miss.file.clone(), Picture::Missing { reason: "it is <damaged>".into() });
    pictures.heatmaps.insert((worst.file.clone(), worst.label.clone()), shown("BBBB"));
    pictures.heatmaps.insert((worst.file.clone(), "another".into()), shown("CCCC"));
    let page = html_with_pictures(&e, &pictures);
    let rows = |file: &str| e.pictured().filter(|row| row.0 == file).count();
    let worst_rows = e.pictured().filter(|row| *row == (&worst.file, &worst.label)).count();
    for (mark, count) in [
        (format!("base64,AAAA\" alt=\"The picture {}\"", worst.file), rows(&worst.file)),
        (format!("base64,BBBB\" alt=\"The evidence for {} in {}\"", worst.label, worst.file), worst_rows),
        ("caption BBBB</span>".to_owned(), worst_rows),
        ("it is &lt;damaged&gt;".to_owned(), rows(&miss.file)),
        ("holds pictures of patients".to_owned(), 1),
        ("not where a disease is".to_owned(), 1),
        (">Picture</th>".to_owned(), 2),
        (">Heatmap</th>".to_owned(), 2),
    ] {
        assert!(count > 0 && page.matches(&mark).count() == count, "{mark} {count}");
    }
    assert!(!page.contains("CCCC") && !page.contains("No heatmap") && !page.contains("so that the page stays small"));
}

#[test]
fn page_says_once_why_there_are_no_heatmaps() {
    let e = demonstration();
    let thumbnails = BTreeMap::from([(e.worst[0].file.clone(), shown("AAAA"))]);
    let page =
        html_with_pictures(&e, &Pictures { no_heatmaps: Some("of <it>".into()), thumbnails, ..Pictures::default() });
    assert_eq!(page.matches("No heatmap: of &lt;it&gt;.").count(), 1);
    assert_eq!((page.matches(">Picture</th>").count(), page.matches(">Heatmap</th>").count()), (2, 0));
}

#[test]
fn page_has_pictures_of_at_most_100_rows() {
    let mut e = demonstration();
    let miss = e.urgent_misses[0].clone();
    e.urgent_misses = (0..87).map(|i| UrgentMiss { file: format!("miss {i}"), ..miss.clone() }).collect();
    assert_eq!((e.pictured().count(), e.pictured().last()), (100, Some(("miss 79", "melanoma"))));
    let thumbnails = BTreeMap::from([(e.worst[0].file.clone(), shown("AAAA"))]);
    let page = html_with_pictures(&e, &Pictures { thumbnails, ..Pictures::default() });
    assert!(page.contains("not shown for the last 7 of the urgent misses"));
}

#[test]
fn evaluation_comes_out_again() {
    let text = |e: &Evaluation| serde_json::to_string(e).expect("it can be written");
    assert_eq!(text(&grouped(&options())), text(&grouped(&options())));
}
