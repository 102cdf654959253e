//! The calibrated model: the same graph with another calibration in its manifest.

use std::collections::BTreeSet;
use std::path::Path;

use bedside::manifest::METADATA_KEY;
use bedside::{Classifier, Manifest, Options, tools};
use bedside_engine::ModelFile;
use serde_json::{Map, Value, json};

use crate::check::run_once;
use crate::output::Failure;
use crate::pack::write_whole;
use crate::provenance::CALIBRATED_ON;

/// Writes the model with these fields of its calibration in place of what they replace, and runs it before that. `own` are
/// the hashes of the pictures that the model itself scored.
pub(super) fn write(
    file: ModelFile,
    manifest: &Manifest,
    fitted: Map<String, Value>,
    own: &BTreeSet<String>,
    output: &Path,
) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", output.display()));
    let text = file.metadata(METADATA_KEY).map_or_else(|| manifest.to_json(), str::to_owned);
    let mut json: Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    let before = json.get_mut("calibration").and_then(Value::as_object_mut).map(std::mem::take).unwrap_or_default();
    json["calibration"] = Value::Object(merged(before, fitted));
    set_calibrated_on(&mut json, own);
    let bytes = with_manifest(file, json.to_string());
    let classifier =
        Classifier::from_bytes(&bytes, Options::default()).map_err(|error| tools::in_file(error, output))?;
    run_once(&classifier)?;
    classifier.self_test()?;
    write_whole(output, &bytes)
}

/// Lists the pictures, or removes the list of an earlier calibration.
fn set_calibrated_on(manifest: &mut Value, own: &BTreeSet<String>) {
    if own.is_empty() {
        if let Some(provenance) = manifest.get_mut("provenance").and_then(Value::as_object_mut) {
            provenance.remove(CALIBRATED_ON);
        }
    } else {
        manifest["provenance"][CALIBRATED_ON] = json!(own);
    }
}

/// What was there, with all that was fitted in place of it. A temperature, or a scale and bias, and thresholds are all
/// fitted together, so that none of those stays.
fn merged(mut before: Map<String, Value>, fitted: Map<String, Value>) -> Map<String, Value> {
    for field in ["temperature", "scale", "bias", "prevalence", "thresholds", "action", "no_sign"] {
        before.remove(field);
    }
    before.extend(fitted);
    before
}

fn with_manifest(file: ModelFile, json: String) -> Vec<u8> {
    match file {
        ModelFile::Onnx(mut graph) => {
            graph.set_metadata(METADATA_KEY, json);
            graph.to_bytes()
        }
        ModelFile::Prepared(mut prepared) => {
            prepared.set_metadata(METADATA_KEY, json);
            prepared.to_bytes()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_of_pictures_is_that_of_this_calibration() {
        let mut manifest = json!({"name": "m"});
        let own = BTreeSet::from(["00".to_owned(), "ff".to_owned()]);
        set_calibrated_on(&mut manifest, &own);
        assert_eq!(manifest, json!({"name": "m", "provenance": {"calibration_sha256": ["00", "ff"]}}));
        manifest["provenance"]["recipe"] = json!("r");
        set_calibrated_on(&mut manifest, &BTreeSet::new());
        assert_eq!(manifest, json!({"name": "m", "provenance": {"recipe": "r"}}));
    }

    #[test]
    fn merged_keeps_what_was_not_fitted() {
        let map = |value: Value| value.as_object().cloned().expect("an object");
        let before = map(json!({"temperature": 2.0, "quality": {"dark": {"max": 0.75}}, "action": 0.3}));
        let found = merged(before, map(json!({"scale": [1.0], "bias": [0.0]})));
        assert_eq!(Value::Object(found), json!({"quality": {"dark": {"max": 0.75}}, "scale": [1.0], "bias": [0.0]}));
    }
}
