use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::manifest::{NoveltySample, NoveltyTables};

/// The novelty of features and logits under a model.
fn measured(model: &NoveltyModel, features: &[f32], logits: &[f32]) -> Result<f32> {
    NoveltyMeter::new(model)?.measure(features, logits, &mut vec![7.0; 3]).map(|novelty| novelty.value)
}

fn model(method: NoveltyMethod, tables: &NoveltyTables) -> NoveltyModel {
    NoveltyModel::new(method, vec!["t".into()], tables, [1.0, 2.0]).expect("sound tables")
}

/// Two features of mean 1 and 2 and of scale 0.5 and 2, with the plain axes.
fn plain() -> NoveltyTables {
    NoveltyTables::new(vec![1.0, 2.0], vec![0.5, 2.0], vec![1.0, 0.0, 0.0, 1.0])
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number") as f32).collect()
}

/// `tests/golden/novelty/make.py` has the formulas in numpy.
#[test]
fn measure_equals_numpy() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/novelty/cases.json");
    let cases: Value = serde_json::from_slice(&std::fs::read(path).expect("committed")).expect("JSON");
    let mut compared = 0;
    for case in cases["apply"].as_array().expect("cases") {
        let mut fields = case["novelty"].clone();
        (fields["soft"], fields["hard"]) = (1.into(), 2.into());
        let model: NoveltyModel = serde_json::from_value(fields).expect("a model");
        let meter = NoveltyMeter::new(&model).expect("sound tables");
        for picture in case["pictures"].as_array().expect("pictures") {
            let (features, logits) = (numbers(&picture["features"]), numbers(&picture["logits"]));
            let wanted = picture["value"].as_f64().expect("a number");
            let found = meter.value(&features, &logits, &mut Vec::new()).expect("finite");
            let name = model.method.as_str();
            assert!((found - wanted).abs() <= 1e-9 * wanted.abs(), "{name}: {found} instead of {wanted}");
            compared += 1;
        }
    }
    assert_eq!(compared, 34);
}

/// z = ((2 − 1) / 0.5, (−2 − 2) / 2) = (2, −2), and √((4 + 4) / 2) = 2.
#[test]
fn mahalanobis_of_a_point_by_hand() {
    let found = measured(&model(NoveltyMethod::Mahalanobis, &plain()), &[2.0, -2.0], &[]);
    assert_eq!(found.expect("finite"), 2.0);
}

/// Roots of (4, −9) are (2, −3): z = ((2 − 1) / 0.5, (−3 − 2) / 2) = (2, −2.5), and √((4 + 6.25) / 2) = √5.125.
#[test]
fn root_keeps_the_sign() {
    let mut model = model(NoveltyMethod::Mahalanobis, &plain());
    model.root = true;
    let found = measured(&model, &[4.0, -9.0], &[]).expect("finite");
    assert!((f64::from(found) - 2.263_846_284_534_354).abs() < 1e-6, "{found}");
}

/// The point (2, −2), and a sample of (0, 0), (2, 2) and (−2, −2), whose scales are 2 / 127: distances √8, 4 and 4, over √2.
#[test]
fn nearest_neighbors_take_the_one_that_counts() {
    for (neighbors, wanted) in [(1, 2.0), (2, 8.0_f64.sqrt()), (3, 8.0_f64.sqrt())] {
        let mut tables = plain();
        tables.sample = Some(NoveltySample::new(neighbors, 2, &[0.0, 0.0, 2.0, 2.0, -2.0, -2.0]));
        let found = measured(&model(NoveltyMethod::NearestNeighbors, &tables), &[2.0, -2.0], &[]).expect("finite");
        assert!((f64::from(found) - wanted).abs() < 1e-6, "{neighbors}: {found}");
    }
}

/// ln(e^ln 2 + e^ln 6) = ln 8, and of two equal logits of 1000 it is 1000 + ln 2.
#[test]
fn energy_is_minus_the_logarithm_of_the_sum() {
    let model = NoveltyModel::energy([0.0, 1.0]);
    let found = measured(&model, &[], &[2.0_f32.ln(), 6.0_f32.ln()]).expect("finite");
    assert!((found + 8.0_f32.ln()).abs() < 1e-6, "{found}");
    let large = measured(&model, &[], &[1000.0, 1000.0]).expect("finite");
    assert!((large + 1_000.693_1).abs() < 1e-4, "{large}");
}

/// Distance 2 and energy −ln 8 = −2.0794, a quarter of which is −0.5199.
#[test]
fn combined_adds_the_weighed_energy() {
    let mut model = model(NoveltyMethod::Combined, &plain());
    model.weight = Some(0.25);
    let found = measured(&model, &[2.0, -2.0], &[2.0_f32.ln(), 6.0_f32.ln()]).expect("finite");
    assert!((found - (2.0 - 0.25 * 8.0_f32.ln())).abs() < 1e-6, "{found}");
}

#[test]
fn measure_refuses_numbers_that_are_none() {
    let distance = model(NoveltyMethod::Mahalanobis, &plain());
    for hostile in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let of_features = measured(&distance, &[1.0, hostile], &[0.0]).expect_err("refused");
        let of_logits = measured(&NoveltyModel::energy([0.0, 1.0]), &[], &[0.0, hostile]).expect_err("refused");
        for (error, what) in [(of_features, "as a feature"), (of_logits, "as a score")] {
            assert_eq!(error.kind(), ErrorKind::UnsupportedModel);
            assert!(error.to_string().contains(what), "{error}");
        }
    }
    // 3e38 over the smallest scale is beyond float32, though not beyond float64.
    let tiny = NoveltyTables::new(vec![0.0], vec![1e-45], vec![65504.0]);
    let error = measured(&model(NoveltyMethod::Mahalanobis, &tiny), &[f32::MAX], &[]).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::UnsupportedModel);
    assert!(error.to_string().contains("which no picture has"), "{error}");
}

/// Any float32, of all magnitudes, and those that are no numbers.
fn any_bits() -> impl Strategy<Value = f32> {
    any::<u32>().prop_map(f32::from_bits)
}

proptest! {
    #[test]
    fn measure_gives_a_number_or_an_error(
        features in prop::collection::vec(any_bits(), 3),
        logits in prop::collection::vec(any_bits(), 1..4),
        (mean, scale) in (prop::collection::vec(any_bits(), 3), prop::collection::vec(any_bits(), 3)),
        axes in prop::collection::vec(-65504.0_f64..65504.0, 6),
        points in prop::collection::vec(-1e30_f64..1e30, 8),
        root: bool,
        weight in 1e-38_f32..1e38,
    ) {
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let mut tables = NoveltyTables::new(wide(&mean), wide(&scale), axes);
        for sample in [None, Some(NoveltySample::new(2, 2, &points))] {
            tables.sample = sample;
            let Ok(mut model) = NoveltyModel::new(NoveltyMethod::Combined, vec!["t".into()], &tables, [1.0, 2.0]) else {
                continue;
            };
            (model.root, model.weight) = (root, Some(weight));
            match measured(&model, &features, &logits) {
                Ok(value) => prop_assert!(value.is_finite()),
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::UnsupportedModel),
            }
        }
    }

    /// A point that moves away from the mean along one line has no smaller distance.
    #[test]
    fn mahalanobis_grows_along_a_line(
        direction in prop::collection::vec(-10.0_f32..10.0, 2), a in 0.0_f32..100.0, b in 0.0_f32..100.0,
    ) {
        let model = model(NoveltyMethod::Mahalanobis, &plain());
        let at = |far: f32| measured(&model, &[1.0 + far * direction[0], 2.0 + far * direction[1]], &[]).expect("finite");
        prop_assert!(at(a.min(b)) <= at(a.max(b)) * 1.0001 + 1e-4);
    }
}
