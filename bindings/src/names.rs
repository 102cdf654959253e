//! The names and defaults that all languages share, in `bindings/names.json`, held against Rust's here and against each
//! language's own in its tests.

use std::collections::BTreeMap;

use bedside::{ErrorKind, Image, Limits, Options, Query, ReasonKind, Rotation, Triage, Verdict};
use serde_json::{Value, json};

/// The fields of a struct by name. A field that is left out does not compile.
macro_rules! fields {
    ($type:ident { $($field:ident),* }) => {{
        let $type { $($field: _),* } = $type::default();
        json!([$(stringify!($field)),*])
    }};
}

#[test]
fn the_shared_names_and_defaults_are_those_of_rust() {
    let shared: Value = serde_json::from_str(include_str!("../names.json")).expect("JSON");
    let rust = json!({
        "error_kinds": ErrorKind::ALL.map(ErrorKind::as_str),
        "verdict_kinds": Verdict::KINDS,
        "reason_kinds": ReasonKind::ALL.map(ReasonKind::as_str),
        "triage": Triage::ALL.map(Triage::as_str),
        "options": fields!(Options { threads, limits }),
        "limits": fields!(Limits { max_declared_pixels, max_decoded_bytes, max_model_bytes }),
        "query": fields!(Query {
            max_results, score_threshold, allow, deny, language, region, prevalence, answers, cancel
        }),
        "defaults": {"options": options(), "query": query(), "frame_format": frame_format()},
    });
    assert_eq!(shared, rust);
}

/// The default options. Here too, a field that is left out does not compile.
fn options() -> Value {
    let Options { threads, limits } = Options::default();
    let Limits { max_declared_pixels, max_decoded_bytes, max_model_bytes } = limits;
    let limits = json!({
        "max_declared_pixels": max_declared_pixels,
        "max_decoded_bytes": max_decoded_bytes,
        "max_model_bytes": max_model_bytes,
    });
    json!({"threads": threads, "limits": limits})
}

/// The default query.
fn query() -> Value {
    let query = Query::default();
    let Query { max_results, score_threshold, allow, deny, language, region, prevalence, answers, cancel } = query;
    // What has no form in JSON is left out by default: there is none to show.
    let region = region.map(|region| format!("{region:?}"));
    let answers: BTreeMap<String, String> =
        answers.into_iter().map(|(id, answer)| (id, format!("{answer:?}"))).collect();
    let cancel = cancel.map(|handle| format!("{handle:?}"));
    json!({
        "max_results": max_results,
        "score_threshold": score_threshold,
        "allow": allow,
        "deny": deny,
        "language": language,
        "region": region,
        "prevalence": prevalence,
        "answers": answers,
        "cancel": cancel,
    })
}

/// The way upright of a picture of which nothing is said; whether it is mirrored, only its debug text tells.
fn frame_format() -> Value {
    let plain = format!("{:?}", Image::from_bytes(Vec::<u8>::new()));
    let rotation = format!("{:?}", Rotation::default());
    assert!(plain.contains(&format!("rotation: {rotation}")) && plain.contains("mirrored: "), "{plain}");
    json!({"rotation": rotation.to_lowercase(), "mirrored": plain.contains("mirrored: true")})
}
