//! Compares requests and replies with the samples of `bindings/wire.txt`. `WireTest.java` compares Java's side with the
//! same samples.

use std::time::Duration;

use bedside::manifest::{GoldenBy, QuestionRole};
use bedside::{
    Answer, Classifier, DecidedBy, ErrorKind, Explain, ExplainMethod, Heatmap, Image, Limits, LoadTimes, Manifest,
    Options, Query, Reason, ReasonKind, Region, Report, Rotation, Source, Timings, Triage, Verdict, YuvMatrix,
    YuvRange,
};

use super::wire::{Reader, Writer};
use super::{Failure, logger, reply, request};
use crate::frame::{Frame, Layout, PixelFormat, Strides};

const SAMPLES: &str = include_str!("../../wire.txt");

/// The value of the entry with this kind and this name.
fn entry(kind: &str, name: &str) -> &'static str {
    let head = format!("{kind} {name} ");
    SAMPLES.lines().find_map(|line| line.strip_prefix(&head)).unwrap_or_else(|| panic!("wire.txt has no {head}"))
}

/// The bytes of a sample.
fn sample(kind: &str, name: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&entry(kind, name)[at..at + 2], 16).expect("hex");
    (0..entry(kind, name).len()).step_by(2).map(byte).collect()
}

/// Fails where a reply is not its sample followed by these texts, which the sample lacks.
#[track_caller]
fn writes(name: &str, mut found: Writer, texts: &[&str]) {
    let mut wanted = sample("reply", name);
    for text in texts {
        wanted.extend(u32::try_from(text.len()).expect("short").to_be_bytes());
        wanted.extend(text.as_bytes());
    }
    assert_eq!(found.finish(), wanted, "reply {name}: Java reads another form; see bindings/wire.py");
}

/// The shipped model. Values of types that can't be constructed here are taken from its results and overwritten.
fn classifier() -> Classifier {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/skin-lesion/model.onnx");
    Classifier::open(model, Options::default()).expect("the shipped model")
}

fn query_of(name: &str) -> Query {
    match request::query(&sample("request", name)) {
        Ok(query) => query,
        Err(Failure::Error(error)) => panic!("{name}: {error}"),
        Err(Failure::Closed(what)) => panic!("{name}: the {what} is closed"),
    }
}

#[test]
fn request_reader_decodes_the_samples() {
    let options = sample("request", "options");
    let mut reader = Reader::new(&options);
    let read = request::options(&mut reader).expect("sound");
    assert!(reader.end().is_ok());
    let limits = Limits::new().max_declared_pixels(3).max_decoded_bytes(4).max_model_bytes(5);
    assert_eq!(read, Options::new().threads(2).limits(limits));
    assert_eq!(Reader::new(&sample("request", "path")).string().expect("sound"), "m.onnx");

    let wanted = Query::new()
        .max_results(7)
        .score_threshold(0.25)
        .allow("a")
        .allow("б")
        .deny("c")
        .language("uk")
        .region(Region::new(0.125, 0.25, 0.5, 0.375).expect("inside"))
        .prevalence("a", 0.75)
        .prevalence("b", 0.25)
        .answer("q", Answer::Yes)
        .answer("r", Answer::No)
        .answer("s", Answer::Number(4.5))
        .source(Source::File)
        .refusals(3)
        .explain(Explain::new().label("a").method(ExplainMethod::Occlusion));
    assert_eq!(query_of("query"), wanted);
    assert_eq!(query_of("query_default"), Query::default());
    assert_eq!(request::heatmap(&sample("request", "heatmap")).expect("sound"), heatmap());
    let cancelled = request::query(&sample("request", "query_cancel"));
    assert!(matches!(cancelled, Err(Failure::Closed("cancel handle"))), "there is no such handle");
}

#[test]
fn frame_reader_decodes_the_samples() {
    let read = |name: &str| {
        let Frame { layout, rotation, mirrored } = request::frame(&sample("request", name)).expect("sound");
        (layout, rotation, mirrored)
    };
    assert!(matches!(read("frame_encoded"), (Layout::Encoded, Rotation::Clockwise90, false)));
    let packed = |name: &str| match read(name) {
        (Layout::Packed { format, width: 2, height: 3, row_stride: 16 }, rotation, mirrored) => {
            (format, rotation, mirrored)
        }
        other => panic!("{other:?}"),
    };
    assert!(matches!(packed("frame_rgb8"), (PixelFormat::Rgb8, Rotation::Upright, true)));
    assert!(matches!(packed("frame_rgba8"), (PixelFormat::Rgba8, Rotation::Upright, false)));
    assert!(matches!(packed("frame_bgra8"), (PixelFormat::Bgra8, Rotation::Upright, false)));
    assert!(matches!(packed("frame_gray8"), (PixelFormat::Gray8, Rotation::Clockwise180, false)));
    let (full, limited) = (read("frame_yuv420"), read("frame_yuv420_limited"));
    let strides = |layout| match layout {
        Layout::Yuv420 { width: 9, height: 10, strides, matrix, range } => {
            let Strides { y_row, y_pixel, u_row, u_pixel, v_row, v_pixel } = strides;
            assert_eq!([y_row, y_pixel, u_row, u_pixel, v_row, v_pixel], [11, 12, 13, 14, 15, 16]);
            (matrix, range)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!((strides(full.0), full.1, full.2), ((YuvMatrix::Bt709, YuvRange::Full), Rotation::Clockwise270, true));
    assert_eq!(strides(limited.0), (YuvMatrix::Bt601, YuvRange::Limited));
}

#[test]
fn reply_writer_encodes_the_samples() {
    writes("done", reply::done(), &[]);
    assert_eq!(
        reply::failed(&bedside::Error::new(bedside::ErrorKind::TooLarge, "the picture")),
        sample("reply", "failed")
    );
    assert_eq!(reply::closed("image"), sample("reply", "closed"));
    writes("handle", reply::handle(0x0102_0304_0506_0708), &[]);
    writes("flag", reply::flag(true), &[]);
    writes("file", reply::file(b"PNG"), &[]);
    writes("scores", reply::scores(&[0.75, 0.25]), &[]);
    writes("self_test_none", reply::self_test(None), &[]);
    let mut times = LoadTimes::default();
    times.read = Duration::from_micros(1500);
    times.import = Duration::from_micros(2500);
    times.optimize = Duration::from_micros(3500);
    writes("load_times", reply::load_times(&times), &[]);

    let classifier = classifier();
    let mut passed = classifier.self_test().expect("sound").expect("a golden sample");
    (passed.by, passed.max_difference) = (GoldenBy::Itself, 0.007_812_5);
    writes("self_test", reply::self_test(Some(passed)), &[]);
    let report = report(&classifier);
    writes("identity", reply::identity(&report.model), &[]);
    writes("report", reply::report(&report), &[&report.to_string(), &report.to_json()]);

    let reasons = reasons(&classifier);
    writes("reasons", reply::reasons(&reasons), &[]);
    let mut rejected = report;
    (rejected.verdict, rejected.triage) = (Verdict::Rejected(reasons), Triage::Unassessed);
    rejected.decided_by = DecidedBy::Scope;
    rejected.danger.clear();
    rejected.findings.clear();
    rejected.warnings.clear();
    rejected.geometry = None;
    (rejected.quality, rejected.novelty, rejected.heatmap) = (None, None, None);
    writes("report_rejected", reply::report(&rejected), &[&rejected.to_string(), &rejected.to_json()]);
}

/// The report of the sample.
fn report(classifier: &Classifier) -> Report {
    let query = Query::new().answer("dermatoscope", Answer::Yes).answer("mole_like", Answer::Yes);
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/samples/ISIC_0012258.jpg");
    let picture = Image::open(picture).expect("committed");
    let mut report = classifier.classify(&picture, &query).expect("a report");
    report.verdict = serde_json::from_str(
        r#"{"kind": "several", "labels": ["a", "b"], "names": ["Label A", "Label B"], "levels": ["refer", "no_sign"],
            "reasons": []}"#,
    )
    .expect("sound");
    (report.summary, report.triage, report.advice) = ("summary".into(), Triage::Urgent, "advice".into());
    report.decided_by = DecidedBy::Danger;
    report.danger =
        serde_json::from_str(r#"[{"id": "bleeds", "question": "Does it bleed?", "level": "urgent"}]"#).expect("sound");
    report.findings.truncate(2);
    for (finding, (id, probability, point, over)) in
        report.findings.iter_mut().zip([("a", 0.75, 0.5, true), ("b", 0.25, 0.375, false)])
    {
        (finding.label, finding.name) = (id.into(), format!("Label {}", id.to_uppercase()));
        (finding.probability, finding.operating_point, finding.over_operating_point) = (probability, point, over);
    }
    let quality = report.quality.as_mut().expect("a picture was decoded");
    (quality.focus, quality.dark, quality.bright) = (0.5, 0.25, 0.125);
    (quality.contrast, quality.color, quality.size) = (0.375, 0.0625, 2.0);
    report.warnings = serde_json::from_str(r#"[{"kind": "overlay", "message": "marks"}]"#).expect("sound");
    report.geometry = Some(
        serde_json::from_str(
            r#"{"picture": [8, 6], "region": [0, 1, 8, 5], "spacing_mm": [0.5, 0.25], "spacing_at_detector": true}"#,
        )
        .expect("sound"),
    );
    report.novelty = Some(serde_json::from_str(r#"{"value": 1.5, "soft": 2, "hard": 2.5}"#).expect("sound"));
    report.heatmap = Some(heatmap());
    report.timings = Timings::default();
    let times = &mut report.timings;
    let stages = [&mut times.decode, &mut times.preprocess, &mut times.engine, &mut times.verdict, &mut times.total];
    for (stage, ms) in stages.into_iter().zip([1, 2, 3, 4, 10]) {
        *stage = Duration::from_millis(ms);
    }
    (report.model.name, report.model.version) = ("tiny".into(), "1.2".into());
    report.model.graph_sha256 = "abc".into();
    (report.runtime.name, report.runtime.version) = ("runtime".into(), "4.5".into());
    report.notice = "notice".into();
    report
}

/// The heatmap of the samples.
fn heatmap() -> Heatmap {
    serde_json::from_str(
        r#"{"label": "a", "method": "occlusion", "width": 2, "height": 1, "values": [0.5, -0.25],
            "frame": [[4, 0.5, 0], [0.25, 2, -2]], "picture": [8, 6], "seen": [0, 1, 8, 5], "max": 0.5, "evidence": true}"#,
    )
    .expect("sound")
}

/// The reasons of the sample.
fn reasons(classifier: &Classifier) -> Vec<Reason> {
    let reasons = classifier.scope_reasons(&Query::default()).expect("sound");
    let [mut first, mut second] = [(); 2].map(|()| reasons[0].clone());
    (first.kind, first.id, first.question) = (ReasonKind::ScopeNo, Some("age".into()), Some("How old?".into()));
    (second.kind, second.id, second.question) = (ReasonKind::ScopeUnanswered, None, None);
    (first.message, second.message) = ("ask again".into(), "x".into());
    vec![first, second]
}

#[test]
fn reply_writer_encodes_the_manifest_sample() {
    let manifest = Manifest::from_json(
        r#"{"bedside": "1.0", "kind": "scores", "name": "tiny", "version": "1.2", "license": "CC0-1.0",
            "title": {"en": "Title", "uk": "Назва"}, "intended_use": {"en": "use"}, "not_for": {"en": "not"},
            "advice": {"no_sign": {"en": "none"}, "unassessed": {"en": "not assessed"}, "refer": {"en": "look"},
                       "urgent": {"en": "look soon"}},
            "scope": [{"id": "age", "question": {"en": "How old?"}, "required": true, "min": 1},
                      {"id": "sex", "max": 5.5}, {"id": "bleeds", "role": "danger", "level": "urgent"}],
            "input": {"color": "rgb", "width": 32, "height": 32, "resize": {"policy": "stretch"},
                      "mean": [0, 0, 0], "std": [1, 1, 1]},
            "output": {"activation": "softmax", "labels": [
                {"id": "a", "name": {"en": "Label A", "uk": "Мітка А"}, "operating_point": 0.375, "triage": "urgent"},
                {"id": "b", "name": {"en": "Label B"}, "triage": "no_sign"},
                {"id": "c", "name": {"en": "Label C"}}],
                "groups": [{"id": "bc", "name": {"en": "Group", "uk": "Група"}, "labels": ["b", "c"],
                            "operating_point": 0.25, "triage": "refer"}]}}"#,
    )
    .expect("sound");
    writes("manifest", reply::manifest(&manifest, "uk"), &[&manifest.to_json()]);
}

#[test]
fn enum_names_and_ordinals_are_those_of_java() {
    let levels: [String; 5] = [0, 1, 2, 3, 4].map(|number| logger::level_filter(number).as_str().to_lowercase());
    let rotations: Vec<String> =
        (0..4).map(|number| format!("{:?}", request::rotation(number).expect("known")).to_lowercase()).collect();
    for (name, rust) in [
        ("ErrorKind", ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" ")),
        ("Verdict", Verdict::KINDS.join(" ")),
        ("ReasonKind", ReasonKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" ")),
        ("Triage", Triage::ALL.iter().map(|level| level.as_str()).collect::<Vec<_>>().join(" ")),
        ("DecidedBy", DecidedBy::ALL.iter().map(|by| by.as_str()).collect::<Vec<_>>().join(" ")),
        ("QuestionRole", QuestionRole::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" ")),
        ("ExplainMethod", ExplainMethod::ALL.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(" ")),
        ("Source", Source::ALL.iter().map(|source| source.as_str()).collect::<Vec<_>>().join(" ")),
        ("GoldenBy", [GoldenBy::Lab, GoldenBy::Itself].map(GoldenBy::as_str).join(" ")),
        ("LogLevel", levels.join(" ")),
        ("Rotation", rotations.join(" ")),
    ] {
        assert_eq!(entry("names", name), rust, "{name}: Java has other names; see bindings/wire.py");
    }
}
