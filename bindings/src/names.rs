//! Compares the names and defaults of `bindings/names.json`, which all languages share, with Rust's and C's. The tests of
//! each other language compare its own with the same file.

use std::fmt::Debug;

use bedside::manifest::QuestionRole;
use bedside::{
    DecidedBy, ErrorKind, ExplainMethod, Image, Limits, Options, Query, ReasonKind, Rotation, Source, Triage, Verdict,
    WarningKind,
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
        "warning_kinds": WarningKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
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

/// The header of C, which cbindgen writes from `c/`.
const HEADER: &str = include_str!("../c/include/bedside.h");

/// The names of an enumeration of C, in lower case and without their prefix, and their numbers.
fn enumerators(prefix: &str) -> Vec<(String, u32)> {
    let enumerator = |line: &str| {
        let (name, number) = line.trim().strip_suffix(',')?.split_once(" = ")?;
        Some((name.strip_prefix(prefix)?.to_lowercase(), number.parse().ok()?))
    };
    HEADER.lines().filter_map(enumerator).collect()
}

/// The names of an enumeration of C whose numbers count from 1. Those from 100 on are C's own.
fn names(prefix: &str) -> Vec<String> {
    let shared: Vec<_> = enumerators(prefix).into_iter().filter(|(_, number)| (1..100).contains(number)).collect();
    assert!(shared.iter().zip(1..).all(|((_, number), place)| *number == place), "{prefix}: {shared:?}");
    shared.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn names_of_c_are_those_of_names_json() {
    let shared: Value = serde_json::from_str(include_str!("../names.json")).expect("JSON");
    for (list, prefix) in [
        ("error_kinds", "BEDSIDE_STATUS_"),
        ("verdict_kinds", "BEDSIDE_VERDICT_"),
        ("reason_kinds", "BEDSIDE_REASON_KIND_"),
        ("warning_kinds", "BEDSIDE_WARNING_KIND_"),
        ("triage", "BEDSIDE_TRIAGE_"),
        ("decided_by", "BEDSIDE_DECIDED_BY_"),
        ("question_roles", "BEDSIDE_QUESTION_ROLE_"),
        ("sources", "BEDSIDE_SOURCE_"),
        ("explain_methods", "BEDSIDE_EXPLAIN_METHOD_"),
    ] {
        assert_eq!(shared[list], json!(names(prefix)), "{list}");
    }
}

/// C has the limits among the options.
#[test]
fn options_of_c_are_those_of_names_json() {
    let (_, fields) = HEADER.split_once("typedef struct bedside_options {").expect("a struct");
    let (fields, _) = fields.split_once('}').expect("its end");
    let field = |line: &str| line.trim().strip_suffix(';')?.rsplit(' ').next().map(str::to_owned);
    let fields: Vec<String> = fields.lines().filter_map(field).filter(|name| name != "size").collect();
    let rust = [fields_of(&Options::new(), "limits"), fields_of(&Limits::new(), "")].concat();
    assert_eq!(fields, rust);
}

/// The fields of a struct but for one.
fn fields_of(value: &impl Debug, but: &str) -> Vec<String> {
    fields(value).into_iter().filter(|name| name != but).collect()
}

/// C sets a list or a map one by one, so that the names of its functions are singular, and an answer in two ways.
#[test]
fn query_of_c_has_the_fields_of_names_json() {
    let function = |line: &str| {
        let (function, _) = line.strip_prefix("bedside_status bedside_query_")?.split_once('(')?;
        // Its verb is before the name: `set` or `add`.
        function.split_once('_').map(|(_, name)| name.to_owned())
    };
    let mut functions: Vec<String> = HEADER.lines().filter_map(function).collect();
    let number = functions.iter().position(|name| name == "answer_number").expect("an answer may be a number");
    functions.remove(number);
    let singular = |name: &String| if name == "answers" { "answer".into() } else { name.clone() };
    assert_eq!(functions, fields(&Query::new()).iter().map(singular).collect::<Vec<_>>());
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
