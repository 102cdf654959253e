//! The manifest's JSON Schema and its reader agree: both accept the same manifests and refuse the same manifests.

mod tiny;

use bedside::{ErrorKind, Manifest, Triage};
use serde_json::{Value, json};
use tiny::manifest;

fn schema() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(bedside::manifest::SCHEMA).expect("JSON");
    jsonschema::validator_for(&schema).expect("a sound schema")
}

/// The plain manifest with the value at a JSON pointer replaced; its parents must exist.
fn with(pointer: &str, value: Value) -> Value {
    let mut manifest = manifest();
    let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
    let parent = manifest.pointer_mut(parent).expect("a parent");
    match parent {
        Value::Array(items) => items[field.parse::<usize>().expect("an index")] = value,
        object => object[field] = value,
    }
    manifest
}

/// The plain manifest with limits of a picture's quality.
fn limited(quality: Value) -> Value {
    with("/calibration", json!({"graph_sha256": "0".repeat(64), "quality": quality}))
}

/// The plain manifest without the field at a JSON pointer.
fn without(pointer: &str) -> Value {
    let mut manifest = manifest();
    let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
    manifest.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").remove(field);
    manifest
}

/// The plain manifest with a novelty of one feature and one dimension (mean 0, scale 1, axis 1), with the value of a field
/// replaced.
fn with_novelty(field: &str, value: Value) -> Value {
    let statistics = "AAAAAAAAgD8APA==";
    let mut novelty = json!({"method": "mahalanobis", "features": ["t"], "dimensions": 1, "statistics": statistics,
                             "soft": 1.2, "hard": 1.4});
    novelty[field] = value;
    with("/calibration", json!({"graph_sha256": "0".repeat(64), "novelty": novelty}))
}

#[test]
fn schema_and_reader_accept_sound_manifests() {
    let schema = schema();
    let sound = [
        manifest(),
        with("/title", json!({"en": "T", "uk": "Т"})),
        with("/requires", json!(["scope", "input.resize.fill", "output.labels.triage", "kind"])),
        with("/scope", json!([{"id": "age", "min": 1, "max": 5, "required": true}])),
        with("/input/resize", json!({"policy": "crop", "shorter_side": 36, "filter": "bilinear"})),
        with("/input/resize", json!({"policy": "letterbox", "fill": 114})),
        with("/output/labels/1/operating_point", json!(0)),
        with(
            "/calibration",
            json!({"graph_sha256": "0".repeat(64), "temperature": 1.3, "prevalence": [0.2, 0.13, 0.67]}),
        ),
        with(
            "/calibration",
            json!({"graph_sha256": "0".repeat(64), "unit": "patient", "scale": [1.0, 2.0, 0.5], "bias": [0.0, -1.0, 0.5],
                   "thresholds": {"a": {"at": 0.04, "miss": 0.02, "count": 400}}, "action": 0.11, "no_sign": true}),
        ),
        with("/advice", json!({"urgent": {"en": "A doctor today."}, "refer": {}})),
        with(
            "/scope",
            json!([{"id": "bleeds", "role": "danger", "level": "urgent"}, {"id": "ready", "role": "scope"}]),
        ),
        with(
            "/output/groups",
            json!([{"id": "a", "name": {"en": "A or B"}, "labels": ["a", "b"], "triage": "unassessed"}]),
        ),
        limited(json!({})),
        limited(json!({
            "focus": {"min": 0.26}, "dark": {"max": 0.75}, "bright": {"max": 0}, "contrast": {"min": 1}, "size": {"min": 0.5},
            "color": "rgb",
        })),
        limited(json!({"color": "gray"})),
        with("/requires", json!(["calibration.quality", "calibration.quality.focus.min", "calibration.quality.color"])),
        with_novelty("root", json!(true)),
        with_novelty("soft", json!(1.4)),
        with(
            "/calibration",
            json!({"graph_sha256": "0".repeat(64), "novelty": {"method": "energy", "soft": -3, "hard": -1.5}}),
        ),
        with("/explanation", json!({"features": "/features/18/Relu_output_0", "weights": "classifier.1.weight"})),
        with("/golden", json!({"by": "self", "input": {"image": ""}, "scores": [0.1, 0.2, 0.7]})),
        with("/a_field_of_tomorrow", json!({"x": 1})),
    ];
    for manifest in sound {
        assert!(schema.is_valid(&manifest), "schema refuses {manifest}");
        if let Err(error) = Manifest::from_json(&manifest.to_string()) {
            panic!("{error}: {manifest}");
        }
    }
}

#[test]
fn schema_and_reader_refuse_unsound_manifests_and_the_reader_names_the_field() {
    let schema = schema();
    let unsound = [
        ("bedside", with("/bedside", json!("2.0"))),
        ("bedside", with("/bedside", json!(1.0))),
        ("bedside", without("/bedside")),
        ("bedside", with("/bedside", json!("1.x"))),
        ("bedside", with("/bedside", json!("1."))),
        ("calibration", with("/calibration", json!(null))),
        ("output.tensor", with("/output/tensor", json!(null))),
        ("output.labels[1].operating_point", with("/output/labels/1/operating_point", json!(null))),
        ("kind", with("/kind", json!("mask"))),
        ("kind", without("/kind")),
        ("name", with("/name", json!("Skin Lesion"))),
        ("version", with("/version", json!(""))),
        ("license", without("/license")),
        ("title", with("/title", json!("a title"))),
        ("input", without("/input")),
        ("input.width", with("/input/width", json!(0))),
        ("input.width", with("/input/width", json!(100_000))),
        ("input.width", with("/input/width", json!("32"))),
        ("input.height", with("/input/height", json!(-1))),
        ("input.color", with("/input/color", json!("cmyk"))),
        ("input.mean", with("/input/mean", json!([]))),
        ("input.std", with("/input/std", json!([0.2, 0.0, 0.2]))),
        ("mean", without("/input/mean")),
        ("input.resize.policy", with("/input/resize", json!({"policy": "squeeze"}))),
        ("input.resize.filter", with("/input/resize", json!({"policy": "stretch", "filter": "lanczos"}))),
        ("output.activation", with("/output/activation", json!("relu"))),
        ("output.labels", with("/output/labels", json!([]))),
        ("output.labels[1].id", with("/output/labels/1/id", json!("Label B"))),
        ("output.labels[1]", with("/output/labels/1", json!({"id": "b"}))),
        ("output.labels[1].name", with("/output/labels/1/name", json!({"uk": "Б"}))),
        ("output.labels[0].operating_point", with("/output/labels/0/operating_point", json!(1.5))),
        ("output.labels[0].triage", with("/output/labels/0/triage", json!("soon"))),
        ("calibration.graph_sha256", with("/calibration", json!({"graph_sha256": "ABC"}))),
        ("calibration", with("/calibration", json!({"temperature": 1.0}))),
        ("calibration.temperature", with("/calibration", json!({"graph_sha256": "0".repeat(64), "temperature": 0}))),
        (
            "calibration.prevalence",
            with("/calibration", json!({"graph_sha256": "0".repeat(64), "prevalence": [1.0, 0.0, 0.0]})),
        ),
        ("calibration.quality.focus", limited(json!({"focus": {}}))),
        ("calibration.quality.focus", limited(json!({"focus": {"min": 0.2, "max": 0.9}}))),
        ("calibration.quality.dark", limited(json!({"dark": {"min": 0.2}}))),
        ("calibration.quality.dark.max", limited(json!({"dark": {"max": 1.1}}))),
        ("calibration.quality.bright.max", limited(json!({"bright": {"max": -0.1}}))),
        ("calibration.quality.contrast", limited(json!({"contrast": {"max": 0.5}}))),
        ("calibration.quality.contrast.min", limited(json!({"contrast": {"min": 2}}))),
        ("calibration.quality.size.min", limited(json!({"size": {"min": -1}}))),
        ("calibration.quality.size.min", limited(json!({"size": {"min": null}}))),
        ("calibration.quality.color", limited(json!({"color": "red"}))),
        ("calibration.quality", limited(json!([]))),
        ("calibration.novelty.method", with_novelty("method", json!("distance"))),
        ("calibration.novelty.features", with_novelty("features", json!(["t", "t"]))),
        ("calibration.novelty.statistics", with_novelty("statistics", json!("A".repeat(200_004)))),
        ("calibration.novelty.weight", with_novelty("weight", json!(0))),
        ("calibration.novelty", with_novelty("sample", json!(0))),
        ("calibration.novelty.dimensions", with_novelty("dimensions", json!(-1))),
        ("explanation", with("/explanation", json!({"features": "f"}))),
        ("explanation.weights", with("/explanation", json!({"features": "f", "weights": ""}))),
        ("explanation", with("/explanation", json!(["f", "w"]))),
        ("golden.scores", with("/golden", json!({"by": "lab", "input": {"image": ""}, "scores": [2.0, 0.0, 0.0]}))),
        ("golden.by", with("/golden", json!({"by": "me", "input": {"image": ""}, "scores": [1.0, 0.0, 0.0]}))),
        ("scope[0].id", with("/scope", json!([{"id": ""}]))),
        ("scope[0].role", with("/scope", json!([{"id": "x", "role": "alarm"}]))),
        ("scope[0].level", with("/scope", json!([{"id": "x", "role": "danger", "level": "no_sign"}]))),
        ("advice.refer", with("/advice", json!({"refer": {"uk": "Лікар"}}))),
        ("output.groups[0].labels", with("/output/groups", json!([group("g", &[])]))),
        (
            "calibration.thresholds.a.miss",
            with(
                "/calibration",
                json!({"graph_sha256": "0".repeat(64), "thresholds": {"a": {"at": 0.1, "miss": 1.0}}}),
            ),
        ),
        ("calibration.action", with("/calibration", json!({"graph_sha256": "0".repeat(64), "action": 0}))),
        ("input.resize", with("/input/resize", json!(["stretch"]))),
        ("calibration", with("/calibration", json!(["0".repeat(64)]))),
        ("golden.input", with("/golden", json!({"by": "lab", "input": [""], "scores": [0.2, 0.2, 0.6]}))),
        ("output.labels[2]", with("/output/labels/2", json!(["c", {"en": "Label C"}]))),
        ("scope[0]", with("/scope", json!([["age"]]))),
    ];
    for (field, manifest) in unsound {
        assert!(!schema.is_valid(&manifest), "schema takes {manifest}");
        refused(field, &manifest);
    }
}

/// Contradictions that JSON Schema can't express.
#[test]
fn reader_refuses_contradictory_manifests() {
    let hash = "0".repeat(64);
    let contradictions = [
        ("output.labels[1].id", with("/output/labels/1/id", json!("a"))),
        ("output.labels[1].name.uk", with("/output/labels/1/name", json!({"en": "B", "uk": " "}))),
        ("output.labels[1].name.en", with("/output/labels/1/name", json!({"EN": "B", "en": "B"}))),
        ("output.labels[1].name.en", with("/output/labels/1/name", json!({"en": "B\u{1b}[2J"}))),
        ("title.en", with("/title", json!({"en": "two\nlines"}))),
        ("version", with("/version", json!("1\n2"))),
        ("scope[0].level", with("/scope", json!([{"id": "x", "level": "urgent"}]))),
        ("scope[0].level", with("/scope", json!([{"id": "x", "role": "danger"}]))),
        (
            "scope[0].required",
            with("/scope", json!([{"id": "x", "role": "danger", "level": "refer", "required": true}])),
        ),
        ("scope[0]", with("/scope", json!([{"id": "x", "role": "danger", "level": "refer", "min": 1}]))),
        ("output.groups[0].labels", with("/output/groups", json!([group("g", &["a", "d"])]))),
        ("output.groups[1].labels", with("/output/groups", json!([group("g", &["a"]), group("h", &["a", "b"])]))),
        ("output.groups[1].id", with("/output/groups", json!([group("g", &["a"]), group("g", &["b"])]))),
        ("output.groups", with("/output/groups", json!([group("c", &["a", "b"])]))),
        (
            "calibration.temperature",
            with("/calibration", json!({"graph_sha256": hash, "temperature": 1.0, "bias": [0.0, 0.0, 0.0]})),
        ),
        ("calibration.scale", with("/calibration", json!({"graph_sha256": hash, "scale": [1.0, 1.0]}))),
        (
            "calibration.thresholds.d",
            with("/calibration", json!({"graph_sha256": hash, "thresholds": {"d": {"at": 0.1}}})),
        ),
        ("scope[1].id", with("/scope", json!([{"id": "x"}, {"id": "x"}]))),
        ("scope[0]", with("/scope", json!([{"id": "age", "min": 5, "max": 1}]))),
        ("input.mean", with("/input/mean", json!([0.5]))),
        ("input.resize.shorter_side", with("/input/resize", json!({"policy": "stretch", "shorter_side": 40}))),
        ("input.resize.shorter_side", with("/input/resize", json!({"policy": "crop", "shorter_side": 20}))),
        ("input.resize.fill", with("/input/resize", json!({"policy": "crop", "fill": 0}))),
        ("output.multi_label", with("/output/multi_label", json!(true))),
        ("calibration.prevalence", with("/calibration", json!({"graph_sha256": hash, "prevalence": [0.5, 0.5]}))),
        ("calibration.prevalence", with("/calibration", json!({"graph_sha256": hash, "prevalence": [0.5, 0.5, 0.5]}))),
        ("calibration.novelty.soft", with_novelty("soft", json!(1.5))),
        ("calibration.novelty.dimensions", with_novelty("dimensions", json!(0))),
        ("calibration.novelty.statistics", with_novelty("statistics", json!("AAAA"))),
        ("calibration.novelty.statistics", with_novelty("statistics", json!("no base64"))),
        ("calibration.novelty.sample", with_novelty("method", json!("nearest_neighbors"))),
        ("golden.scores", with("/golden", json!({"by": "lab", "input": {"image": ""}, "scores": [1.0]}))),
        ("requires", with("/requires", json!(["a_field_of_tomorrow"]))),
    ];
    for (field, manifest) in contradictions {
        refused(field, &manifest);
    }
}

fn group(id: &str, labels: &[&str]) -> Value {
    json!({"id": id, "name": {"en": "A group"}, "labels": labels})
}

fn refused(field: &str, manifest: &Value) {
    let Err(error) = Manifest::from_json(&manifest.to_string()) else { panic!("the reader takes {manifest}") };
    assert_eq!(error.kind(), ErrorKind::InvalidManifest);
    assert!(error.to_string().contains(field), "\"{error}\" does not name {field}");
}

#[test]
fn manifest_survives_writing_and_reading() {
    let manifest = Manifest::from_json(&manifest().to_string()).expect("sound");
    assert_eq!(Manifest::from_json(&manifest.to_json()).expect("sound"), manifest);
}

#[test]
fn invalid_json_is_refused_with_its_line() {
    for text in ["", "{", "[]", "{\"bedside\": }", "null"] {
        let error = Manifest::from_json(text).map(|_| ()).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::InvalidManifest, "{text}");
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}

#[test]
fn manifest_that_is_a_list_is_refused() {
    let fields = ["bedside", "requires", "kind", "name", "version", "license", "title", "intended_use", "not_for"];
    let mut values: Vec<Value> =
        fields.iter().map(|field| manifest().get(*field).cloned().unwrap_or_default()).collect();
    values[1] = json!([]);
    values[6..].fill(json!({"en": "words"}));
    values.extend([json!({}), json!([]), manifest()["input"].clone(), manifest()["output"].clone()]);
    let listed = Value::Array(values);
    assert!(!schema().is_valid(&listed));
    let error = Manifest::from_json(&listed.to_string()).expect_err("a list");
    assert_eq!(error.kind(), ErrorKind::InvalidManifest);
}

/// Without a limit on values, a free-form field of a few megabytes of JSON would take gigabytes of memory.
#[test]
fn manifest_of_too_many_bytes_or_values_is_too_large() {
    let of = |provenance: Value| Manifest::from_json(&with("/provenance", provenance).to_string());
    assert!(of(json!({"data": "x".repeat((16 << 20) - 4096)})).is_ok());
    let error = of(json!({"data": "x".repeat(16 << 20)})).expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("the limit is 16777216"), "{error}");
    assert!(of(json!({"data": vec![0; 130_000]})).is_ok());
    for values in [json!(vec![0; 131_073]), json!(vec![json!({}); 131_073]), json!(vec![json!([]); 131_073])] {
        let error = of(json!({"data": values})).expect_err("too many");
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.to_string().contains("the limit is 131072"), "{error}");
    }
}

/// Words with which an advice would reassure, in English and in Ukrainian, as parts of words.
const REASSURING: [&str; 16] = [
    "benign",
    "healthy",
    "no cancer",
    "no need",
    "worry",
    "all clear",
    "is safe",
    "likely",
    "probably",
    "normal",
    "доброякісн",
    "здоров",
    " безпечна",
    "не хвилю",
    "ймовірно",
    "немає рак",
];

fn reassures(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    REASSURING.into_iter().find(|word| text.contains(word))
}

#[test]
fn no_advice_of_a_shipped_model_reassures() {
    assert_eq!(reassures("Probably benign."), Some("benign"));
    for model in ["skin-photo", "skin-lesion", "breast-ultrasound", "chest-xray"] {
        let path = format!("{}/models/{model}/manifest.json", env!("CARGO_MANIFEST_DIR"));
        let manifest = Manifest::from_json(&std::fs::read_to_string(&path).expect("it is there")).expect("it is sound");
        for language in ["en", "uk"] {
            for level in [Triage::NoSign, Triage::Unassessed, Triage::Refer, Triage::Urgent] {
                let advice = manifest.advice(level, language);
                assert_eq!(reassures(advice), None, "{model}: {advice}");
            }
        }
        // A time by which to act, at each level that sends somebody.
        for level in [Triage::Refer, Triage::Urgent] {
            let advice = manifest.advice(level, "en");
            assert!(advice.contains("within") || advice.contains("today"), "{model}: {advice}");
        }
    }
}
