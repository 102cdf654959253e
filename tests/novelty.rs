//! Novelty on the shipped models, from ONNX files and prepared ones: it comes from the run that gives the scores, changes
//! none of them, and rejects or refers by its levels.

#![allow(clippy::float_cmp, reason = "exact values are meant")]

mod shipped;
mod tiny;

use std::fs;

use bedside::manifest::{Draft, METADATA_KEY, NoveltyMethod, NoveltyModel, NoveltySample, NoveltyTables};
use bedside::tools::{self, Binding};
use bedside::{
    Answer, Classifier, Error, ErrorKind, Image, Manifest, Options, Query, ReasonKind, Report, Triage, Verdict,
};
use bedside_engine::{Graph, ModelFile, Prepared};
use shipped::{open, shipped};

/// A shipped model, a sample of its own, the tensors of docs/notes/2026-11-novelty.md with their channels, and dimensions.
struct Case {
    model: &'static str,
    picture: &'static str,
    features: &'static [&'static str],
    channels: usize,
    dimensions: usize,
}

const SKIN: Case = Case {
    model: "skin-photo",
    picture: "PAT_1113_458_387.jpg",
    features: &["hardtanh_13", "add_9"],
    channels: 352,
    dimensions: 48,
};
const CHEST: Case =
    Case { model: "chest-xray", picture: "IM-0001-0001.jpeg", features: &["add_5"], channels: 112, dimensions: 112 };

impl Case {
    fn image(&self) -> Image<'static> {
        Image::open(shipped("samples").join(self.picture)).expect("a picture")
    }

    fn query(&self) -> Query {
        let manifest = open(self.model).manifest().clone();
        let answers = manifest.scope().iter().map(|question| (question.id.clone(), tools::in_scope_answer(question)));
        Query::new().answers(answers.collect::<Vec<(String, Answer)>>())
    }

    /// Tables of arbitrary numbers around 0, in the size that this model needs.
    fn novelty(&self, sample: bool, levels: [f32; 2]) -> NoveltyModel {
        let mut state = 1_u64;
        let mut number = || {
            // Knuth's linear congruential generator (MMIX).
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / f64::from(1 << 23) - 1.0
        };
        let mut numbers = |count: usize| (0..count).map(|_| number()).collect::<Vec<f64>>();
        let axes = numbers(self.channels * self.dimensions).iter().map(|a| a * 0.1).collect();
        let mut tables = NoveltyTables::new(numbers(self.channels), vec![1.0; self.channels], axes);
        let method = if sample { NoveltyMethod::NearestNeighbors } else { NoveltyMethod::Mahalanobis };
        if sample {
            tables.sample = Some(NoveltySample::new(3, self.dimensions, &numbers(1000 * self.dimensions)));
        }
        let features = self.features.iter().map(|&name| name.to_owned()).collect();
        let mut novelty = NoveltyModel::new(method, features, &tables, levels).expect("sound tables");
        novelty.root = sample;
        novelty
    }

    /// The ONNX file with this novelty in its manifest, or none.
    fn onnx(&self, novelty: impl Into<Option<NoveltyModel>>) -> Vec<u8> {
        let path = shipped(self.model).join("model.onnx");
        let mut draft = Draft::from(open(self.model).manifest().clone());
        draft.calibration.as_mut().expect("calibrated").novelty = novelty.into();
        let json = Manifest::try_from(draft).expect("sound").to_json();
        let mut graph = Graph::open(&path, 1 << 30).expect("shipped");
        graph.set_metadata(METADATA_KEY, json);
        graph.to_bytes()
    }
}

/// The prepared form of an ONNX model, as `bedside pack --prepare` makes it.
fn prepared(onnx: &[u8]) -> Result<Vec<u8>, Error> {
    let file = ModelFile::from_bytes(onnx).map_err(tools::engine_error)?;
    let signature = Binding::new(&tools::manifest_of(&file, None)?, &file)?.signature;
    let prepared = Graph::from_bytes(onnx).and_then(|graph| Prepared::of(graph, &signature));
    Ok(prepared.map_err(tools::engine_error)?.to_bytes())
}

fn opened(bytes: &[u8]) -> Result<Classifier, Error> {
    Classifier::from_bytes(bytes, Options::default())
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The label and the bits of the probability of each finding.
fn findings(report: &Report) -> Vec<(String, u32)> {
    report.findings.iter().map(|finding| (finding.label.clone(), finding.probability.to_bits())).collect()
}

#[test]
fn novelty_changes_no_bit_of_the_scores_in_either_form() {
    for case in [SKIN, CHEST] {
        let (image, query, plain) = (case.image(), case.query(), opened(&case.onnx(None)).expect("opens"));
        let before = plain.classify(&image, &query).expect("a report");
        assert_eq!(before.novelty, None);
        for sample in [false, true] {
            let onnx = case.onnx(case.novelty(sample, [1e30, 2e30]));
            let forms = [opened(&onnx), prepared(&onnx).and_then(|bytes| opened(&bytes))];
            let mut values = Vec::new();
            for classifier in forms.map(|form| form.unwrap_or_else(|error| panic!("{}: {error}", case.model))) {
                assert_eq!(
                    bits(&classifier.scores(&image).expect("scores")),
                    bits(&plain.scores(&image).expect("scores"))
                );
                let report = classifier.classify(&image, &query).expect("a report");
                assert_eq!(findings(&report), findings(&before), "{}", case.model);
                assert_eq!((&report.verdict, report.triage), (&before.verdict, before.triage));
                let novelty = report.novelty.expect("measured");
                assert!(novelty.value > 0.0 && [novelty.soft, novelty.hard] == [1e30, 2e30], "{novelty:?}");
                values.push(novelty.value.to_bits());
                let read: Report = serde_json::from_str(&report.to_json()).expect("its own JSON");
                assert_eq!(read.novelty, report.novelty);
            }
            assert_eq!(values[0], values[1], "{}: forms differ", case.model);
        }
    }
}

#[test]
fn novelty_over_hard_rejects_without_findings() {
    let (image, query) = (SKIN.image(), SKIN.query());
    let labels = open(SKIN.model).classify(&image, &query).expect("a report");
    let report =
        opened(&SKIN.onnx(SKIN.novelty(true, [0.0, 1e-3]))).expect("opens").classify(&image, &query).expect("a report");
    let Verdict::Rejected(reasons) = &report.verdict else { panic!("{:?}", report.verdict) };
    assert_eq!(reasons.iter().map(|reason| reason.kind).collect::<Vec<_>>(), [ReasonKind::Novel]);
    assert!(reasons[0].message.contains("examine without it") && report.findings.is_empty());
    let wanted = if labels.triage == Triage::Urgent { Triage::Refer } else { Triage::Unassessed };
    assert_eq!(report.triage, wanted);
    assert!(report.novelty.expect("measured").value > 1e-3);
    let ukrainian = opened(&SKIN.onnx(SKIN.novelty(true, [0.0, 1e-3]))).expect("opens");
    let report = ukrainian.classify(&image, &query.language("uk")).expect("a report");
    assert!(report.verdict.reasons()[0].message.contains("оглядайте без неї"));
}

#[test]
fn novelty_over_soft_refers_at_least() {
    for case in [SKIN, CHEST] {
        let (image, query) = (case.image(), case.query());
        let labels = open(case.model).classify(&image, &query).expect("a report");
        let report = opened(&case.onnx(case.novelty(false, [0.0, 1e30])))
            .expect("opens")
            .classify(&image, &query)
            .expect("a report");
        assert_eq!((&report.verdict, findings(&report)), (&labels.verdict, findings(&labels)));
        assert!(matches!(report.triage, Triage::Refer | Triage::Urgent), "{}", report.triage);
    }
}

#[test]
fn picture_out_of_scope_has_no_novelty() {
    let classifier = opened(&SKIN.onnx(SKIN.novelty(true, [0.0, 1.0]))).expect("opens");
    let report = classifier.classify(&SKIN.image(), &Query::new()).expect("a report");
    assert_eq!((report.verdict.kind(), report.novelty), ("rejected", None));
}

#[test]
fn tensors_that_do_not_fit_are_refused_by_name() {
    let with = |change: &dyn Fn(&mut NoveltyModel)| {
        let mut novelty = SKIN.novelty(false, [1.0, 2.0]);
        change(&mut novelty);
        let onnx = SKIN.onnx(novelty);
        let error = opened(&onnx).map(drop).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::InvalidManifest, "{error}");
        error.to_string()
    };
    let text = with(&|novelty| novelty.features[1] = "nothing".into());
    assert!(text.contains("\"nothing\" can't be tapped: the graph has no tensor of this name"), "{text}");
    let text = with(&|novelty| drop(novelty.features.pop()));
    assert!(text.contains("are of 352 features") && text.contains("192 channels"), "{text}");
    // A prepared model without the tap.
    let mut bare = Prepared::from_bytes(
        &prepared(&fs::read(shipped(SKIN.model).join("model.onnx")).expect("shipped")).expect("one program"),
    )
    .expect("sound");
    let file = ModelFile::from_bytes(&SKIN.onnx(SKIN.novelty(false, [1.0, 2.0]))).expect("sound");
    bare.set_metadata(METADATA_KEY, file.metadata(METADATA_KEY).expect("inside").to_owned());
    let error = opened(&bare.to_bytes()).map(drop).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidManifest, "{error}");
    assert!(error.to_string().contains("\"hardtanh_13\"") && error.to_string().contains("prepare it again"), "{error}");
}
