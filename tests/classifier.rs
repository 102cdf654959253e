//! The public API on a tiny graph whose scores are known: queries, reports, calibration, self-tests, threads.

mod tiny;

use std::cell::RefCell;
use std::fs;

use bedside::manifest::{Calibration, Draft};
use bedside::tools::Binding;
use bedside::{
    Answer, CancelHandle, Classifier, DecidedBy, ErrorKind, Image, Manifest, NOTICE, Options, Query, ReasonKind,
    Region, Report, Source, Triage, Verdict, notice,
};
use bedside_engine::{Graph, ModelFile};
use proptest::prelude::*;
use serde_json::{Value, json};
use tiny::{classifier, golden, manifest, packed};

/// ONNX Runtime's probabilities of a, b and c for `golden/graphs/picture.png`, by the graph `torchscript-17.onnx`.
const EXPECTED: [f32; 3] = [0.857_365_8, 0.091_314_7, 0.051_319_5];

fn picture() -> Image<'static> {
    Image::from_bytes(fs::read(golden("graphs/picture.png")).expect("committed"))
}

fn ask(manifest: &Value, query: &Query) -> Report {
    classifier(manifest).expect("a sound model").classify(&picture(), query).expect("a report")
}

fn refused(manifest: &Value, query: &Query) -> String {
    let error = classifier(manifest).expect("a sound model").classify(&picture(), query).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    error.to_string()
}

fn labels(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|f| f.label.as_str()).collect()
}

fn graph_sha256() -> String {
    Graph::from_bytes(&packed("torchscript-17.onnx", &manifest())).expect("sound").sha256().to_owned()
}

fn calibrated(calibration: Value) -> Value {
    let mut manifest = manifest();
    manifest["calibration"] = calibration;
    manifest["calibration"]["graph_sha256"] = graph_sha256().into();
    manifest
}

/// The verdict's kind, and its labels with their names.
fn not_excluded(verdict: &Verdict) -> (&'static str, Vec<(&str, &str)>) {
    (verdict.kind(), verdict.labels().iter().map(|label| (label.id.as_str(), label.name.as_str())).collect())
}

fn close(found: f32, wanted: f32) -> bool {
    (found - wanted).abs() < 1e-4
}

#[test]
fn report_has_all_labels_likeliest_first_with_identity_and_notice() {
    let report = ask(&manifest(), &Query::default());
    assert_eq!(labels(&report), ["a", "b", "c"]);
    for (finding, wanted) in report.findings.iter().zip(EXPECTED) {
        assert!(close(finding.probability, wanted), "{finding:?}");
    }
    assert!(report.findings[0].over_operating_point && !report.findings[1].over_operating_point);
    assert_eq!(not_excluded(&report.verdict), ("single", vec![("a", "Label A")]));
    assert_eq!(report.triage, Triage::Urgent);
    assert_eq!((report.model.name.as_str(), report.model.graph_sha256), ("tiny", graph_sha256()));
    assert_eq!(report.notice, NOTICE);
    assert!(report.timings.total >= report.timings.decode + report.timings.preprocess + report.timings.engine);
}

#[test]
fn report_text_is_in_the_querys_language() {
    let query = Query::new().language("uk").max_results(2);
    let text = ask(&manifest(), &query).to_string();
    let (head, tail) = text.split_once("\n\n  Time            ").expect("the time in between");
    let (_, tail) = tail.split_once('\n').expect("one line of times");
    assert_eq!(
        head,
        "  Verdict         Не можна виключити: Мітка А.\n  \
         Triage          URGENT  Це має невдовзі оглянути лікар.\n  \
         Decided by      label\n\n  \
         Finding  Probability  Operating point\n  \
         Мітка А       85.7 %           30.0 %  reached\n  \
         Label B        9.1 %           50.0 %"
    );
    let model = format!("  Model           tiny 0.0.1 (graph {}), bedside ", &graph_sha256()[..12]);
    assert!(tail.starts_with(&model) && tail.ends_with(&format!("\n\n{}", notice("uk"))), "{tail}");
}

/// Hashes that no graph has, but that the public types can hold, and how a report shows them: of no, few and many
/// characters, and with characters of several bytes.
const HASHES: [(&str, &str); 4] =
    [("", ""), ("abc", "abc"), ("aбвгдеєжзиіїй", "aбвгдеєжзиії"), ("0123456789abc", "0123456789ab")];

#[test]
fn report_text_abbreviates_any_hash() {
    let mut report = ask(&manifest(), &Query::default());
    for (hash, shown) in HASHES {
        report.model.graph_sha256 = hash.into();
        let text = report.to_string();
        assert!(text.contains(&format!("tiny 0.0.1 (graph {shown}), bedside ")), "{text}");
    }
}

#[test]
fn binding_refuses_the_hash_of_another_graph() {
    let bytes = packed("torchscript-17.onnx", &manifest());
    let graph = ModelFile::from_bytes(&bytes).expect("sound");
    let mut draft = Draft::from(Manifest::from_json(&calibrated(json!({})).to_string()).expect("sound"));
    assert!(Binding::new(&draft.clone().try_into().expect("sound"), &graph).is_ok());
    draft.calibration = Some(Calibration::new("0123456789ab".repeat(5) + "cdef"));
    let error = Binding::new(&draft.clone().try_into().expect("sound"), &graph).expect_err("another graph");
    assert_eq!(error.kind(), ErrorKind::InvalidManifest);
    let words = format!("is 0123456789ab…, but this graph's is {}…", &graph_sha256()[..12]);
    assert!(error.to_string().contains(&words), "{error}");
    for (hash, _) in HASHES {
        draft.calibration = Some(Calibration::new(hash));
        let error = Manifest::try_from(draft.clone()).expect_err("no hash");
        assert!(error.to_string().contains("calibration.graph_sha256"), "{error}");
    }
}

#[test]
fn report_text_holds_long_names() {
    let name = "м".repeat(70_000);
    let mut manifest = manifest();
    manifest["output"]["labels"][0]["name"]["en"] = json!(name);
    let text = ask(&manifest, &Query::default()).to_string();
    assert!(text.contains(&format!("\n  {name}       85.7 %           30.0 %  reached\n")), "{}", text.len());
}

#[test]
fn rejected_report_text_says_what_to_do() {
    let mut manifest = manifest();
    manifest["scope"] = json!([{"id": "age", "question": {"en": "How old?"}, "min": 1, "max": 5, "required": true}]);
    let text = ask(&manifest, &Query::default()).to_string();
    let head = text.split("\n\n").next().expect("a head");
    assert_eq!(
        head,
        "  Verdict         The program gives no result, because:\n                  \
         “How old?” has no answer. Answer it first.\n  \
         Triage          UNASSESSED  Not assessed: decide by the danger signs.\n  \
         Decided by      scope"
    );
}

#[test]
fn report_json_has_the_documented_form() {
    let json: Value = serde_json::from_str(&ask(&manifest(), &Query::default()).to_json()).expect("JSON");
    assert_eq!(
        json["verdict"],
        json!({"kind": "single", "labels": ["a"], "names": ["Label A"], "levels": ["urgent"], "reasons": []})
    );
    assert_eq!(
        (&json["triage"], &json["decided_by"], &json["danger"]),
        (&json!("urgent"), &json!("label"), &json!([]))
    );
    assert_eq!(json["findings"][0]["label"], "a");
    assert_eq!(json["findings"][0]["over_operating_point"], true);
    for stage in ["decode", "preprocess", "engine", "verdict", "total"] {
        assert!(json["timings_ms"][stage].is_number(), "{stage}");
    }
    assert_eq!(json["runtime"]["name"], "bedside");
    assert_eq!(json["notice"], NOTICE);
}

/// The plain manifest with limits of a picture's quality.
fn limited(quality: Value) -> Value {
    calibrated(json!({"quality": quality}))
}

#[test]
fn report_has_the_pictures_quality_with_and_without_limits() {
    let plain = ask(&manifest(), &Query::default()).quality.expect("decoded");
    // `picture.png` has 32×32 pixels, as the input.
    assert!(close(plain.size, 1.0));
    let within = limited(json!({"focus": {"min": 0}, "dark": {"max": 1}, "size": {"min": 1}}));
    let report = ask(&within, &Query::default());
    assert_eq!((report.quality, report.verdict.kind()), (Some(plain), "single"));
    let json: Value = serde_json::from_str(&report.to_json()).expect("JSON");
    let mut names: Vec<&String> = json["quality"].as_object().expect("an object").keys().collect();
    names.sort();
    assert_eq!(names, ["bright", "color", "contrast", "dark", "focus", "size"]);
}

#[test]
fn picture_beyond_a_limit_is_rejected_before_the_engine() {
    let manifest = limited(json!({"size": {"min": 1.5}, "contrast": {"min": 1}}));
    let report = ask(&manifest, &Query::new().source(Source::Camera));
    let kinds: Vec<ReasonKind> = report.verdict.reasons().iter().map(|reason| reason.kind).collect();
    assert_eq!(kinds, [ReasonKind::TooSmall, ReasonKind::LowContrast]);
    assert_eq!((report.triage, report.findings.len()), (Triage::Unassessed, 0));
    assert!(report.timings.engine.is_zero() && report.quality.is_some());
    let read: Report = serde_json::from_str(&report.to_json()).expect("a report");
    assert_eq!((read.verdict, read.quality), (report.verdict, report.quality));
}

#[test]
fn second_picture_refused_for_its_quality_is_refer() {
    let manifest = limited(json!({"size": {"min": 1.5}}));
    for (refusals, wanted) in [(0, Triage::Unassessed), (1, Triage::Refer), (u32::MAX, Triage::Refer)] {
        let report = ask(&manifest, &Query::new().source(Source::Camera).refusals(refusals));
        assert_eq!((report.verdict.kind(), report.triage), ("rejected", wanted));
        assert_eq!(report.verdict.reasons()[0].message.contains("again"), refusals == 0);
    }
    // A picture within the limits is judged as any other.
    let report = ask(&limited(json!({"size": {"min": 1}})), &Query::new().refusals(3));
    assert_eq!((report.verdict.kind(), report.triage), ("single", Triage::Urgent));
}

#[test]
fn scope_is_decided_before_quality() {
    let mut manifest = limited(json!({"size": {"min": 1.5}}));
    manifest["scope"] = json!([{"id": "ready", "required": true}]);
    let report = ask(&manifest, &Query::new().refusals(1));
    let kinds: Vec<ReasonKind> = report.verdict.reasons().iter().map(|reason| reason.kind).collect();
    assert_eq!((kinds, report.triage), (vec![ReasonKind::ScopeUnanswered], Triage::Unassessed));
    assert_eq!(report.quality, None, "nothing is decoded");
}

#[test]
fn report_without_quality_is_read() {
    let mut json: Value = serde_json::from_str(&ask(&manifest(), &Query::default()).to_json()).expect("JSON");
    json.as_object_mut().expect("an object").remove("quality").expect("it has one");
    assert_eq!(serde_json::from_value::<Report>(json).expect("a report").quality, None);
}

#[test]
fn report_is_read_back_from_json() {
    let rejecting = {
        let mut manifest = manifest();
        manifest["scope"] = json!([{"id": "ready", "required": true}]);
        manifest
    };
    let asking = {
        let mut manifest = manifest();
        manifest["scope"] = json!([{"id": "bleeds", "role": "danger", "level": "refer"}]);
        manifest
    };
    let (plain, bleeds) = (Query::new().language("uk"), Query::new().answer("bleeds", Answer::Yes));
    for (manifest, query) in [(manifest(), &plain), (rejecting, &plain), (asking, &bleeds)] {
        let report = ask(&manifest, query);
        let read: Report = serde_json::from_str(&report.to_json()).expect("a report");
        // Times are written to the microsecond.
        let micros = |report: &Report| report.timings.total.as_micros().abs_diff(read.timings.total.as_micros());
        assert!(micros(&report) <= 1, "{:?} {:?}", report.timings, read.timings);
        let mut report = report;
        report.timings = read.timings;
        assert_eq!(read, report);
    }
}

#[test]
fn report_that_contradicts_itself_is_not_read() {
    let json: Value = serde_json::from_str(&ask(&manifest(), &Query::default()).to_json()).expect("JSON");
    for (pointer, wrong) in [
        ("/verdict/kind", json!("several")),
        ("/verdict/kind", json!("benign")),
        ("/verdict/names", json!([])),
        ("/verdict/levels", json!([])),
        ("/decided_by", json!("chance")),
        ("/triage", json!("sometimes")),
        ("/timings_ms/total", json!(-1)),
        ("/findings", json!(null)),
    ] {
        let mut json = json.clone();
        *json.pointer_mut(pointer).expect("it has this field") = wrong;
        assert!(serde_json::from_value::<Report>(json).is_err(), "{pointer}");
    }
}

#[test]
fn query_filters_change_findings_and_not_the_verdict() {
    let plain = ask(&manifest(), &Query::default());
    let queries = [
        (Query::new().max_results(1), vec!["a"]),
        (Query::new().max_results(0), vec![]),
        (Query::new().score_threshold(0.09), vec!["a", "b"]),
        (Query::new().allow("c").allow("b"), vec!["b", "c"]),
        (Query::new().deny("a"), vec!["b", "c"]),
        (Query::new().allow("a").deny("a"), vec![]),
    ];
    for (query, wanted) in queries {
        let report = ask(&manifest(), &query);
        assert_eq!(labels(&report), wanted, "{query:?}");
        assert_eq!((report.verdict, report.triage), (plain.verdict.clone(), plain.triage));
    }
}

#[test]
fn query_with_unknown_names_or_values_out_of_range_is_an_error_that_names_them() {
    let label = || "d".to_owned();
    assert!(refused(&manifest(), &Query::new().allow(label())).contains("allow: "));
    assert!(refused(&manifest(), &Query::new().deny(label())).contains("`d`; it has a, b, c"));
    assert!(refused(&manifest(), &Query::new().score_threshold(1.5)).contains("score_threshold"));
    assert!(refused(&manifest(), &Query::new().score_threshold(f32::NAN)).contains("score_threshold"));
    assert!(refused(&manifest(), &Query::new().answer("pregnant", Answer::Yes)).contains("no question `pregnant`"));
}

#[test]
fn label_names_fall_back_to_english() {
    let report = ask(&manifest(), &Query::new().language("uk-UA"));
    let names: Vec<&str> = report.findings.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["Мітка А", "Label B", "Label C"]);
}

#[test]
fn temperature_softens_probabilities_and_leaves_raw_scores() {
    // A temperature of 2 takes the square root of each probability, and then divides by their sum.
    let roots = EXPECTED.map(f32::sqrt);
    let sum: f32 = roots.iter().sum();
    let manifest = calibrated(json!({"temperature": 2.0}));
    let report = ask(&manifest, &Query::default());
    for (finding, root) in report.findings.iter().zip(roots) {
        assert!(close(finding.probability, root / sum), "{finding:?}");
    }
    let scores = classifier(&manifest).expect("sound").scores(&picture()).expect("scores");
    assert!(close(scores[0], EXPECTED[0]));
}

#[test]
fn prevalence_reweights_findings_and_not_the_verdict() {
    let manifest = calibrated(json!({"prevalence": [0.5, 0.25, 0.25]}));
    let prevalence = [("a", 0.01), ("b", 0.59), ("c", 0.4)];
    let query = prevalence.iter().fold(Query::new(), |query, &(label, value)| query.prevalence(label, value));
    let report = ask(&manifest, &query);
    // Each probability is multiplied by new/old, and then divided by their sum.
    let weighted = [EXPECTED[0] * 0.01 / 0.5, EXPECTED[1] * 0.59 / 0.25, EXPECTED[2] * 0.4 / 0.25];
    let sum: f32 = weighted.iter().sum();
    assert_eq!(labels(&report), ["b", "c", "a"]);
    assert!(close(report.findings[0].probability, weighted[1] / sum));
    assert!(close(report.findings[2].probability, weighted[0] / sum));
    assert!(report.findings[2].over_operating_point, "the operating point is about calibrated probabilities");
    assert_eq!(not_excluded(&report.verdict), ("single", vec![("a", "Label A")]));
    assert_eq!(report.triage, Triage::Urgent);
}

#[test]
fn unusable_prevalence_is_an_error() {
    let query = |list: &[(&str, f32)]| list.iter().fold(Query::new(), |query, &(l, p)| query.prevalence(l, p));
    let fitted = calibrated(json!({"prevalence": [0.5, 0.25, 0.25]}));
    assert!(refused(&manifest(), &query(&[("a", 1.0), ("b", 0.0), ("c", 0.0)])).contains("does not state"));
    assert!(refused(&fitted, &query(&[("a", 0.5), ("b", 0.5)])).contains("lacks c"));
    assert!(refused(&fitted, &query(&[("a", 0.5), ("b", 0.5), ("c", 0.5)])).contains("sums to 1.5"));
    assert!(refused(&fitted, &query(&[("a", 1.5), ("b", -0.5), ("c", 0.0)])).contains("outside 0 to 1"));
    assert!(refused(&fitted, &query(&[("x", 1.0)])).contains("`x`"));
}

#[test]
fn unanswered_scope_question_rejects_and_says_what_to_do() {
    let mut manifest = manifest();
    manifest["scope"] = json!([
        {"id": "dermatoscope", "question": {"en": "Through a dermatoscope?", "uk": "Через дерматоскоп?"}, "required": true},
        {"id": "age", "min": 18}]);
    let report = ask(&manifest, &Query::new().language("uk"));
    let Verdict::Rejected(reasons) = &report.verdict else { panic!("{:?}", report.verdict) };
    assert_eq!(reasons.len(), 1);
    assert_eq!(
        (reasons[0].kind, reasons[0].question.as_deref()),
        (ReasonKind::ScopeUnanswered, Some("Через дерматоскоп?"))
    );
    assert_eq!((report.triage, report.findings.len()), (Triage::Unassessed, 0));

    let answers = [("dermatoscope", Answer::No), ("age", Answer::Number(17.0))];
    let report = ask(&manifest, &Query::new().answers(answers));
    let kinds: Vec<ReasonKind> = report.verdict.reasons().iter().map(|r| r.kind).collect();
    assert_eq!(kinds, [ReasonKind::ScopeNo, ReasonKind::ScopeOutOfRange]);

    let answers = [("dermatoscope", Answer::Yes), ("age", Answer::Number(18.0))];
    let verdict = ask(&manifest, &Query::new().answers(answers)).verdict;
    assert_eq!(not_excluded(&verdict), ("single", vec![("a", "Label A")]));

    let wrong = Query::new().answer("dermatoscope", Answer::Number(1.0));
    assert!(refused(&manifest, &wrong).contains("takes yes or no"));
    let wrong = Query::new().answer("age", Answer::Yes);
    assert!(refused(&manifest, &wrong).contains("takes a number"));
    let beforehand = classifier(&manifest).expect("sound").scope_reasons(&wrong).expect_err("a wrong query");
    assert_eq!(beforehand.kind(), ErrorKind::InvalidQuery);
}

#[test]
fn danger_sign_sets_the_triage_of_a_rejected_picture_and_of_any_other() {
    let mut manifest = manifest();
    manifest["scope"] = json!([
        {"id": "ready", "required": true},
        {"id": "bleeds", "role": "danger", "level": "urgent", "question": {"en": "Does it bleed?", "uk": "Кровоточить?"}},
        {"id": "grows", "role": "danger", "level": "refer"}]);
    manifest["output"]["labels"][0]["triage"] = json!("no_sign");
    let ready = || Query::new().answer("ready", Answer::Yes).language("uk");
    // Labels of `no_sign` alone, and a model that was not shown to be able to say it.
    let plain = ask(&manifest, &ready());
    assert_eq!((plain.triage, plain.decided_by), (Triage::Refer, DecidedBy::NoSignNotShown));
    let no = ask(&manifest, &ready().answer("bleeds", Answer::No));
    assert_eq!((no.triage, no.decided_by, no.danger.len()), (Triage::Refer, DecidedBy::NoSignNotShown, 0));
    let yes = ask(&manifest, &ready().answer("grows", Answer::Yes).answer("bleeds", Answer::Yes));
    assert_eq!((yes.triage, yes.decided_by), (Triage::Urgent, DecidedBy::Danger));
    let signs: Vec<(&str, &str)> = yes.danger.iter().map(|sign| (sign.id.as_str(), sign.question.as_str())).collect();
    assert_eq!(signs, [("bleeds", "Кровоточить?"), ("grows", "grows")]);
    let rejected = ask(&manifest, &Query::new().answer("grows", Answer::Yes));
    assert_eq!((rejected.verdict.kind(), rejected.triage), ("rejected", Triage::Refer));
    assert_eq!(rejected.decided_by, DecidedBy::Danger);
}

#[test]
fn picture_out_of_scope_is_not_decoded() {
    let mut manifest = manifest();
    manifest["scope"] = json!([{"id": "ready", "required": true}]);
    let damaged = Image::from_bytes(b"no picture".as_slice());
    let report = classifier(&manifest).expect("sound").classify(&damaged, &Query::new()).expect("a report");
    assert_eq!((report.verdict.kind(), report.decided_by), ("rejected", DecidedBy::Scope));
}

#[test]
fn headline_leaves_out_labels_of_no_sign() {
    let mut manifest = calibrated(json!({"no_sign": true}));
    manifest["output"]["labels"][1]["operating_point"] = json!(0.05);
    let report = ask(&manifest, &Query::default());
    assert_eq!(not_excluded(&report.verdict), ("several", vec![("a", "Label A"), ("b", "Label B")]));
    assert_eq!(report.summary, "Can't be excluded: Label A.");
    manifest["output"]["labels"][0]["operating_point"] = json!(0.9);
    let report = ask(&manifest, &Query::default());
    assert_eq!(not_excluded(&report.verdict), ("single", vec![("b", "Label B")]));
    assert_eq!((report.triage, report.summary.as_str()), (Triage::NoSign, "No warning sign in this picture."));
}

#[test]
fn advice_of_the_manifest_takes_the_place_of_the_cores() {
    let mut manifest = manifest();
    manifest["advice"] = json!({"urgent": {"en": "A doctor today.", "uk": "До лікаря сьогодні."}});
    assert_eq!(ask(&manifest, &Query::new()).advice, "A doctor today.");
    assert_eq!(ask(&manifest, &Query::new().language("uk")).advice, "До лікаря сьогодні.");
    let undecided = {
        manifest["output"]["labels"][0]["operating_point"] = json!(0.9);
        ask(&manifest, &Query::new())
    };
    assert_eq!((undecided.verdict.kind(), undecided.advice.as_str()), ("undecided", Triage::Refer.advice("en")));
}

#[test]
fn group_is_shown_in_place_of_its_labels() {
    let mut manifest = calibrated(json!({"prevalence": [0.5, 0.25, 0.25], "thresholds": {"bc": {"at": 0.1}}}));
    manifest["output"]["groups"] =
        json!([{"id": "bc", "name": {"en": "B or C"}, "labels": ["b", "c"], "triage": "urgent"}]);
    let report = ask(&manifest, &Query::default());
    assert_eq!(labels(&report), ["a", "bc"]);
    assert!(close(report.findings[1].probability, EXPECTED[1] + EXPECTED[2]), "{:?}", report.findings);
    assert!(close(report.findings[1].operating_point, 0.1));
    assert_eq!(not_excluded(&report.verdict), ("several", vec![("a", "Label A"), ("bc", "B or C")]));
    // Re-weighted from shares of 0.5 and 0.5 to 0.9 and 0.1.
    let weighted = [EXPECTED[0] * 0.9 / 0.5, (EXPECTED[1] + EXPECTED[2]) * 0.1 / 0.5];
    let report = ask(&manifest, &Query::new().prevalence("a", 0.9).prevalence("bc", 0.1));
    assert!(close(report.findings[0].probability, weighted[0] / (weighted[0] + weighted[1])));
    assert!(refused(&manifest, &Query::new().allow("b")).contains("`b`; it has a, bc"));
}

#[test]
fn classify_fails_once_its_handle_is_cancelled() {
    let cancel = CancelHandle::new();
    let query = Query::new().cancel(cancel.clone());
    let classifier = classifier(&manifest()).expect("sound");
    assert!(classifier.classify(&picture(), &query).is_ok());
    cancel.cancel();
    assert_eq!(classifier.classify(&picture(), &query).expect_err("cancelled").kind(), ErrorKind::Cancelled);
}

/// The stages that ended on this thread, and the stage at whose end a handle is cancelled.
#[derive(Default)]
struct Watch {
    ended: Vec<String>,
    cancel: Option<(&'static str, CancelHandle)>,
}

thread_local! {
    static WATCH: RefCell<Watch> = RefCell::default();
}

/// A logger that records the stages of classifications.
struct Listener;

impl log::Log for Listener {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == "bedside::stages"
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let message = record.args().to_string();
        let stage = message.split(' ').next().unwrap_or_default().to_owned();
        WATCH.with_borrow_mut(|watch| {
            if let Some((after, handle)) = &watch.cancel
                && *after == stage
            {
                handle.cancel();
            }
            watch.ended.push(stage);
        });
    }

    fn flush(&self) {}
}

#[test]
fn classify_checks_the_cancel_handle_after_each_stage() {
    log::set_logger(&Listener).expect("no other test here sets one");
    log::set_max_level(log::LevelFilter::Trace);
    let classifier = classifier(&manifest()).expect("sound");
    let stages = ["decode", "preprocess", "engine", "verdict"];
    for (number, stage) in stages.into_iter().enumerate() {
        let handle = CancelHandle::new();
        WATCH.set(Watch { cancel: Some((stage, handle.clone())), ..Watch::default() });
        let result = classifier.classify(&picture(), &Query::new().cancel(handle));
        assert_eq!(WATCH.take().ended, stages[..=number], "nothing runs after {stage}");
        match stage {
            "verdict" => assert!(result.is_ok(), "the report was there"),
            _ => assert_eq!(result.expect_err(stage).kind(), ErrorKind::Cancelled),
        }
    }
}

#[test]
fn region_gives_the_findings_of_the_cropped_picture() {
    let whole = fs::read(golden("graphs/picture.png")).expect("committed");
    let decoded = image::load_from_memory(&whole).expect("a PNG").to_rgb8();
    let cropped = image::imageops::crop_imm(&decoded, 8, 16, 16, 16).to_image();
    let classifier = classifier(&manifest()).expect("sound");
    let pixels = Image::rgb8(16, 16, 48, cropped.as_raw().as_slice()).expect("sound");
    let wanted = classifier.classify(&pixels, &Query::default()).expect("a report");
    let region = Region::new(0.25, 0.5, 0.5, 0.5).expect("inside");
    let query = Query::new().region(region);
    let found = classifier.classify(&picture(), &query).expect("a report");
    assert_eq!(found.findings, wanted.findings);
    assert_ne!(found.findings, ask(&manifest(), &Query::default()).findings);
}

#[test]
fn calibration_of_another_graph_is_refused() {
    let mut other = calibrated(json!({}));
    other["calibration"]["graph_sha256"] = "0".repeat(64).into();
    let error = classifier(&other).map(|_| ()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidManifest);
    assert!(error.to_string().contains("another graph"), "{error}");
}

#[test]
fn manifest_that_requires_an_unknown_field_is_refused() {
    for field in ["calibration.conformal", "calibration.quality.noise", "telepathy"] {
        let mut manifest = manifest();
        manifest["requires"] = json!([field]);
        let error = classifier(&manifest).map(|_| ()).expect_err("refused");
        assert!(error.to_string().contains(field), "{error}");
    }
    let mut manifest = manifest();
    manifest["requires"] = json!(["scope", "output.labels.triage"]);
    assert!(classifier(&manifest).is_ok());
}

#[test]
fn self_test_passes_on_the_labs_scores_and_fails_on_others() {
    use base64::Engine as _;
    let image =
        base64::engine::general_purpose::STANDARD.encode(fs::read(golden("graphs/picture.png")).expect("committed"));
    let with = |scores: [f32; 3]| {
        let mut manifest = manifest();
        manifest["golden"] = json!({"by": "lab", "input": {"image": image}, "scores": scores});
        classifier(&manifest).expect("sound").self_test().map(|passed| passed.expect("a golden sample"))
    };
    assert!(with(EXPECTED).expect("passes").max_difference < 1e-4);
    assert_eq!(with([0.82, 0.11, 0.07]).expect_err("fails").kind(), ErrorKind::SelfTest);
    assert_eq!(classifier(&manifest()).expect("sound").self_test().expect("nothing to fail"), None);
}

/// A PNG of one colour, in base64.
fn plain_png(colour: [u8; 3]) -> String {
    use base64::Engine as _;
    let mut png = std::io::Cursor::new(Vec::new());
    let pixels = image::RgbImage::from_pixel(32, 32, image::Rgb(colour));
    pixels.write_to(&mut png, image::ImageFormat::Png).expect("room");
    base64::engine::general_purpose::STANDARD.encode(png.into_inner())
}

/// ONNX Runtime 1.32 gives this colour 0.09385556, 0.45302008 and 0.45312435: c leads b by 0.0001.
#[test]
fn self_test_compares_each_score_and_not_their_order() {
    let image = plain_png([150, 105, 75]);
    let difference = |scores: [f32; 3]| {
        let mut manifest = manifest();
        manifest["golden"] = json!({"by": "lab", "input": {"image": image}, "scores": scores});
        let passed = classifier(&manifest).expect("sound").self_test();
        passed.map(|passed| passed.expect("a golden sample").max_difference).map_err(|error| error.kind())
    };
    assert!(difference([0.093_855_6, 0.453_020_1, 0.453_124_4]).expect("the reference's own") < 1e-4);
    // Golden scores with b before c, each within the tolerance of 0.02.
    for (b, c, wanted) in [(0.462, 0.4441, 0.009_02), (0.472, 0.4341, 0.019_02), (0.4341, 0.472, 0.018_92)] {
        let found = difference([0.0939, b, c]).expect("each within 0.02");
        assert!((found - wanted).abs() < 1e-4, "{found}");
    }
    // One label is beyond the tolerance, the leading one or another; the others are within.
    for scores in [[0.0939, 0.4742, 0.4531], [0.0939, 0.4530, 0.4319], [0.1151, 0.4530, 0.4531]] {
        assert_eq!(difference(scores), Err(ErrorKind::SelfTest), "{scores:?}");
    }
}

#[test]
fn classifier_gives_eight_threads_the_same_scores() {
    fn shared<T: Send + Sync>(_: &T) {}
    let classifier = classifier(&manifest()).expect("sound");
    shared(&classifier);
    classifier.warm_up().expect("runs");
    let wanted = classifier.scores(&picture()).expect("scores");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(classifier.scores(&picture()).expect("scores"), wanted);
                }
            });
        }
    });
}

#[test]
fn scores_do_not_depend_on_the_number_of_threads() {
    let bytes = packed("torchscript-17.onnx", &manifest());
    let one = Classifier::from_bytes(&bytes, Options::default()).expect("sound");
    let four = Classifier::from_bytes(&bytes, Options::new().threads(4)).expect("sound");
    assert_eq!(one.scores(&picture()).expect("scores"), four.scores(&picture()).expect("scores"));
}

/// A subset of the labels.
fn any_labels() -> impl Strategy<Value = Vec<String>> {
    prop::sample::subsequence(vec!["a".to_owned(), "b".into(), "c".into()], 0..=3)
}

fn any_prevalence() -> impl Strategy<Value = std::collections::BTreeMap<String, f32>> {
    prop::collection::vec(0.01f32..1.0, 3).prop_map(|weights| {
        let sum: f32 = weights.iter().sum();
        ["a", "b", "c"].iter().zip(weights).map(|(label, weight)| ((*label).to_owned(), weight / sum)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn query_filters_and_prevalence_never_change_verdict_and_triage(
        allow in any_labels(), deny in any_labels(), max_results in prop::option::of(0u32..5),
        score_threshold in 0f32..=1.0, prevalence in any_prevalence(),
    ) {
        let classifier = classifier(&calibrated(json!({"prevalence": [0.5, 0.25, 0.25]}))).expect("sound");
        let plain = classifier.classify(&picture(), &Query::default()).expect("a report");
        let mut query = Query::new().score_threshold(score_threshold);
        (query.max_results, query.allow, query.deny, query.prevalence) = (max_results, allow, deny, prevalence);
        let report = classifier.classify(&picture(), &query).expect("a report");
        prop_assert_eq!((&report.verdict, report.triage), (&plain.verdict, plain.triage));
        for finding in &report.findings {
            prop_assert!(finding.probability >= score_threshold && !query.deny.contains(&finding.label));
        }
    }

    #[test]
    fn rejected_picture_is_unassessed_and_has_no_finding(
        ready in prop::option::of(any::<bool>()), age in prop::option::of(0f64..120.0),
    ) {
        let mut manifest = manifest();
        manifest["scope"] = json!([{"id": "ready", "required": true}, {"id": "age", "min": 18, "max": 90}]);
        let ready_answer = ready.map(|yes| ("ready".to_owned(), if yes { Answer::Yes } else { Answer::No }));
        let age_answer = age.map(|years| ("age".to_owned(), Answer::Number(years)));
        let answers = ready_answer.into_iter().chain(age_answer);
        let query = Query::new().answers(answers);
        let beforehand = classifier(&manifest).expect("sound").scope_reasons(&query).expect("a sound query");
        let report = ask(&manifest, &query);
        let in_scope = ready == Some(true) && age.is_none_or(|years| (18.0..=90.0).contains(&years));
        prop_assert_eq!(matches!(report.verdict, Verdict::Rejected(_)), !in_scope);
        prop_assert_eq!(report.verdict.reasons(), beforehand);
        prop_assert_eq!(report.triage == Triage::Unassessed, !in_scope);
        prop_assert_eq!(report.findings.is_empty(), !in_scope);
    }
}
