//! Compares the names and defaults of `bindings/names.json`, which all languages share, with Rust's. The tests of each
//! other language compare its own with the same file.

use std::fmt::Debug;

use bedside::manifest::QuestionRole;
use bedside::{
    DecidedBy, ErrorKind, ExplainMethod, Image, Limits, Options, Query, ReasonKind, Rotation, Source, Triage, Verdict,
};
use serde_json::{Value, json};

/// The names of a struct's fields, read from its debug text, which must show all of them.
fn fields(value: &impl Debug) -> Vec<String> {
    let text = format!("{value:#?}");
    let field = |line: &str| Some(line.strip_prefix("    ")?.split_once(": ")?.0.to_owned());
    text.lines().filter_map(field).filter(|name| !name.starts_with(' ')).collect()
}

#[test]
fn names_json_has_the_names_and_defaults_of_rust() {
    let shared: Value = serde_json::from_str(include_str!("../names.json")).expect("JSON");
    let rust = json!({
        "error_kinds": ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "verdict_kinds": Verdict::KINDS,
        "reason_kinds": ReasonKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "triage": Triage::ALL.iter().map(|level| level.as_str()).collect::<Vec<_>>(),
        "decided_by": DecidedBy::ALL.iter().map(|decided_by| decided_by.as_str()).collect::<Vec<_>>(),
        "question_roles": QuestionRole::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        "sources": Source::ALL.iter().map(|source| source.as_str()).collect::<Vec<_>>(),
        "explain_methods": ExplainMethod::ALL.iter().map(|method| method.as_str()).collect::<Vec<_>>(),
        "options": fields(&Options::new()),
        "limits": fields(&Limits::new()),
        "query": fields(&Query::new()),
        "defaults": {"options": options(), "query": query(), "frame_format": frame_format()},
    });
    assert_eq!(shared, rust);
}

/// The default options.
fn options() -> Value {
    let Options { threads, limits, .. } = Options::default();
    let limits = json!({
        "max_declared_pixels": limits.max_declared_pixels,
        "max_decoded_bytes": limits.max_decoded_bytes,
        "max_model_bytes": limits.max_model_bytes,
    });
    json!({"threads": threads, "limits": limits})
}

/// The default query.
fn query() -> Value {
    let query = Query::default();
    // Types that are not serialized here are absent by default.
    assert!(query.region.is_none() && query.answers.is_empty() && query.explain.is_none() && query.cancel.is_none());
    json!({
        "max_results": query.max_results,
        "score_threshold": query.score_threshold,
        "allow": query.allow,
        "deny": query.deny,
        "language": query.language,
        "region": null,
        "prevalence": query.prevalence,
        "answers": {},
        "source": query.source,
        "refusals": query.refusals,
        "explain": null,
        "cancel": null,
    })
}

/// The default rotation and mirroring of a picture; only its debug text shows whether it is mirrored.
fn frame_format() -> Value {
    let plain = format!("{:?}", Image::from_bytes(Vec::<u8>::new()));
    let rotation = format!("{:?}", Rotation::default());
    assert!(plain.contains(&format!("rotation: {rotation}")) && plain.contains("mirrored: "), "{plain}");
    json!({"rotation": rotation.to_lowercase(), "mirrored": plain.contains("mirrored: true")})
}
