//! What was fitted, as a manifest has it.

use serde_json::{Map, Value, json};

use super::quality::Limits;
use super::{Fitted, Scaling};

/// The manifest's `calibration` on the graph of this SHA-256: all that [`fit`](super::fit) finds. `fitted_on` says in a
/// sentence which pictures it was fitted on. Novelty, whose tables the crate `bedside` rounds, is the caller's to add.
///
/// Numbers are written with no more digits than an f32 has.
#[must_use]
pub fn calibration(fitted: &Fitted, graph_sha256: &str, fitted_on: &str) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("graph_sha256".to_owned(), json!(graph_sha256));
    map.insert("fitted_on".to_owned(), json!(fitted_on));
    map.insert("unit".to_owned(), json!(if fitted.is_grouped { "patient" } else { "picture" }));
    match fitted.scaling.scalings.model() {
        Scaling::Temperature(t) => _ = map.insert("temperature".to_owned(), number(*t)),
        Scaling::Labels { scale, bias } => {
            map.insert("scale".to_owned(), numbers(scale));
            map.insert("bias".to_owned(), numbers(bias));
        }
    }
    if let Some(prevalence) = &fitted.prevalence {
        map.insert("prevalence".to_owned(), numbers(prevalence));
    }
    let threshold = |class: &super::FittedClass| {
        let mut json = json!({"at": number(class.at)});
        if class.patients > 0 {
            // Of nobody nothing is stated.
            (json["miss"], json["count"]) = (number(class.miss), json!(class.patients));
        }
        (class.id.clone(), json)
    };
    map.insert("thresholds".to_owned(), Value::Object(fitted.classes.iter().map(threshold).collect()));
    if let Some(action) = fitted.action {
        map.insert("action".to_owned(), number(action.at));
    }
    map.insert("no_sign".to_owned(), json!(fitted.no_sign.is_allowed));
    if let Some(quality) = &fitted.quality {
        map.insert("quality".to_owned(), limits(&quality.limits));
    }
    map
}

fn limits(limits: &Limits) -> Value {
    let (min, max) = (|value| json!({"min": number(value)}), |value| json!({"max": number(value)}));
    let mut json = json!({
        "focus": min(limits.focus),
        "dark": max(limits.dark),
        "bright": max(limits.bright),
        "contrast": min(limits.contrast),
        "size": min(limits.size),
    });
    if let Some(color) = limits.color {
        json["color"] = json!(color);
    }
    json
}

fn numbers(values: &[f64]) -> Value {
    values.iter().map(|v| number(*v)).collect()
}

/// The f32 nearest to a value, in its shortest decimal form.
fn number(value: f64) -> Value {
    let shortest = (value as f32).to_string();
    shortest.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map_or(Value::Null, Value::Number)
}
