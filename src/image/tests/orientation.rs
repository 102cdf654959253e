//! Tests of the orientation in all containers' metadata, compared with Pillow's `ImageOps.exif_transpose`.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;

use super::{decoded, golden, reference};

/// An element of `orientation/cases.json`.
#[derive(Deserialize)]
struct Case {
    name: String,
    /// The encoded picture, in base64.
    file: String,
    /// The orientation that Pillow applies, as a value of the EXIF tag, 1…8.
    orientation: u8,
}

#[test]
fn decode_orients_as_pillow() {
    let cases: Vec<Case> = serde_json::from_slice(&golden("orientation/cases.json")).expect("cases");
    let upright: Vec<_> = (1..=8).map(|value| reference(&format!("orientation/{value}.ppm"))).collect();
    let mut wrong = Vec::new();
    for Case { name, file, orientation } in cases {
        let file = BASE64_STANDARD.decode(file).expect("base64");
        match decoded(&file) {
            Ok(picture) if picture == upright[usize::from(orientation) - 1] => {}
            Ok(picture) => {
                let found = upright.iter().position(|upright| *upright == picture).map(|index| index + 1);
                wrong.push(format!("{name}: {found:?}, not {orientation}"));
            }
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
