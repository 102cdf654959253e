//! How a picture lies, by what every container can say, held against Pillow's `ImageOps.exif_transpose`.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;

use super::{decoded, golden, reference};

/// A line of `orientation/cases.json`.
#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    orientation: u8,
}

#[test]
fn an_encoded_picture_is_turned_as_by_pillow() {
    let cases: Vec<Case> = serde_json::from_slice(&golden("orientation/cases.json")).expect("cases");
    let upright: Vec<_> = (1..=8).map(|value| reference(&format!("orientation/{value}.ppm"))).collect();
    let mut wrong = Vec::new();
    for Case { name, file, orientation } in cases {
        let file = BASE64_STANDARD.decode(file).expect("base64");
        match decoded(&file) {
            Ok(picture) if picture == upright[usize::from(orientation) - 1] => {}
            Ok(picture) => {
                let found = upright.iter().position(|upright| *upright == picture).map(|at| at + 1);
                wrong.push(format!("{name}: {found:?}, not {orientation}"));
            }
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
