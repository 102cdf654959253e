//! Small sets whose values are counted by hand.

use super::*;

fn model() -> Model {
    let label = |name: &str, level, stated| Label { name: name.to_owned(), level, stated };
    Model {
        name: "m".into(),
        labels: vec![
            label("ill", Level::Urgent, Some(Stated { miss: 0.5, rank: 1, patients: 1 })),
            label("well", Level::NoSign, Some(Stated { miss: 0.01, rank: 0, patients: 20 })),
        ],
        is_multi_label: false,
        contrasts: Vec::new(),
    }
}

/// A judged picture: `ill` is in from ½ on, and the triage is that of the labels that are in.
fn judged(file: &str, patient: &str, truth: Option<bool>, ill: f64) -> Case {
    let triage = if ill >= 0.5 { Level::Urgent } else { Level::NoSign };
    let scores = Scores { probabilities: vec![ill, 1.0 - ill], over: vec![ill >= 0.5, true], urgent: None };
    Case {
        file: file.into(),
        group: Some(patient.into()),
        foreign: None,
        truth: vec![truth, truth.map(|t| !t)],
        outcome: Outcome::Judged { triage, scores, novelty: Some(1.0 - ill) },
        subgroups: BTreeMap::new(),
        seconds: Some(ill),
        copies: Vec::new(),
    }
}

fn rejected(file: &str, patient: &str, truth: bool, reasons: &[&str], triage: Level) -> Case {
    let reasons = reasons.iter().map(|r| (*r).to_owned()).collect();
    let outcome = Outcome::Rejected { reasons, triage, novelty: None };
    Case { outcome, ..judged(file, patient, Some(truth), 0.0) }
}

/// Two patients with it, two without; one picture is rejected, one can't be read, and one is not known.
fn cases() -> Vec<Case> {
    vec![
        judged("a1", "a", Some(true), 0.9),
        judged("a2", "a", Some(true), 0.2),
        judged("b1", "b", Some(true), 0.6),
        judged("c1", "c", Some(false), 0.3),
        judged("c2", "c", Some(false), 0.7),
        judged("d1", "d", Some(false), 0.1),
        rejected("b2", "b", true, &["blurred", "blurred", "dark"], Level::Unassessed),
        Case { outcome: Outcome::Unreadable { error: "no picture".into() }, ..judged("e1", "e", Some(true), 0.0) },
        judged("f1", "f", None, 0.4),
    ]
}

fn options() -> Options {
    Options { replicates: 200, prevalences: vec![0.1], bins: 2, ..Options::default() }
}

fn evaluation() -> Evaluation {
    evaluate(&model(), &cases(), None, &options()).expect("it fits")
}

fn counts(rate: &Rate) -> (u64, u64, u64) {
    (rate.count, rate.pictures, rate.patients)
}

#[test]
fn flow_counts_pictures_and_patients() {
    let flow = &evaluation().flow[0];
    assert_eq!((flow.pictures, flow.patients, flow.unreadable), (9, 6, 1));
    assert_eq!((counts(&flow.rejected), counts(&flow.judged)), ((1, 8, 5), (7, 8, 5)));
    let reason = |name: &str| Reason { reason: name.into(), pictures: 1, patients: 1 };
    assert_eq!(flow.reasons, [reason("blurred"), reason("dark")]);
    assert_eq!(counts(&flow.rejected_by_label[0].rejected), (1, 4, 2));
    assert_eq!(counts(&flow.rejected_by_label[1].rejected), (0, 3, 2));
}

#[test]
fn triage_has_a_row_for_each_label() {
    let rows = evaluation().triage;
    let at = |row: &TriageRow| row.at.iter().map(|r| r.count).collect::<Vec<_>>();
    // The picture whose truth is not known is in no row.
    assert_eq!((rows.len(), at(&rows[0]), at(&rows[1])), (2, vec![1, 1, 0, 2], vec![2, 0, 0, 1]));
    assert_eq!(counts(&rows[0].refer_or_urgent), (2, 4, 2));
}

#[test]
fn detection_leaves_unassessed_out_or_counts_it_as_wrong() {
    let found = evaluation().detection;
    assert_eq!((found[0].test, found[1].test), (Test::ReferOrUrgent, Test::Urgent));
    assert_eq!((counts(&found[1].sensitivity), counts(&found[1].specificity)), ((2, 3, 2), (2, 3, 2)));
    assert_eq!((counts(&found[1].sensitivity_of_all), counts(&found[1].specificity_of_all)), ((2, 4, 2), (2, 3, 2)));
    // Sensitivity ⅔, specificity ⅔: 0.1 · ⅔ / (0.1 · ⅔ + 0.9 · ⅓) = 2/11.
    let positive = found[1].at[0].positive.value().expect("defined");
    assert!((positive.value - 2.0 / 11.0).abs() < 1e-15);
}

#[test]
fn urgent_misses_are_all_listed_from_no_sign_on() {
    let misses = evaluation().urgent_misses;
    let found: Vec<_> = misses.iter().map(|m| (m.file.as_str(), m.triage, m.probability)).collect();
    assert_eq!(found, [("a2", Level::NoSign, Some(0.2)), ("b2", Level::Unassessed, None)]);
}

#[test]
fn patients_are_missed_by_any_picture() {
    let e = evaluation();
    // Patient a is missed by a2; b's rejected picture has no score.
    assert_eq!((e.misses[0].missed, e.misses[0].patients), (1, 2));
    // Over one patient's value, each of 0 to 2 misses has a third.
    assert_eq!(e.misses[0].band, Some(Band { lower: 0, upper: 2, is_inside: true }));
    // A label that is always in is never missed.
    assert_eq!(e.misses[1].band, Some(Band { lower: 0, upper: 0, is_inside: true }));
    let check = &e.no_sign[0];
    assert_eq!((check.no_sign, check.patients, check.is_allowed, check.missing), (1, 2, false, 91));
}

#[test]
fn ranking_and_calibration_are_of_judged_pictures_that_are_known() {
    let e = evaluation();
    let urgent = &e.ranking[0];
    assert_eq!((urgent.of.as_str(), urgent.positives, urgent.negatives, urgent.patients), ("urgent", 3, 3, 4));
    // 0.9 is over all three; 0.6 over two; 0.2 over one.
    assert!((urgent.auc.value().expect("defined").value - 6.0 / 9.0).abs() < 1e-15);
    assert_eq!(urgent.at, None);
    assert_eq!(counts(&e.ranking[1].at.expect("a label").sensitivity), (2, 3, 2));
    // (0.01 + 0.64 + 0.16 + 0.09 + 0.49 + 0.01) / 6.
    assert!((e.calibration[0].brier.value().expect("defined") - 1.4 / 6.0).abs() < 1e-15);
    assert_eq!(e.calibration[0].bins.len(), 2);
    assert!((e.calibration[0].bins[0].given - 0.2).abs() < 1e-15);
    assert_eq!(counts(&e.calibration[0].bins[0].observed), (1, 3, 3));
}

#[test]
fn worst_and_risk_are_of_the_likeliest_label() {
    let e = evaluation();
    let files: Vec<&str> = e.worst.iter().map(|w| w.file.as_str()).collect();
    assert_eq!(files, ["a2", "c2"]);
    assert_eq!((e.worst[0].label.as_str(), e.worst[0].truth, e.worst[0].probability), ("ill", true, 0.2));
    assert_eq!((e.selective[0].pictures, e.selective[0].risk.value()), (6, Some(2.0 / 6.0)));
    let times = e.times.value().expect("all are timed");
    assert_eq!((times.pictures, times.max), (9, 0.9));
}

#[test]
fn subgroups_with_few_patients_are_not_estimable() {
    let mut cases = cases();
    for (index, case) in cases.iter_mut().enumerate() {
        if index > 0 {
            case.subgroups.insert("sex".into(), if index % 2 == 0 { "f" } else { "m" }.into());
        }
        case.subgroups.insert("age".into(), (20 + index).to_string());
    }
    let by = ["sex", "age"].map(Column::named).to_vec();
    let few = Options { by: by.clone(), ..options() };
    let found = evaluate(&model(), &cases, None, &few).expect("it fits").subgroups;
    let names: Vec<&str> = found[0].parts.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["f", "m", "not stated"]);
    let part = &found[0].parts[0];
    assert_eq!((part.pictures, part.rejected.share), (4, Measure::NotEstimable { patients: 3, needed: 20 }));
    assert_eq!(part.auc[0].value, Measure::NotEstimable { patients: 1, needed: 20 });
    // Nine ages: quartiles 22, 24 and 26 by numpy.percentile(range(20, 29), [25, 50, 75]).
    let names: Vec<&str> = found[1].parts.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["up to 22", "over 22 to 24", "over 24 to 26", "over 26"]);
    let enough = Options { by, min_patients: 1, ..options() };
    let found = evaluate(&model(), &cases, None, &enough).expect("it fits").subgroups;
    assert_eq!(counts(&found[0].parts[1].found), (0, 1, 1));
}

#[test]
fn urgent_pictures_of_a_part_are_counted_at_both_levels() {
    let mut cases = cases();
    cases[3] = rejected("c1", "c", false, &["blurred"], Level::Refer);
    cases[6] = rejected("b2", "b", true, &["blurred"], Level::Refer);
    for case in &mut cases {
        case.subgroups.insert("sex".into(), "f".into());
    }
    let options = Options { by: vec![Column::named("sex")], min_patients: 1, ..options() };
    let part = &evaluate(&model(), &cases, None, &options).expect("it fits").subgroups[0].parts[0];
    // a1 and b1 end urgent, b2 as refer, a2 as no_sign.
    assert_eq!((counts(&part.found), counts(&part.found_urgent)), ((3, 4, 2), (2, 4, 2)));
    // Of the others d1 ends no_sign, c1 as refer, c2 urgent.
    assert_eq!((counts(&part.cleared), counts(&part.not_urgent)), ((1, 3, 2), (2, 3, 2)));
}

/// The names of the parts by a column with these values, one a picture.
fn parts(cuts: &[f64], values: &[&str]) -> Vec<String> {
    let mut cases = cases();
    for (case, value) in cases.iter_mut().zip(values) {
        case.subgroups.insert("age".into(), (*value).to_owned());
    }
    let by = vec![Column { name: "age".to_owned(), cuts: cuts.to_vec() }];
    let found = evaluate(&model(), &cases, None, &Options { by, ..options() }).expect("it fits").subgroups;
    found[0].parts.iter().map(|part| part.name.clone()).collect()
}

#[test]
fn subgroups_of_numbers_ascend() {
    let bands = ["under 9", "9 to under 18", "18 to under 65", "65 and over", "nan", "old", "not stated"];
    assert_eq!(parts(&[9.0, 18.0, 65.0], &["65", "old", "18", "9", "8.9", "64", "nan"]), bands);
    assert_eq!(parts(&[], &["10", "9", "-1", "100", "9"]), ["-1", "9", "10", "100", "not stated"]);
    // By letters, where one of them is no number.
    assert_eq!(parts(&[], &["10", "9", "old"]), ["10", "9", "old", "not stated"]);
}

#[test]
fn novelty_is_by_source() {
    let mut cases = cases();
    for (index, novelty) in [0.5, 2.0, 3.0].into_iter().enumerate() {
        let mut case = judged(&format!("x{index}"), "a", None, 0.0);
        case.foreign = Some("plants".into());
        case.truth = Vec::new();
        case.outcome = Outcome::Rejected { reasons: Vec::new(), triage: Level::Unassessed, novelty: Some(novelty) };
        cases.push(case);
    }
    let e = evaluate(&model(), &cases, None, &options()).expect("it fits");
    // Novelties of the set are 0.1, 0.8, 0.4, 0.7, 0.3, 0.9 and 0.6: 95 % of seven are all of them.
    let novelty = &e.novelty;
    assert_eq!((novelty.pictures, novelty.threshold), (7, Measure::Value(0.9)));
    let source = &novelty.sources[0];
    // 0.5 is over three of seven; the others over all.
    assert!((source.auroc.value().expect("defined").value - 17.0 / 21.0).abs() < 1e-15);
    assert_eq!(counts(&source.accepted), (1, 3, 1));
    assert_eq!((novelty.counts.iter().sum::<u64>(), source.counts.iter().sum::<u64>()), (7, 3));
    assert_eq!((e.flow.len(), e.flow[1].source.as_deref(), e.flow[1].pictures), (2, Some("plants"), 3));
}

#[test]
fn comparison_of_a_model_with_itself_has_no_difference() {
    let (model, cases) = (model(), cases());
    let against = Some(Against { model: &model, cases: &cases });
    let e = evaluate(&model, &cases, against, &options()).expect("it fits");
    let found = e.comparison.expect("two models");
    assert_eq!((found.pictures, found.judged_by_both, found.judged_by_first), (8, 7, 0));
    for pair in found.auc.iter().chain(&found.brier).chain(&found.triage) {
        let difference = pair.difference.value().expect("it is 0");
        assert!((difference.value, difference.interval.value()) == (0.0, None), "{pair:?}");
    }
    assert!(found.shifts.is_empty());
}

#[test]
fn comparison_pairs_pictures_by_file() {
    let (model, first) = (model(), cases());
    let mut second = cases();
    // The other model finds a2, and does not know c2.
    second[1] = judged("a2", "a", Some(true), 0.8);
    second.remove(4);
    second.reverse();
    let e = evaluate(&model, &first, Some(Against { model: &model, cases: &second }), &options()).expect("it fits");
    let found = e.comparison.expect("two models");
    let shift = Shift { is_urgent: Some(true), from: Level::Urgent, to: Level::NoSign, pictures: 1 };
    assert_eq!((found.pictures, found.shifts), (7, vec![shift]));
    // Of three urgent pictures that both judged and one that none did, 2 and 3 are found.
    let row = &found.triage[1];
    assert_eq!((row.first, row.second), (Measure::Value(0.5), Measure::Value(0.75)));
    // Areas without c2: 0.9, 0.2, 0.6 over 0.3, 0.1: 5 of 6; and 0.9, 0.8, 0.6: 6 of 6.
    assert_eq!(found.auc[0].second, Measure::Value(1.0));
    assert!((found.auc[0].first.value().expect("defined") - 5.0 / 6.0).abs() < 1e-15);
}

#[test]
fn evaluation_without_pictures_is_undefined_and_not_0() {
    let e = evaluate(&model(), &[], None, &options()).expect("it fits");
    let empty = |why: Option<String>| assert_eq!(why.as_deref(), Some("undefined: no pictures"));
    empty(e.flow[0].judged.share.reason());
    empty(e.ranking[0].auc.reason());
    empty(e.calibration[0].ece.reason());
    empty(e.selective[0].aurc.reason());
    empty(e.times.reason());
    let json = serde_json::to_value(&e).expect("it can be written");
    assert_eq!(json["ranking"][0]["auc"]["undefined"], "there are no cases");
    let page = html(&e);
    assert!(page.contains("undefined: no pictures") && !page.contains("NaN"));
}

#[test]
fn measure_that_is_not_estimable_says_so_in_json() {
    let measure: Measure<f64> = Measure::NotEstimable { patients: 7, needed: 20 };
    let json = serde_json::to_string(&measure).expect("it can be written");
    assert_eq!(json, r#"{"not_estimable":{"needed":20,"patients":7}}"#);
    assert_eq!(serde_json::to_string(&Measure::Value(0.5)).expect("it can be written"), "0.5");
}

#[test]
fn evaluate_refuses_what_does_not_fit() {
    let refuse = |change: &dyn Fn(&mut Case), message: &str| {
        let mut cases = cases();
        change(&mut cases[1]);
        let error = evaluate(&model(), &cases, None, &options()).expect_err("it does not fit").to_string();
        assert!(error.contains(message), "{error}");
    };
    refuse(&|case| case.file = "a1".into(), "a1: stands twice");
    refuse(&|case| _ = case.truth.pop(), "a2: its truth does not have an entry for each label");
    refuse(&|case| case.truth = vec![Some(true); 2], "a2: has two labels that exclude each other");
    refuse(&|case| case.seconds = Some(f64::NAN), "a2: its time is not");
    let scores = |probabilities: Vec<f64>| {
        move |case: &mut Case| {
            let scores = Scores { probabilities: probabilities.clone(), over: vec![true; 2], urgent: None };
            case.outcome = Outcome::Judged { triage: Level::Refer, scores, novelty: None };
        }
    };
    refuse(&scores(vec![0.5]), "a2: its scores do not have an entry for each label");
    refuse(&scores(vec![0.5, f64::NAN]), "a2: has a probability that is not between 0 and 1");
    let bad = Options { prevalences: vec![5.0], ..options() };
    assert!(evaluate(&model(), &cases(), None, &bad).is_err());
    let mut other = model();
    other.labels[0].name = "another".into();
    let error = evaluate(&model(), &cases(), Some(Against { model: &other, cases: &[] }), &options());
    assert!(error.expect_err("other labels").to_string().contains("other labels"));
}

#[test]
fn urgent_truth_is_not_known_where_one_of_its_labels_is_not() {
    let mut model = model();
    model.is_multi_label = true;
    model.labels[1].level = Level::Urgent;
    let case = |truth: [Option<bool>; 2]| Case { truth: truth.to_vec(), ..judged("x", "x", None, 0.5) };
    assert_eq!(case([Some(true), None]).is_urgent(&model), Some(true));
    assert_eq!(case([Some(false), None]).is_urgent(&model), None);
    assert_eq!(case([Some(false), Some(false)]).is_urgent(&model), Some(false));
    // Probabilities of labels that do not exclude each other do not add up.
    assert_eq!(Target::Urgent.probability(&model, &case([None, None])), None);
}

/// Three labels: 0 and 1 are ill, 2 is well.
fn three(contrasts: Vec<Contrast>) -> (Model, Vec<Case>) {
    let label = |name: &str, level| Label { name: name.to_owned(), level, stated: None };
    let labels = vec![label("bad", Level::Urgent), label("worse", Level::Refer), label("well", Level::NoSign)];
    let model = Model { name: "m".into(), labels, is_multi_label: false, contrasts };
    let case = |file: &str, truth: usize, probabilities: [f64; 3]| {
        let scores = Scores { probabilities: probabilities.to_vec(), over: vec![false; 3], urgent: None };
        let truth = (0..3).map(|label| Some(label == truth)).collect();
        let outcome = Outcome::Judged { triage: Level::Refer, scores, novelty: None };
        Case { truth, outcome, ..judged(file, file, None, 0.0) }
    };
    let cases = vec![
        case("a", 0, [0.5, 0.25, 0.25]),
        case("b", 1, [0.125, 0.375, 0.5]),
        case("c", 2, [0.375, 0.125, 0.5]),
        case("d", 2, [0.25, 0.0, 0.75]),
    ];
    (model, cases)
}

fn contrast(name: &str, labels: &[usize], against: &[usize]) -> Contrast {
    Contrast { name: name.into(), labels: labels.to_vec(), against: against.to_vec() }
}

#[test]
fn contrast_adds_up_labels_and_leaves_others_out() {
    let (model, cases) = three(vec![contrast("ill", &[0, 1], &[]), contrast("worse or well", &[1], &[2])]);
    let e = evaluate(&model, &cases, None, &options()).expect("it fits");
    let found: Vec<_> = e.ranking.iter().map(|r| (r.of.as_str(), r.positives, r.negatives)).collect();
    assert_eq!(
        found,
        [("urgent", 1, 3), ("ill", 2, 2), ("worse or well", 1, 2), ("bad", 1, 3), ("worse", 1, 3), ("well", 2, 2)]
    );
    // The ill: 0.75 and 0.5; the well: 0.5 and 0.25. One of four pairs is tied.
    assert!((e.ranking[1].auc.value().expect("defined").value - 3.5 / 4.0).abs() < 1e-15);
    // Given that it is worse or well: 3/7 for b; 1/5 and 0 for c and d.
    assert!((e.ranking[2].auc.value().expect("defined").value - 1.0).abs() < 1e-15);
    assert!((e.calibration[2].given.value().expect("defined") - (3.0 / 7.0 + 0.2) / 3.0).abs() < 1e-15);
}

#[test]
fn contrast_that_says_nothing_is_refused() {
    let wrong = [
        contrast("urgent", &[0], &[]),
        contrast("well", &[0], &[]),
        contrast("", &[0], &[]),
        contrast("none", &[], &[0]),
        contrast("both", &[0], &[0]),
        contrast("beyond", &[3], &[]),
    ];
    for contrast in wrong {
        let (model, cases) = three(vec![contrast.clone()]);
        assert!(evaluate(&model, &cases, None, &options()).is_err(), "{contrast:?}");
    }
    let (model, cases) = three(vec![contrast("ill", &[0], &[]), contrast("ill", &[1], &[])]);
    assert!(evaluate(&model, &cases, None, &options()).is_err());
    let (model, cases) = three(vec![contrast("ill", &[0], &[])]);
    let model = Model { is_multi_label: true, ..model };
    assert!(evaluate(&model, &cases, None, &options()).is_err());
}

#[test]
fn steadiness_counts_copies_whose_triage_changes() {
    let mut cases = cases();
    let copied = |how: &str, from, to| Copied { how: how.into(), from, to };
    // a1 is urgent and ends no_sign; c1 is not, and does not change; d1 is not, and becomes urgent.
    cases[0].copies = vec![copied("cut", Level::Urgent, Level::NoSign), copied("saved", Level::Urgent, Level::Urgent)];
    cases[3].copies = vec![copied("cut", Level::NoSign, Level::NoSign)];
    cases[5].copies = vec![copied("cut", Level::NoSign, Level::Urgent)];
    let e = evaluate(&model(), &cases, None, &options()).expect("it fits");
    let names: Vec<&str> = e.steadiness.iter().map(|s| s.how.as_str()).collect();
    assert_eq!(names, ["cut", "saved"]);
    let cut = &e.steadiness[0];
    assert_eq!((counts(&cut.changed), counts(&cut.lost)), ((2, 3, 3), (1, 1, 1)));
    let moved = |from, to| Moved { from, to, pictures: 1 };
    assert_eq!(cut.shifts, [moved(Level::Urgent, Level::NoSign), moved(Level::NoSign, Level::Urgent)]);
    assert_eq!((counts(&e.steadiness[1].changed), e.steadiness[1].shifts.len()), ((0, 1, 1), 0));
}
