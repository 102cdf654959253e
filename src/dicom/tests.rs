//! Files that pydicom made, and what it shows of them (`tests/golden/dicom/make.py`).

use std::fs;

use serde_json::{Value, json};

use super::*;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/dicom/cases");

/// The cases, and the bytes that they lie in.
fn cases() -> (Vec<Value>, Vec<u8>) {
    let list = fs::read_to_string(format!("{CASES}.json")).expect("the list");
    (serde_json::from_str(&list).expect("JSON"), fs::read(format!("{CASES}.bin")).expect("the bytes"))
}

fn number(value: &Value, name: &str) -> usize {
    value[name].as_u64().unwrap_or_default() as usize
}

/// The bytes of a file, or of expected samples.
fn part<'b>(value: &Value, bytes: &'b [u8]) -> &'b [u8] {
    &bytes[number(value, "offset")..][..number(value, "length")]
}

fn window(case: &Value) -> Window {
    match &case["window"] {
        Value::Null => Window::First,
        Value::Number(number) => Window::Number(number.as_u64().expect("an index") as u32),
        values => Window::Values {
            center: values["center"].as_f64().expect("a number"),
            width: values["width"].as_f64().expect("a number"),
        },
    }
}

fn shown(case: &Value, source: Source<'_>) -> Result<Shown> {
    let choice = Choice { frame: number(case, "frame") as u64, window: window(case), is_whole: false };
    frame(source, choice, &Limits::new(), |_, _| Ok(()))
}

/// A case's file. Of one a part is written many times.
fn file<'b>(case: &Value, bytes: &'b [u8]) -> Cow<'b, [u8]> {
    let file = part(case, bytes);
    let Some(repeat) = case.get("repeat") else { return Cow::Borrowed(file) };
    let (start, length) = (number(repeat, "start"), number(repeat, "length"));
    let repeated = file[start..start + length].repeat(number(repeat, "times"));
    Cow::Owned([&file[..start], &repeated, &file[start + length..]].concat())
}

/// What is wrong with the outcome of a case, where a picture is expected.
fn wrong_picture(expected: &Value, bytes: &[u8], outcome: &Result<Shown>) -> Option<String> {
    let shown = match outcome {
        Ok(shown) => shown,
        Err(error) => return Some(error.to_string()),
    };
    let (size, samples) =
        ((number(expected, "width") as u32, number(expected, "height") as u32), part(expected, bytes));
    let far = |(a, b): (&u8, &u8)| usize::from(a.abs_diff(*b)) > number(expected, "tolerance");
    if shown.size != size || shown.pixels.len() != samples.len() {
        return Some(format!("{:?} with {} bytes, not {size:?}", shown.size, shown.pixels.len()));
    }
    let at = shown.pixels.iter().zip(samples).position(far)?;
    Some(format!("sample {at} is {}, not {}", shown.pixels[at], samples[at]))
}

/// What is wrong with what is looked at and told of a frame.
fn wrong_facts(wanted: &Value, shown: &Shown) -> Option<String> {
    let Facts { spacing, is_spacing_of_detector, is_burned_in, has_overlay, has_other_region } = shown.facts;
    let found = json!({
        "area": shown.area,
        "spacing": spacing.map(|[x, y]| [rounded(x), rounded(y)]),
        "at_detector": is_spacing_of_detector,
        "burned_in": is_burned_in,
        "overlay": has_overlay,
        "other_region": has_other_region,
    });
    let differs = |name: &&str| found[*name] != wanted[*name];
    let mut wrong: Vec<&str> =
        ["spacing", "at_detector", "burned_in", "overlay", "other_region"].into_iter().filter(differs).collect();
    let [left, top, right, bottom] = shown.area.map(u64::from);
    let edges =
        |name: &str| wanted[name].as_array().map(|edges| [0, 1, 2, 3].map(|i| edges[i].as_u64().expect("an edge")));
    let is_area_right = match (edges("area"), edges("inside"), edges("around")) {
        (Some(area), ..) => area == shown.area.map(u64::from),
        // Found by the pixels, to the squares that they are looked for in.
        (None, Some(outer), Some(inner)) => {
            left >= outer[0]
                && top >= outer[1]
                && right <= outer[2]
                && bottom <= outer[3]
                && left <= inner[0]
                && top <= inner[1]
                && right >= inner[2]
                && bottom >= inner[3]
        }
        _ => false,
    };
    if !is_area_right {
        wrong.push("area");
    }
    (!wrong.is_empty()).then(|| format!("{wrong:?}: {found}, not {wanted}"))
}

/// To nine digits behind the point, as far as the sums of centimetres go.
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

/// What is wrong with the outcome of a case, where an error is expected.
fn wrong_error(wanted: &Value, outcome: &Result<Shown>) -> Option<String> {
    let Err(error) = outcome else { return Some("read, where an error is expected".into()) };
    let kind = wanted["kind"].as_str().unwrap_or(error.kind().as_str());
    let text = error.message().to_lowercase();
    let has = |word: &Value| text.contains(word.as_str().expect("a word"));
    let has_words = wanted["says"].as_array().is_none_or(|words| words.iter().all(has));
    (error.kind().as_str() != kind || !has_words).then(|| format!("{}: {error}, not {wanted}", error.kind()))
}

#[test]
#[cfg_attr(miri, ignore = "miri opens no files; `cargo xtask test` runs it")]
fn frames_are_shown_as_pydicom_shows_them() {
    let (cases, bytes) = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let (name, file) = (case["name"].as_str().expect("a name"), file(case, &bytes));
        assert!(is_dicom(&file) || case["error"].is_object(), "{name} is not recognised");
        let outcome = shown(case, Source::Bytes(file));
        let as_picture = case.get("expected").map(|expected| wrong_picture(expected, &bytes, &outcome));
        let as_error = case.get("error").map(|wanted| wrong_error(wanted, &outcome));
        // Where both are stated, either will do.
        if as_picture != Some(None) && as_error != Some(None) {
            let said = as_picture.or(as_error).flatten().expect("each case states one");
            wrong.push(format!("{name}: {said}"));
        }
        if let (Some(wanted), Ok(shown)) = (case.get("looked_at"), &outcome) {
            wrong.extend(wrong_facts(wanted, shown).map(|said| format!("{name}: {said}")));
        }
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() > 400);
}

#[test]
#[cfg_attr(miri, ignore = "miri opens no files; `cargo xtask test` runs it")]
fn files_are_read_from_disk_as_from_memory() {
    let (cases, bytes) = cases();
    for case in &cases {
        let file = file(case, &bytes);
        let mut on_disk = tempfile::tempfile().expect("a file");
        std::io::Write::write_all(&mut on_disk, &file).expect("written");
        let open = OpenFile::new(on_disk, file.len() as u64);
        let outcomes = [Source::Bytes(Cow::Borrowed(&file)), Source::File(&open)]
            .map(|source| shown(case, source).map(|shown| shown.pixels).map_err(|error| error.to_string()));
        assert_eq!(outcomes[0], outcomes[1], "{}", case["name"]);
    }
}

/// Neither a file that ends early nor one with a wrong byte may do more than fail.
#[test]
#[cfg_attr(miri, ignore = "miri opens no files; `cargo xtask test` runs it")]
fn damaged_files_are_errors_or_pictures() {
    let (cases, bytes) = cases();
    let mut failures = 0;
    for case in &cases {
        let file = part(case, &bytes);
        // Places that differ from file to file.
        let places = (1..24).map(|step| (step * 7919 + file.len() * 31) % file.len().max(1));
        for place in places {
            failures += usize::from(shown(case, Source::Bytes(Cow::Borrowed(&file[..place]))).is_err());
            let mut changed = file.to_vec();
            changed[place] ^= 0x55;
            failures += usize::from(shown(case, Source::Bytes(Cow::Owned(changed))).is_err());
        }
    }
    assert!(failures > 1000);
}
