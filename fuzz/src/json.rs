//! A mutator whose results stay JSON, with words of the manifest's schema. Whether they stay a manifest is left to
//! chance.

use serde_json::{Map, Number, Value};

use crate::bytes::mutated;
use crate::random::Random;

/// Names and values of the manifest's schema, and values that are close to them.
const WORDS: &[&str] = &[
    "bedside",
    "requires",
    "kind",
    "name",
    "version",
    "license",
    "title",
    "intended_use",
    "not_for",
    "provenance",
    "scope",
    "input",
    "output",
    "calibration",
    "golden",
    "id",
    "question",
    "required",
    "min",
    "max",
    "tensor",
    "color",
    "width",
    "height",
    "resize",
    "mean",
    "std",
    "policy",
    "shorter_side",
    "filter",
    "fill",
    "activation",
    "multi_label",
    "labels",
    "operating_point",
    "triage",
    "graph_sha256",
    "fitted_on",
    "temperature",
    "prevalence",
    "by",
    "image",
    "scores",
    "rgb",
    "bgr",
    "gray",
    "stretch",
    "crop",
    "letterbox",
    "bilinear",
    "bicubic",
    "softmax",
    "sigmoid",
    "none",
    "no_sign",
    "refer",
    "urgent",
    "lab",
    "self",
    "en",
    "uk",
    "1.0",
    "1",
    "1.7",
    "2.0",
    "",
    " ",
    "a",
    "Ab",
    "output.labels.triage",
    "input.width.x",
    "0000000000000000000000000000000000000000000000000000000000000000",
];

/// Changes values of a text that is JSON. Once in eight times, and where the text is no JSON, changes its bytes
/// instead.
pub fn mutate(text: &[u8], max_len: usize, seed: u32) -> Vec<u8> {
    let mut random = Random::new(seed);
    let parsed = serde_json::from_slice::<Value>(text);
    match parsed {
        Ok(mut value) if !random.once_in(8) => {
            for _ in 0..=random.below(3) {
                change(&mut value, &mut random);
            }
            value.to_string().into_bytes()
        }
        _ => mutated(text, max_len),
    }
}

/// Changes one value inside a value, at a random depth.
pub fn change(value: &mut Value, random: &mut Random) {
    let down = !random.once_in(4);
    match value {
        Value::Object(fields) if down && !fields.is_empty() => {
            let at = random.below(fields.len());
            let chosen = fields.values_mut().nth(at).expect("there are so many");
            change(chosen, random);
        }
        Value::Array(items) if down && !items.is_empty() => {
            change(random.of_mut(items).expect("there are some"), random);
        }
        Value::Object(fields) => change_fields(fields, random),
        Value::Array(items) => change_items(items, random),
        Value::Number(number) if !random.once_in(6) => *number = other_number(number, random),
        Value::String(text) if !random.once_in(6) => *text = other_text(text, random),
        Value::Bool(flag) if !random.once_in(4) => *flag = !*flag,
        other => *other = any(random, 2),
    }
}

fn change_fields(fields: &mut Map<String, Value>, random: &mut Random) {
    let names: Vec<String> = fields.keys().cloned().collect();
    match (random.below(4), random.of(&names)) {
        (0, Some(name)) => drop(fields.remove(name)),
        (1, Some(name)) => {
            let value = fields.remove(name).expect("it is there");
            fields.insert(word(random), value);
        }
        (2, Some(name)) => {
            let value = fields[name].clone();
            fields.insert(word(random), value);
        }
        _ => drop(fields.insert(word(random), any(random, 2))),
    }
}

fn change_items(items: &mut Vec<Value>, random: &mut Random) {
    let at = random.below(items.len());
    match random.below(4) {
        0 if !items.is_empty() => drop(items.remove(at)),
        1 if !items.is_empty() => items.insert(at, items[at].clone()),
        2 if items.len() > 1 => items.swap(0, at),
        _ => items.push(any(random, 2)),
    }
}

fn other_number(number: &Number, random: &mut Random) -> Number {
    if let Some(whole) = number.as_i64().filter(|_| !random.once_in(4)) {
        return random.number(whole).into();
    }
    let near = number.as_f64().unwrap_or_default();
    let float = match random.below(6) {
        0 => near * 2.0,
        1 => 1.0 - near,
        2 => f64::from_bits(near.to_bits() ^ (1 << random.below(64))),
        3 => [1e-40, 1e39, 1e300, -1e-300, 0.0, 1.0][random.below(6)],
        _ => f64::from(random.float(near as f32)),
    };
    Number::from_f64(float).unwrap_or_else(|| 0.into())
}

fn other_text(text: &str, random: &mut Random) -> String {
    match random.below(4) {
        0 => word(random),
        1 => text.chars().skip(1).collect(),
        2 => format!("{text}{}", word(random)),
        _ => String::from_utf8_lossy(&mutated(text.as_bytes(), text.len() + 8)).into_owned(),
    }
}

fn word(random: &mut Random) -> String {
    (*random.of(WORDS).expect("there are some")).to_owned()
}

/// A new value, nested at most `depth` levels deep.
fn any(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => random.once_in(2).into(),
        2 => random.number(0).into(),
        3 => Number::from_f64(f64::from(random.float(0.5))).map_or(Value::Null, Value::from),
        4 => word(random).into(),
        5 => (0..random.below(4)).map(|_| any(random, depth - 1)).collect::<Vec<_>>().into(),
        _ => Value::Object((0..random.below(4)).map(|_| (word(random), any(random, depth - 1))).collect()),
    }
}
