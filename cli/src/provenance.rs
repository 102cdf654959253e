//! Which pictures a model learned from, and which it was calibrated on, as its manifest lists them: by the first 16 hex
//! digits of the SHA-256 of each file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bedside::Manifest;
use sha2::{Digest, Sha256};

/// The longest file that is taken for a picture, in bytes.
pub(crate) const MAX_FILE_BYTES: u64 = 256 << 20;

/// The field of `provenance` that lists the pictures which the model learned from.
pub(crate) const LEARNED: &str = "training_sha256";

/// The field of `provenance` that lists the pictures which the model itself scored for its calibration.
pub(crate) const CALIBRATED_ON: &str = "calibration_sha256";

/// The pictures that the model learned from: none where there is no list.
///
/// # Errors
/// A sentence where the list is none of such texts.
pub(crate) fn learned(manifest: &Manifest) -> Result<BTreeSet<String>, String> {
    listed(manifest, LEARNED)
}

/// The pictures that the model was calibrated on: none where there is no list.
///
/// # Errors
/// As [`learned`].
pub(crate) fn calibrated_on(manifest: &Manifest) -> Result<BTreeSet<String>, String> {
    listed(manifest, CALIBRATED_ON)
}

fn listed(manifest: &Manifest, field: &str) -> Result<BTreeSet<String>, String> {
    let Some(found) = manifest.provenance().get(field) else { return Ok(BTreeSet::new()) };
    let prefix = |value: &serde_json::Value| {
        let text = value.as_str().filter(|text| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some(text.to_ascii_lowercase())
    };
    let all = found.as_array().and_then(|list| list.iter().map(prefix).collect::<Option<BTreeSet<String>>>());
    all.ok_or_else(|| format!("`provenance.{field}` is not a list of texts of 16 hex digits"))
}

/// How the lists name a picture: the first 16 hex digits of the SHA-256 of its file.
pub(crate) fn prefix(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
