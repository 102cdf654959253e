//! The names that all languages share, in `bindings/names.json`, held against Rust's here and against each language's own
//! in its tests.

use bedside::{ErrorKind, Limits, Options, Query, ReasonKind, Triage, Verdict};
use serde_json::{Value, json};

/// The fields of a struct by name. A field that is left out does not compile.
macro_rules! fields {
    ($type:ident { $($field:ident),* }) => {{
        let $type { $($field: _),* } = $type::default();
        json!([$(stringify!($field)),*])
    }};
}

#[test]
fn the_shared_names_are_those_of_rust() {
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
    });
    assert_eq!(shared, rust);
}
