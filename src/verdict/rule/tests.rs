use proptest::prelude::*;

use super::*;
use crate::ReasonKind;
use crate::manifest::{
    Activation, Calibration, Color, Draft, Group, Input, Output, Resize, ResizePolicy, Text, Threshold,
};

fn label(id: &str, operating_point: f32, triage: Triage) -> Label {
    let mut label = Label::new(id, Text::from([("en", id)]));
    (label.operating_point, label.triage) = (Some(operating_point), triage);
    label
}

/// The rule of a model with these labels, which exclude each other.
fn rule(labels: Vec<Label>, groups: Vec<Group>, calibrate: impl FnOnce(&mut Calibration)) -> Rule {
    let mut output = Output::new(Activation::Softmax, labels);
    output.groups = groups;
    let resize = Resize::new(ResizePolicy::Stretch);
    let input = Input::new(Color::Gray, (8, 8), resize, vec![0.5], vec![0.5]);
    let mut draft = Draft::new("test", "1", "CC0-1.0", input, output);
    let mut calibration = Calibration::new("0".repeat(64));
    calibrate(&mut calibration);
    draft.calibration = Some(calibration);
    Rule::of(&Manifest::try_from(draft).expect("a sound manifest"))
}

/// Melanoma from 0.2, nevus from 0.6, keratosis (`refer`) from 0.5; `no_sign` is allowed.
fn skin() -> Rule {
    let labels = vec![
        label("melanoma", 0.2, Triage::Urgent),
        label("nevus", 0.6, Triage::NoSign),
        label("keratosis", 0.5, Triage::Refer),
    ];
    rule(labels, vec![], |calibration| calibration.no_sign = true)
}

/// A novelty between the two levels, and one over both.
const UNUSUAL: Novelty = Novelty { value: 1.5, soft: 1.0, hard: 2.0 };
const FOREIGN: Novelty = Novelty { value: 2.5, soft: 1.0, hard: 2.0 };

/// The verdict's kind, the ids of its labels, the triage, and what decided it.
type Outcome = (&'static str, Vec<String>, Triage, DecidedBy);

fn outcome(rule: &Rule, probabilities: &[f64], is_unusual: bool) -> Outcome {
    let Conclusion { verdict, triage, decided_by } =
        rule.conclude(probabilities, is_unusual.then_some(&UNUSUAL), "en", &mut Vec::new());
    (verdict.kind(), verdict.labels().iter().map(|label| label.id.clone()).collect(), triage, decided_by)
}

fn expected(kind: &'static str, ids: &[&str], triage: Triage, decided_by: DecidedBy) -> Outcome {
    (kind, ids.iter().map(|&id| id.into()).collect(), triage, decided_by)
}

#[test]
fn conclude_gives_single_for_one_label_over_its_operating_point() {
    let nevus = expected("single", &["nevus"], Triage::NoSign, DecidedBy::Label);
    assert_eq!(outcome(&skin(), &[0.1, 0.8, 0.1], false), nevus);
    let melanoma = expected("single", &["melanoma"], Triage::Urgent, DecidedBy::Label);
    assert_eq!(outcome(&skin(), &[0.4, 0.5, 0.1], false), melanoma);
}

#[test]
fn conclude_counts_an_operating_point_reached_exactly() {
    let melanoma = expected("single", &["melanoma"], Triage::Urgent, DecidedBy::Label);
    assert_eq!(outcome(&skin(), &[f64::from(0.2f32), 0.59, 0.21], false), melanoma);
}

#[test]
fn conclude_orders_labels_by_level_and_then_by_probability() {
    let labels = vec![
        label("a", 0.1, Triage::NoSign),
        label("b", 0.1, Triage::Urgent),
        label("c", 0.1, Triage::Urgent),
        label("d", 0.1, Triage::Refer),
    ];
    let all = expected("several", &["c", "b", "d", "a"], Triage::Urgent, DecidedBy::Label);
    assert_eq!(outcome(&rule(labels, vec![], |_| ()), &[0.5, 0.1, 0.25, 0.15], false), all);
}

#[test]
fn conclude_is_undecided_and_refers_where_no_label_reaches_its_operating_point() {
    let undecided = expected("undecided", &[], Triage::Refer, DecidedBy::Undecided);
    assert_eq!(outcome(&skin(), &[0.15, 0.45, 0.4], false), undecided);
    assert_eq!(outcome(&skin(), &[0.15, 0.45, 0.4], true), undecided);
}

#[test]
fn conclude_refers_an_unusual_picture_that_would_be_no_sign() {
    let refer = expected("single", &["nevus"], Triage::Refer, DecidedBy::Novelty);
    assert_eq!(outcome(&skin(), &[0.1, 0.8, 0.1], true), refer);
    let urgent = expected("single", &["melanoma"], Triage::Urgent, DecidedBy::Label);
    assert_eq!(outcome(&skin(), &[0.4, 0.5, 0.1], true), urgent);
}

#[test]
fn conclude_rejects_a_foreign_picture_and_refers_where_an_urgent_label_cant_be_excluded() {
    let foreign = |probabilities: &[f64]| {
        let conclusion = skin().conclude(probabilities, Some(&FOREIGN), "en", &mut Vec::new());
        let kinds: Vec<ReasonKind> = conclusion.verdict.reasons().iter().map(|reason| reason.kind).collect();
        assert_eq!((conclusion.verdict.kind(), kinds), ("rejected", vec![ReasonKind::Novel]));
        (conclusion.triage, conclusion.decided_by)
    };
    assert_eq!(foreign(&[0.1, 0.8, 0.1]), (Triage::Unassessed, DecidedBy::Novelty));
    assert_eq!(foreign(&[0.1, 0.3, 0.6]), (Triage::Unassessed, DecidedBy::Novelty));
    assert_eq!(foreign(&[0.4, 0.5, 0.1]), (Triage::Refer, DecidedBy::Novelty));
}

#[test]
fn novelty_at_a_level_is_not_over_it() {
    let at_soft = Novelty { value: 1.0, ..UNUSUAL };
    assert_eq!(skin().conclude(&[0.1, 0.8, 0.1], Some(&at_soft), "en", &mut Vec::new()).triage, Triage::NoSign);
    let at_hard = Novelty { value: 2.0, ..UNUSUAL };
    assert_eq!(skin().conclude(&[0.1, 0.8, 0.1], Some(&at_hard), "en", &mut Vec::new()).verdict.kind(), "single");
}

#[test]
fn conclude_says_no_sign_only_where_the_calibration_allows_it() {
    let labels = vec![label("melanoma", 0.2, Triage::Urgent), label("nevus", 0.6, Triage::NoSign)];
    let refer = expected("single", &["nevus"], Triage::Refer, DecidedBy::NoSignNotShown);
    assert_eq!(outcome(&rule(labels, vec![], |_| ()), &[0.1, 0.9], false), refer);
}

#[test]
fn conclude_gives_unassessed_for_a_label_of_that_level_only_alone_or_beside_no_sign() {
    let labels = vec![
        label("nothing", 0.3, Triage::Unassessed),
        label("nevus", 0.3, Triage::NoSign),
        label("melanoma", 0.3, Triage::Urgent),
    ];
    let rule = rule(labels, vec![], |calibration| calibration.no_sign = true);
    let alone = expected("single", &["nothing"], Triage::Unassessed, DecidedBy::Label);
    assert_eq!(outcome(&rule, &[0.9, 0.05, 0.05], false), alone);
    let beside = expected("several", &["nothing", "nevus"], Triage::Unassessed, DecidedBy::Label);
    assert_eq!(outcome(&rule, &[0.5, 0.5, 0.0], false), beside);
}

#[test]
fn action_threshold_makes_urgent_by_the_sum_of_urgent_labels() {
    let labels = vec![
        label("melanoma", 0.5, Triage::Urgent),
        label("carcinoma", 0.5, Triage::Urgent),
        label("nevus", 0.5, Triage::NoSign),
    ];
    let rule = rule(labels, vec![], |calibration| {
        (calibration.action, calibration.no_sign) = (Some(0.375), true);
    });
    let by_sum = expected("single", &["nevus"], Triage::Urgent, DecidedBy::Action);
    assert_eq!(outcome(&rule, &[0.25, 0.125, 0.625], false), by_sum);
    let below = expected("single", &["nevus"], Triage::NoSign, DecidedBy::Label);
    assert_eq!(outcome(&rule, &[0.125, 0.125, 0.75], false), below);
}

#[test]
fn group_stands_in_place_of_its_labels_with_the_sum_of_their_probabilities() {
    let labels = vec![
        label("normal", 0.5, Triage::NoSign),
        label("bacterial", 0.9, Triage::NoSign),
        label("viral", 0.9, Triage::NoSign),
    ];
    let mut group = Group::new("pneumonia", Text::from([("en", "Pneumonia")]), ["bacterial", "viral"]);
    (group.triage, group.operating_point) = (Triage::Urgent, Some(0.5));
    let rule = rule(labels, vec![group], |_| ());
    let probabilities = rule.of_classes(&[0.25, 0.375, 0.375]);
    assert_eq!(probabilities, [0.25, 0.75]);
    let pneumonia = expected("single", &["pneumonia"], Triage::Urgent, DecidedBy::Label);
    assert_eq!(outcome(&rule, &probabilities, false), pneumonia);
}

#[test]
fn threshold_of_the_calibration_takes_the_place_of_an_operating_point() {
    let labels = vec![label("melanoma", 0.2, Triage::Urgent), label("nevus", 0.6, Triage::NoSign)];
    let rule = rule(labels, vec![], |calibration| {
        calibration.thresholds.insert("melanoma".into(), Threshold::new(0.4));
    });
    assert_eq!(rule.classes[0].operating_point(), 0.4);
    assert_eq!(rule.classes[1].operating_point(), 0.6);
}

#[test]
fn model_without_any_operating_point_assesses_nothing() {
    let mut labels = vec![label("cat", 0.5, Triage::Urgent), label("dog", 0.5, Triage::NoSign)];
    for label in &mut labels {
        label.operating_point = None;
    }
    let rule = rule(labels, vec![], |_| ());
    let cat = expected("single", &["cat"], Triage::Unassessed, DecidedBy::Uncalibrated);
    assert_eq!(outcome(&rule, &[0.9, 0.1], false), cat);
}

fn sign(level: Triage) -> DangerSign {
    DangerSign { id: "bleeds".into(), question: "Does it bleed?".into(), level }
}

#[test]
fn danger_sign_sets_a_floor_and_decides_only_above_the_picture() {
    let no_sign = || skin().conclude(&[0.1, 0.8, 0.1], None, "en", &mut Vec::new());
    let raised = no_sign().at_least(&[sign(Triage::Refer), sign(Triage::Urgent)]);
    assert_eq!((raised.triage, raised.decided_by), (Triage::Urgent, DecidedBy::Danger));
    let urgent = skin().conclude(&[0.4, 0.5, 0.1], None, "en", &mut Vec::new()).at_least(&[sign(Triage::Refer)]);
    assert_eq!((urgent.triage, urgent.decided_by), (Triage::Urgent, DecidedBy::Label));
    let rejected = Conclusion::rejected(vec![], Triage::Unassessed, DecidedBy::Scope).at_least(&[sign(Triage::Refer)]);
    assert_eq!((rejected.triage, rejected.decided_by), (Triage::Refer, DecidedBy::Danger));
}

fn any_level() -> impl Strategy<Value = Triage> {
    prop_oneof![Just(Triage::NoSign), Just(Triage::Unassessed), Just(Triage::Refer), Just(Triage::Urgent)]
}

/// A model's labels with their calibrated probabilities, its action threshold, and whether it may say `no_sign`.
fn any_rule() -> impl Strategy<Value = (Rule, Vec<f64>)> {
    let rows = prop::collection::vec((0f64..=1.0, 0f32..=1.0, any_level()), 2..8);
    (rows, prop::option::of(0.01f32..=1.0), any::<bool>()).prop_map(|(rows, action, no_sign)| {
        let labels = rows.iter().enumerate().map(|(i, row)| label(&i.to_string(), row.1, row.2)).collect();
        let rule = rule(labels, vec![], |calibration| (calibration.action, calibration.no_sign) = (action, no_sign));
        (rule, rows.iter().map(|row| row.0).collect())
    })
}

proptest! {
    #[test]
    fn triage_is_never_below_that_of_a_label_that_cant_be_excluded((rule, probabilities) in any_rule()) {
        let Conclusion { verdict, triage, .. } = rule.conclude(&probabilities, None, "en", &mut Vec::new());
        for label in verdict.labels() {
            prop_assert!(triage >= label.level);
        }
        let over = rule.classes.iter().zip(&probabilities).filter(|(class, p)| class.is_over(**p)).count();
        prop_assert_eq!(verdict.labels().len(), over);
    }

    #[test]
    fn no_sign_is_impossible_without_a_label_or_where_the_model_may_not_say_it((rule, probabilities) in any_rule()) {
        let Conclusion { verdict, triage, .. } = rule.conclude(&probabilities, None, "en", &mut Vec::new());
        if triage == Triage::NoSign {
            prop_assert!(rule.may_say_no_sign && !verdict.labels().is_empty());
        }
    }

    #[test]
    fn more_novelty_below_hard_never_lowers_the_triage((rule, probabilities) in any_rule()) {
        let (usual, unusual) = (rule.conclude(&probabilities, None, "en", &mut Vec::new()), rule.conclude(&probabilities, Some(&UNUSUAL), "en", &mut Vec::new()));
        prop_assert!(unusual.triage >= usual.triage);
        prop_assert_eq!(unusual.verdict, usual.verdict);
    }

    #[test]
    fn danger_sign_never_lowers_the_triage((rule, probabilities) in any_rule(), urgent: bool) {
        let before = rule.conclude(&probabilities, None, "en", &mut Vec::new());
        let level = if urgent { Triage::Urgent } else { Triage::Refer };
        let after = before.clone().at_least(&[sign(level)]);
        prop_assert!(after.triage >= before.triage && after.triage >= level);
    }

    #[test]
    fn higher_probability_of_an_urgent_label_never_lowers_the_triage(
        (rule, probabilities) in any_rule(), index: prop::sample::Index, more in 0f64..=1.0,
    ) {
        // The probabilities of all other labels stay as they are.
        let urgent = index.index(probabilities.len());
        prop_assume!(rule.classes[urgent].label.triage == Triage::Urgent);
        let before = rule.conclude(&probabilities, None, "en", &mut Vec::new()).triage;
        let mut alone = probabilities.clone();
        alone[urgent] += (1.0 - alone[urgent]) * more;
        prop_assert!(rule.conclude(&alone, None, "en", &mut Vec::new()).triage >= before);
    }
}
