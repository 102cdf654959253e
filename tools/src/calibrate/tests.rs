use std::collections::BTreeMap;

use super::*;
use crate::statistics::conformal;

const NO_MISSES: BTreeMap<String, f64> = BTreeMap::new();

fn model() -> Model {
    let class = |id: &str, level, members: &[usize]| Class { id: id.to_owned(), level, members: members.to_vec() };
    Model {
        labels: ["a", "b", "c"].map(str::to_owned).to_vec(),
        is_multi_label: false,
        classes: vec![class("ab", Level::Urgent, &[0, 1]), class("c", Level::NoSign, &[2])],
        before: Scaling::NONE,
        has_logits: true,
    }
}

/// A picture of a patient of its own with these probabilities and this label.
fn row(i: usize, probabilities: [f64; 3], label: usize) -> Row {
    Row {
        file: format!("{i:05}.jpg"),
        group: None,
        logits: probabilities.map(f64::ln).to_vec(),
        truth: (0..3).map(|l| Some(l == label)).collect(),
        network: 0,
    }
}

/// `n` pictures of `a` with sums of the group of 1/n … (n − 1)/n and nearly 1, and `n` of `c` with the same mirrored.
fn rows(n: usize) -> Vec<Row> {
    let p = |i: usize| ((i + 1) as f64 / n as f64).min(0.999);
    let urgent = (0..n).map(|i| row(i, [p(i) * 0.75, p(i) * 0.25, 1.0 - p(i)], 0));
    let harmless = (0..n).map(|i| row(n + i, [(1.0 - p(i)) * 0.5, (1.0 - p(i)) * 0.5, p(i)], 2));
    urgent.chain(harmless).collect()
}

fn kept(rows: &[Row], misses: &[(&str, f64)]) -> Fitted {
    let misses = misses.iter().map(|(id, miss)| ((*id).to_owned(), *miss)).collect();
    fit(&model(), rows, &Options { misses, action: None }).expect("it is sound")
}

#[test]
fn threshold_of_a_group_is_an_order_statistic_of_the_sum() {
    let mut model = model();
    // Nothing but the temperature is tried, and what stands is as good.
    model.has_logits = false;
    let rows = rows(99);
    let fitted = fit(&model, &rows, &Options { misses: BTreeMap::from([("ab".to_owned(), 0.05)]), action: None })
        .expect("sound");
    let sums: Vec<f64> = rows[..99]
        .iter()
        .map(|row| fitted.scaling.scalings.model().probabilities(&row.logits, false)[..2].iter().sum::<f64>())
        .collect();
    // (99 + 1) · 0.05 = 5.
    let conformal::Threshold::At { at, rank } = conformal::threshold(&sums, 0.05).expect("sound") else {
        panic!("always")
    };
    let class = &fitted.classes[0];
    assert_eq!((class.rank, class.patients, class.pictures, class.missing), (rank, 99, 99, Some(0)));
    assert!(class.at <= at && class.at > at * 0.9999, "{} beside {at}", class.at);
    let action = fitted.action.expect("there are enough");
    assert!((action.at - class.at).abs() < 1e-12 && action.rank == 5, "{action:?}");
    assert!((class.expected - 0.05).abs() < 1e-12 && class.interval.contains(0.05));
}

#[test]
fn fit_refuses_probabilities_where_logits_are_rescaled_label_by_label() {
    let mut model = model();
    model.before = Scaling::Labels { scale: vec![1.0; 3], bias: vec![0.0; 3] };
    assert!(fit(&model, &rows(99), &Options::default()).is_ok());
    model.has_logits = false;
    let problem = fit(&model, &rows(99), &Options::default()).expect_err("refused");
    assert!(problem.to_string().contains("`logit_LABEL`"), "{problem}");
}

#[test]
fn no_sign_counts_patients_by_the_thresholds_of_the_others() {
    // With a miss of 0.02, of 99 others and one the second smallest: two of 100 are under the threshold of the others.
    let fitted = kept(&rows(100), &[("c", 0.5)]);
    let found = &fitted.no_sign.classes[0];
    assert_eq!((found.count, found.patients), (2, 100));
    // The bounds for 2 of 100 and of 124: 6.2 and 5.0 %.
    assert!(!found.is_allowed && !fitted.no_sign.is_allowed && found.missing == 24, "{found:?}");
    assert!(kept(&rows(400), &[("c", 0.5)]).no_sign.is_allowed);
}

#[test]
fn no_sign_is_not_allowed_where_no_class_asks_for_it() {
    let mut model = model();
    model.classes[1].level = Level::Unassessed;
    let misses = BTreeMap::from([("c".to_owned(), 0.5)]);
    let found = fit(&model, &rows(400), &Options { misses, action: None }).expect("sound").no_sign;
    assert!(found.classes[0].is_allowed && !found.is_allowed, "{found:?}");
}

#[test]
fn few_patients_keep_what_was_there_and_say_what_is_missing() {
    let fitted = kept(&rows(4), &[]);
    assert_eq!((fitted.scaling.scalings.model().clone(), fitted.scaling.is_new), (Scaling::NONE, false));
    // 0.02 takes 49 patients, and no_sign 59.
    assert_eq!((fitted.classes[0].rank, fitted.classes[0].missing), (0, Some(45)));
    assert!(fitted.action.is_none() && fitted.no_sign.classes[0].missing == 55, "{fitted:?}");
    let text = page(&model(), &fitted);
    for words in ["8 pictures of 8 patients", "ab is always in: a miss of 2.0 % takes 45 patients more", "55 patients"]
    {
        assert!(text.contains(words), "no \"{words}\" in\n{text}");
    }
    let json = calibration(&fitted, &"0".repeat(64), "eight");
    assert_eq!(json["thresholds"]["ab"], serde_json::json!({"at": 0.0, "miss": 0.02, "count": 4}));
    assert_eq!((json["no_sign"].clone(), json.get("action")), (serde_json::json!(false), None));
}

#[test]
fn patient_of_several_pictures_counts_once_with_the_lowest() {
    let mut rows = rows(60);
    // The patient of the surest picture has the least sure one too.
    rows[0].group = Some("x".to_owned());
    rows[59].group = Some("x".to_owned());
    let fitted = kept(&rows, &[]);
    assert_eq!((fitted.classes[0].patients, fitted.classes[0].pictures, fitted.patients), (59, 60, 119));
    assert!(fitted.is_grouped);
}

#[test]
fn overconfident_logits_get_a_temperature() {
    // 90 % is said where 75 % are right: a temperature of 2.
    let at =
        |i: usize| Row { logits: vec![9f64.ln(), 0.0, -30.0], ..row(i, [0.5; 3], usize::from(i.is_multiple_of(4))) };
    let rows: Vec<Row> = (0..400).map(at).collect();
    let fitted = kept(&rows, &[]);
    assert!(fitted.scaling.is_new, "{:?}", fitted.scaling);
    let p = fitted.scaling.scalings.model().probabilities(&rows[0].logits, false);
    assert!((p[0] - 0.75).abs() < 0.02, "{p:?}");
    assert!(fitted.scaling.trials[1].nll < fitted.scaling.trials[0].nll);
}

#[test]
fn wrong_rows_and_options_are_refused() {
    let fails = |model: &Model, rows: &[Row], misses: BTreeMap<String, f64>| {
        fit(model, rows, &Options { misses, action: None }).expect_err("it is wrong").to_string()
    };
    let (sound, good) = (model(), rows(2));
    assert!(fails(&sound, &[], NO_MISSES).contains("no pictures"));
    assert!(fails(&sound, &good, BTreeMap::from([("z".to_owned(), 0.1)])).contains("ab, c"));
    assert!(fails(&sound, &good, BTreeMap::from([("c".to_owned(), 1.0)])).contains("out of range"));
    let twice = vec![good[0].clone(), good[0].clone()];
    assert!(fails(&sound, &twice, NO_MISSES).contains("twice"));
    let mut broken = good.clone();
    broken[1].logits[2] = f64::NAN;
    assert!(fails(&sound, &broken, NO_MISSES).contains("00001.jpg"));
    broken[1].logits[2] = -1000.5;
    assert!(fails(&sound, &broken, NO_MISSES).contains("00001.jpg: its logit of c is -1000.5"));
    let mut shared = good.clone();
    (shared[0].group, shared[1].group) = (Some("p".to_owned()), Some("p".to_owned()));
    shared[1].network = 1;
    let found = fails(&sound, &shared, NO_MISSES);
    assert!(
        found.contains("00001.jpg: the patient \"p\" is of two networks") && found.contains("00000.jpg"),
        "{found}"
    );
    let mut lacking = sound.clone();
    lacking.classes.pop();
    assert!(fails(&lacking, &good, NO_MISSES).contains("of 0 classes"));
}

#[test]
fn action_has_a_miss_of_its_own() {
    let rows = rows(99);
    let found = |action| {
        let options = Options { misses: BTreeMap::from([("ab".to_owned(), 0.05)]), action };
        fit(&model(), &rows, &options).expect("it is sound").action
    };
    // (99 + 1) · 0.05 = 5, and (99 + 1) · 0.02 = 2.
    assert_eq!(found(None).map(|action| action.rank), Some(5));
    assert_eq!(found(Some(0.02)).map(|action| action.rank), Some(2));
    assert_eq!(found(Some(0.0)), None);
    for wrong in [-0.1, 1.0, f64::NAN] {
        assert!(check_options(&model(), &Options { action: Some(wrong), ..Options::default() }).is_err(), "{wrong}");
    }
}
