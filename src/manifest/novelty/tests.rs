use super::*;
use crate::manifest::{Label, Text};
use crate::{ErrorKind, Triage};

fn output(activation: Activation) -> Output {
    let labels = ["a", "b"].map(|id| Label {
        id: id.into(),
        name: Text::from([("en", id)]),
        operating_point: None,
        triage: Triage::Refer,
    });
    Output::new(activation, labels.to_vec())
}

/// Three features and two dimensions.
fn tables() -> NoveltyTables {
    NoveltyTables::new(vec![0.5, -1.0, 2.0], vec![1.0, 0.25, 3.0], vec![1.0, -0.5, 0.25, 2.0, 0.0, -4.0])
}

fn mahalanobis() -> NoveltyModel {
    NoveltyModel::new(NoveltyMethod::Mahalanobis, vec!["t".into()], &tables(), [1.0, 2.0]).expect("sound")
}

fn neighbors() -> NoveltyModel {
    let tables = NoveltyTables { sample: Some(NoveltySample::new(1, 2, &[1.27, 0.0, -0.635, 2.54])), ..tables() };
    NoveltyModel::new(NoveltyMethod::NearestNeighbors, vec!["t".into()], &tables, [1.0, 2.0]).expect("sound")
}

/// The error of a model after a change; it names this field.
fn refused(mut model: NoveltyModel, field: &str, change: impl FnOnce(&mut NoveltyModel)) -> String {
    change(&mut model);
    let error = model.check(&output(Activation::Softmax)).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidManifest);
    let text = error.to_string();
    assert!(text.contains(&format!("`calibration.novelty{field}` ")), "{text} does not name {field}");
    text
}

/// The model with other bytes as statistics.
fn with_bytes(mut model: NoveltyModel, bytes: &[u8]) -> NoveltyModel {
    model.statistics = BASE64.encode(bytes);
    model
}

fn bytes_of(model: &NoveltyModel) -> Vec<u8> {
    BASE64.decode(&model.statistics).expect("base64")
}

/// The layout of docs/notes/2026-11-novelty.md, byte by byte: float32 of 0.5 is 0x3f000000, float16 of −0.5 is 0xb800.
#[test]
fn statistics_have_the_stated_layout() {
    let bytes = bytes_of(&neighbors());
    assert_eq!(bytes.len(), 3 * 4 + 3 * 4 + 3 * 2 * 2 + 2 * 4 + 2 * 2);
    assert_eq!(bytes[..4], [0x00, 0x00, 0x00, 0x3f]);
    assert_eq!(bytes[16..20], [0x00, 0x00, 0x80, 0x3e]);
    assert_eq!(bytes[24..28], [0x00, 0x3c, 0x00, 0xb8]);
    // Scales 1.27 / 127 and 2.54 / 127; −0.635 / 0.01 = −63.5, which is rounded to even.
    assert_eq!(bytes[36..44], [0.01_f32.to_le_bytes(), 0.02_f32.to_le_bytes()].concat());
    assert_eq!(bytes[44..], [127, 0, (-64_i8) as u8, 127]);
    let tables = neighbors().tables().expect("sound").expect("of features");
    assert_eq!((tables.mean, tables.axes), (self::tables().mean, self::tables().axes));
    assert_eq!(tables.sample.expect("a sample").points, [127, 0, -64, 127]);
}

#[test]
fn sound_models_pass_the_check() {
    let combined = |model: NoveltyModel| NoveltyModel { method: NoveltyMethod::Combined, weight: Some(0.1), ..model };
    for model in
        [mahalanobis(), neighbors(), combined(mahalanobis()), combined(neighbors()), NoveltyModel::energy([-3.0, -3.0])]
    {
        model.check(&output(Activation::Softmax)).unwrap_or_else(|error| panic!("{model:?}: {error}"));
        let json = serde_json::to_string(&model).expect("string keys");
        assert_eq!(serde_json::from_str::<NoveltyModel>(&json).expect("its own"), model);
    }
}

#[test]
fn check_refuses_wrong_statistics() {
    let text = refused(mahalanobis(), ".statistics", |m| m.statistics.push('!'));
    assert!(text.contains("is not base64"), "{text}");
    let bytes = bytes_of(&mahalanobis());
    for length in [0, 1, bytes.len() - 1, bytes.len() + 1] {
        let mut other = bytes.clone();
        other.resize(length, 0);
        let text = refused(with_bytes(mahalanobis(), &other), ".statistics", |_| ());
        assert!(text.contains("is no length of tables of 2 dimensions: 12 bytes a feature"), "{text}");
    }
    let text = refused(neighbors(), ".statistics", |m| m.sample = Some(3));
    assert!(text.contains("and 14 of a sample of 3"), "{text}");
    refused(mahalanobis(), ".statistics", |m| m.statistics = "A".repeat(MAX_STATISTICS_BYTES + 4));
    for (at, what) in [(0, "not finite"), (12, "scale that is not"), (24, "not finite")] {
        let mut hostile = bytes.clone();
        hostile[at..at + 4].copy_from_slice(&[0xff; 4]);
        let text = refused(with_bytes(mahalanobis(), &hostile), ".statistics", |_| ());
        assert!(text.contains(what), "{text}");
    }
    let mut zero = bytes.clone();
    zero[12..16].fill(0);
    refused(with_bytes(mahalanobis(), &zero), ".statistics", |_| ());
    let mut negative = bytes_of(&neighbors());
    negative[39] |= 0x80;
    refused(with_bytes(neighbors(), &negative), ".statistics", |_| ());
}

#[test]
fn check_refuses_wrong_dimensions_and_samples() {
    refused(mahalanobis(), ".dimensions", |m| m.dimensions = 0);
    // 8 + 2 · 14 bytes are one feature of 14 dimensions.
    let text = refused(mahalanobis(), ".dimensions", |m| m.dimensions = 14);
    assert!(text.contains("is 14, but the statistics are of 1 features"), "{text}");
    refused(mahalanobis(), ".statistics", |m| m.dimensions = u32::MAX);
    refused(neighbors(), ".statistics", |m| {
        (m.dimensions, m.sample, m.neighbors) = (u32::MAX, Some(u32::MAX), Some(1));
    });
    refused(neighbors(), ".sample", |m| (m.sample, m.neighbors) = (None, None));
    refused(neighbors(), ".sample", |m| m.sample = Some(0));
    refused(neighbors(), ".neighbors", |m| m.neighbors = None);
    refused(neighbors(), ".neighbors", |m| m.neighbors = Some(0));
    refused(neighbors(), ".neighbors", |m| m.neighbors = Some(3));
    refused(mahalanobis(), ".neighbors", |m| m.neighbors = Some(1));
    refused(mahalanobis(), ".sample", |m| (m.sample, m.neighbors) = (Some(1), Some(1)));
}

#[test]
fn check_refuses_wrong_levels_features_and_weights() {
    refused(mahalanobis(), ".soft", |m| m.soft = 2.5);
    refused(mahalanobis(), ".soft", |m| m.soft = f32::NAN);
    refused(mahalanobis(), ".hard", |m| m.hard = f32::INFINITY);
    refused(mahalanobis(), ".features", |m| m.features.clear());
    refused(mahalanobis(), ".features", |m| m.features.push(String::new()));
    refused(mahalanobis(), ".features", |m| m.features.push("t".into()));
    refused(mahalanobis(), ".features", |m| m.features = (0..9).map(|i| i.to_string()).collect());
    refused(mahalanobis(), ".weight", |m| m.weight = Some(1.0));
    refused(mahalanobis(), ".weight", |m| m.method = NoveltyMethod::Combined);
    refused(mahalanobis(), ".weight", |m| (m.method, m.weight) = (NoveltyMethod::Combined, Some(0.0)));
    refused(NoveltyModel::energy([0.0, 1.0]), "", |m| m.dimensions = 1);
    refused(NoveltyModel::energy([0.0, 1.0]), "", |m| m.features.push("t".into()));
    let of_probabilities = NoveltyModel::energy([0.0, 1.0]).check(&output(Activation::None)).expect_err("refused");
    assert!(of_probabilities.to_string().contains("needs logits"), "{of_probabilities}");
    mahalanobis().check(&output(Activation::None)).expect("a distance needs no logits");
}

#[test]
fn new_refuses_tables_that_do_not_fit() {
    let of =
        |tables: &NoveltyTables| NoveltyModel::new(NoveltyMethod::Mahalanobis, vec!["t".into()], tables, [1.0, 2.0]);
    let refused = |tables: NoveltyTables| of(&tables).expect_err("refused").to_string();
    refused(NoveltyTables::new(vec![], vec![], vec![]));
    refused(NoveltyTables { scale: vec![1.0], ..tables() });
    refused(NoveltyTables { axes: vec![1.0; 7], ..tables() });
    refused(NoveltyTables { axes: vec![70000.0; 6], ..tables() });
    refused(NoveltyTables { mean: vec![f64::MAX; 3], ..tables() });
    refused(NoveltyTables { scale: vec![1e-50; 3], ..tables() });
    refused(NoveltyTables { sample: Some(NoveltySample::new(1, 3, &[1.0; 3])), ..tables() });
    let wide = NoveltyTables::new(vec![0.0; 300], vec![1.0; 300], vec![0.5; 300 * 300]);
    assert!(refused(wide).contains("at most 200000"));
}
