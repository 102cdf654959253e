//! The modules of the wire format, from `bindings/src/java`, and the checks of what they read and write.

#[path = "../../../bindings/src/handles.rs"]
mod handles;
#[path = "../../../bindings/src/java/reply.rs"]
mod reply;
#[path = "../../../bindings/src/java/request.rs"]
mod request;
#[path = "../../../bindings/src/java/wire.rs"]
mod wire;

use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use bedside::manifest::{GoldenBy, Manifest};
use bedside::{
    CancelHandle, DangerSign, DecidedBy, Error, ExplainMethod, Geometry, Heatmap, LabelName, LoadTimes, Novelty,
    Quality, Reason, ReasonKind, Report, Triage, Verdict, Warning, WarningKind, fuzzing,
};
use handles::Handles;
use serde_json::{from_value, json};
use wire::Reader;

static CANCEL_HANDLES: Handles<CancelHandle> = Handles::new();

/// Why a call gives no result, as in `bindings/src/java/mod.rs`.
enum Failure {
    Error(Error),
    Closed(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

/// The object of a handle, as in `bindings/src/java/mod.rs`.
fn cancel_handle(handle: i64) -> Result<Arc<CancelHandle>, Failure> {
    CANCEL_HANDLES.get(usize::try_from(handle).unwrap_or(0)).ok_or(Failure::Closed("cancel handle"))
}

/// Checks a request or a reply, as the first byte chooses.
pub(crate) fn both_ways(data: &[u8]) {
    let Some((&what, bytes)) = data.split_first() else { return };
    match what % 4 {
        0 => request(bytes),
        1 => frame(bytes),
        2 => drop(manifest(bytes)),
        _ => drop(results(&mut Unstructured::new(bytes))),
    }
}

/// Reads requests from any bytes. A refused query must give a reply that says why.
fn request(bytes: &[u8]) {
    if CANCEL_HANDLES.get(1).is_none() {
        CANCEL_HANDLES.keep(CancelHandle::new());
    }
    match request::query(bytes) {
        Ok(query) => assert!(query.cancel.is_none_or(|cancel| !cancel.is_cancelled())),
        Err(Failure::Closed(what)) => assert_eq!(ReplyReader(&reply::closed(what)).ended(2).string(), what),
        Err(Failure::Error(error)) => {
            let reply = reply::failed(&error);
            let mut reader = ReplyReader(&reply).ended(1);
            assert_eq!((reader.string(), reader.string()), (error.kind().as_str().into(), error.to_string()));
            reader.end();
        }
    }
    let _ = request::heatmap(bytes);
    let mut reader = Reader::new(bytes);
    if let Ok(options) = request::options(&mut reader) {
        // The maxima of Java's `int` and `long`.
        assert!(options.threads <= i32::MAX as u32 && options.limits.max_model_bytes <= i64::MAX as u64);
        let _ = reader.end();
    }
    let _ = Reader::new(bytes).string();
    let _ = bytes.first_chunk().map(|&number| request::rotation(i32::from_be_bytes(number)));
}

/// Reads the format of a frame, and the frame from its planes: the bytes after the format, in three parts.
fn frame(bytes: &[u8]) {
    let Some((&length, remaining)) = bytes.split_first() else { return };
    let (format, planes) = remaining.split_at(usize::from(length).min(remaining.len()));
    let Ok(frame) = request::frame(format) else { return };
    let third = planes.len() / 3;
    let planes = match frame.layout {
        crate::frame::Layout::Yuv420 { .. } => [&planes[..third], &planes[third..2 * third], &planes[2 * third..]],
        _ => [planes, &[], &[]],
    };
    let Ok(whole) = frame.image(planes) else { return };
    // The bytes that a copy of a frame keeps must give the same picture.
    let kept = frame.image(frame.used(planes)).expect("as much of each plane as the frame takes up");
    assert_eq!(format!("{whole:?}"), format!("{kept:?}"));
}

/// Writes the reply with a manifest, and reads it back.
fn manifest(bytes: &[u8]) -> Option<()> {
    let manifest = Manifest::from_json(std::str::from_utf8(bytes).ok()?).ok()?;
    let language = "uk";
    let written = reply::manifest(&manifest, language).finish();
    let mut reader = ReplyReader(&written).ended(0);
    for text in [manifest.name(), manifest.version(), manifest.license()] {
        assert_eq!(reader.string(), *text);
    }
    assert_eq!(reader.string(), manifest.title(language));
    for text in [manifest.intended_use(), manifest.not_for()] {
        assert_eq!(reader.string(), text.get(language).unwrap_or_default());
    }
    for level in Triage::ALL {
        assert_eq!(reader.string(), manifest.advice(*level, language));
    }
    reader.list(manifest.scope(), |reader, question| {
        assert_eq!(reader.string(), question.id);
        assert_eq!(reader.string(), question.text_in(language));
        assert_eq!(reader.string(), question.role.as_str());
        assert_eq!(reader.optional(ReplyReader::string).as_deref(), question.level.map(Triage::as_str));
        assert_eq!(reader.flag(), question.required);
        for bound in [question.min, question.max] {
            assert_eq!(reader.optional(ReplyReader::double).map(f64::to_bits), bound.map(f64::to_bits));
        }
    });
    for labels in [manifest.labels(), &manifest.shown_labels()] {
        reader.list(labels, |reader, label| {
            assert_eq!(reader.string(), label.id);
            assert_eq!(reader.string(), label.name_in(language));
            assert_eq!(reader.optional(ReplyReader::float).map(f32::to_bits), label.operating_point.map(f32::to_bits));
            assert_eq!(reader.string(), label.triage.as_str());
        });
    }
    assert_eq!(reader.string(), manifest.to_json());
    reader.end();
    Some(())
}

/// Writes all other replies with arbitrary results, and reads them back.
fn results(some: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let scores = Vec::<f32>::arbitrary(some)?;
    let written = reply::scores(&scores).finish();
    let mut reader = ReplyReader(&written).ended(0);
    reader.list(&scores, |reader, score| assert_eq!(reader.float().to_bits(), score.to_bits()));
    reader.end();

    let (handle, flag) = (i64::arbitrary(some)?, bool::arbitrary(some)?);
    let written = [reply::handle(handle).finish(), reply::flag(flag).finish(), reply::done().finish()];
    assert_eq!(ReplyReader(&written[0]).ended(0).long(), handle);
    assert_eq!(ReplyReader(&written[1]).ended(0).flag(), flag);
    ReplyReader(&written[2]).ended(0).end();

    let tested = match some.int_in_range(0..=2)? {
        0 => None,
        by => Some(fuzzing::self_test([GoldenBy::Lab, GoldenBy::Itself][by - 1], f32::arbitrary(some)?)),
    };
    let written = reply::self_test(tested).finish();
    let mut reader = ReplyReader(&written).ended(0);
    let read = reader.optional(|reader| (reader.string(), reader.float().to_bits()));
    assert_eq!(read, tested.map(|found| (found.by.as_str().to_owned(), found.max_difference.to_bits())));
    reader.end();

    let mut times = LoadTimes::default();
    times.read = Duration::from_nanos(u64::arbitrary(some)?);
    times.optimize = Duration::from_nanos(u64::arbitrary(some)?);
    let written = reply::load_times(&times).finish();
    let mut reader = ReplyReader(&written).ended(0);
    for part in [times.read, times.import, times.optimize] {
        assert_eq!(reader.double().to_bits(), (part.as_secs_f64() * 1e3).to_bits());
    }
    reader.end();

    let file = Vec::<u8>::arbitrary(some)?;
    let written = reply::file(&file).finish();
    let mut reader = ReplyReader(&written).ended(0);
    assert_eq!(reader.bytes(), file);
    reader.end();

    let report = arbitrary_report(some)?;
    let written = reply::report(&report).finish();
    let mut reader = ReplyReader(&written).ended(0);
    reader.report(&report);
    reader.end();
    let written = reply::reasons(report.verdict.reasons()).finish();
    let mut reader = ReplyReader(&written).ended(0);
    reader.list(report.verdict.reasons(), ReplyReader::reason);
    reader.end();
    Ok(())
}

fn arbitrary_report(some: &mut Unstructured<'_>) -> arbitrary::Result<Report> {
    let label = |some: &mut Unstructured<'_>| -> arbitrary::Result<LabelName> {
        Ok(fuzzing::label_name(String::arbitrary(some)?, String::arbitrary(some)?, *some.choose(Triage::ALL)?))
    };
    let reason = |some: &mut Unstructured<'_>| -> arbitrary::Result<Reason> {
        let kind = *some.choose(ReasonKind::ALL)?;
        Ok(fuzzing::reason(kind, Arbitrary::arbitrary(some)?, Arbitrary::arbitrary(some)?, String::arbitrary(some)?))
    };
    let verdict = match some.int_in_range(0..=3)? {
        0 => Verdict::Single(label(some)?),
        1 => Verdict::Several((0..some.int_in_range(0..=4)?).map(|_| label(some)).collect::<Result<_, _>>()?),
        2 => Verdict::Undecided,
        _ => Verdict::Rejected((0..some.int_in_range(0..=4)?).map(|_| reason(some)).collect::<Result<_, _>>()?),
    };
    let finding = |some: &mut Unstructured<'_>| {
        // Probabilities of a report are finite, 0 to 1.
        let numbers = [0, 0].map(|_| u16::arbitrary(some).map(|number| f32::from(number) / 65_535.0));
        let [probability, operating_point] = numbers;
        let numbers = [probability?, operating_point?];
        Ok(fuzzing::finding(String::arbitrary(some)?, String::arbitrary(some)?, numbers, bool::arbitrary(some)?))
    };
    let findings = (0..some.int_in_range(0..=4)?).map(|_| finding(some)).collect::<arbitrary::Result<_>>()?;
    let sign = |some: &mut Unstructured<'_>| -> arbitrary::Result<DangerSign> {
        Ok(fuzzing::danger_sign(String::arbitrary(some)?, String::arbitrary(some)?, *some.choose(Triage::ALL)?))
    };
    let danger = (0..some.int_in_range(0..=4)?).map(|_| sign(some)).collect::<arbitrary::Result<_>>()?;
    let triage = (*some.choose(Triage::ALL)?, *some.choose(DecidedBy::ALL)?);
    let identity = fuzzing::identity(String::arbitrary(some)?, String::arbitrary(some)?, String::arbitrary(some)?);
    let mut report = fuzzing::report(verdict, triage, danger, findings, identity, Arbitrary::arbitrary(some)?);
    let warning = |some: &mut Unstructured<'_>| -> arbitrary::Result<Warning> {
        let kind = *some.choose(WarningKind::ALL)?;
        Ok(from_value(json!({ "kind": kind, "message": String::arbitrary(some)? })).expect("a warning"))
    };
    report.warnings = (0..some.int_in_range(0..=2)?).map(|_| warning(some)).collect::<Result<_, _>>()?;
    if bool::arbitrary(some)? {
        let (picture, region) = (<[u32; 2]>::arbitrary(some)?, <[i16; 4]>::arbitrary(some)?);
        let (spacing_mm, at_detector) = (Option::<[u8; 2]>::arbitrary(some)?, bool::arbitrary(some)?);
        let geometry = json!({
            "picture": picture,
            "region": region,
            "spacing_mm": spacing_mm,
            "spacing_at_detector": at_detector,
        });
        report.geometry = Some(from_value(geometry).expect("a geometry"));
    }
    report.heatmap = Option::<[u32; 2]>::arbitrary(some)?.map(|size| {
        let mut heatmap = Heatmap::default();
        (heatmap.width, heatmap.height, heatmap.picture) = (size[0], size[1], size);
        heatmap
    });
    if let Some(heatmap) = &mut report.heatmap {
        heatmap.label = String::arbitrary(some)?;
        heatmap.method = *some.choose(ExplainMethod::ALL)?;
        heatmap.values = Vec::<i16>::arbitrary(some)?.into_iter().map(f32::from).collect();
    }
    Ok(report)
}

/// Reads a reply as `Reply.java` does.
struct ReplyReader<'a>(&'a [u8]);

impl ReplyReader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, remaining) = self.0.split_first_chunk().expect("a reply holds what it says");
        self.0 = remaining;
        *taken
    }

    /// Checks how the call ended.
    fn ended(mut self, how: u8) -> Self {
        assert_eq!(self.take(), [how]);
        self
    }

    fn end(self) {
        assert!(self.0.is_empty(), "a reply ends where it is read to its end");
    }

    fn flag(&mut self) -> bool {
        let [flag] = self.take();
        assert!(flag <= 1);
        flag == 1
    }

    fn int(&mut self) -> i32 {
        i32::from_be_bytes(self.take())
    }

    fn long(&mut self) -> i64 {
        i64::from_be_bytes(self.take())
    }

    fn float(&mut self) -> f32 {
        f32::from_be_bytes(self.take())
    }

    fn double(&mut self) -> f64 {
        f64::from_be_bytes(self.take())
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = usize::try_from(self.int()).expect("a length");
        let (bytes, remaining) = self.0.split_at(length);
        self.0 = remaining;
        bytes.to_vec()
    }

    fn string(&mut self) -> String {
        String::from_utf8(self.bytes()).expect("UTF-8")
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| read(self))
    }

    /// Checks that the list has as many items as `wanted`, and calls `read` for each with the wanted item.
    fn list<T>(&mut self, wanted: &[T], mut read: impl FnMut(&mut Self, &T)) {
        assert_eq!(self.int(), i32::try_from(wanted.len()).expect("few"));
        for one in wanted {
            read(self, one);
        }
    }

    fn reason(&mut self, reason: &Reason) {
        assert_eq!(self.string(), reason.kind.as_str());
        assert_eq!(self.optional(ReplyReader::string), reason.id);
        assert_eq!(self.optional(ReplyReader::string), reason.question);
        assert_eq!(self.string(), reason.message);
    }

    fn heatmap(&mut self, heatmap: &Heatmap) {
        assert_eq!((self.string().as_str(), self.string().as_str()), (&*heatmap.label, heatmap.method.as_str()));
        let read = [self.int(), self.int()].map(i32::cast_unsigned);
        assert_eq!(read, [heatmap.width, heatmap.height]);
        self.list(&heatmap.values, |reader, value| assert_eq!(reader.float().to_bits(), value.to_bits()));
        for number in heatmap.frame.as_flattened() {
            assert_eq!(self.double().to_bits(), number.to_bits());
        }
        assert_eq!([self.int(), self.int()].map(i32::cast_unsigned), heatmap.picture);
        for edge in heatmap.seen {
            assert_eq!(self.double().to_bits(), edge.to_bits());
        }
        assert_eq!((self.float().to_bits(), self.flag()), (heatmap.max.to_bits(), heatmap.evidence));
    }

    fn geometry(&mut self, geometry: &Geometry) {
        assert_eq!([self.int(), self.int()].map(i32::cast_unsigned), geometry.picture);
        for edge in geometry.region {
            assert_eq!(self.double().to_bits(), edge.to_bits());
        }
        let spacing = self.optional(|reader| [reader.double(), reader.double()].map(f64::to_bits));
        assert_eq!(spacing, geometry.spacing_mm.map(|spacing| spacing.map(f64::to_bits)));
        assert_eq!(self.flag(), geometry.spacing_at_detector);
    }

    fn report(&mut self, report: &Report) {
        assert_eq!(self.string(), report.verdict.kind());
        self.list(report.verdict.labels(), |reader, label| {
            assert_eq!((reader.string(), reader.string()), (label.id.clone(), label.name.clone()));
            assert_eq!(reader.string(), label.level.as_str());
        });
        self.list(report.verdict.reasons(), ReplyReader::reason);
        assert_eq!(self.string(), report.summary);
        assert_eq!(self.string(), report.triage.as_str());
        assert_eq!(self.string(), report.decided_by.as_str());
        assert_eq!(self.string(), report.advice);
        self.list(&report.danger, |reader, sign| {
            assert_eq!((reader.string(), reader.string()), (sign.id.clone(), sign.question.clone()));
            assert_eq!(reader.string(), sign.level.as_str());
        });
        self.list(&report.findings, |reader, finding| {
            assert_eq!((reader.string(), reader.string()), (finding.label.clone(), finding.name.clone()));
            assert_eq!(reader.float().to_bits(), finding.probability.to_bits());
            assert_eq!(reader.float().to_bits(), finding.operating_point.to_bits());
            assert_eq!(reader.flag(), finding.over_operating_point);
        });
        let measures = |quality: Quality| {
            let Quality { focus, dark, bright, contrast, color, size, .. } = quality;
            [focus, dark, bright, contrast, color, size].map(f32::to_bits)
        };
        let read = self.optional(|reader| [(); 6].map(|()| reader.float().to_bits()));
        assert_eq!(read, report.quality.map(measures));
        self.list(&report.warnings, |reader, warning| {
            assert_eq!((reader.string().as_str(), reader.string()), (warning.kind.as_str(), warning.message.clone()));
        });
        assert_eq!(self.flag(), report.geometry.is_some());
        if let Some(geometry) = &report.geometry {
            self.geometry(geometry);
        }
        let levels = |found: Novelty| [found.value, found.soft, found.hard].map(f32::to_bits);
        let read = self.optional(|reader| [(); 3].map(|()| reader.float().to_bits()));
        assert_eq!(read, report.novelty.map(levels));
        assert_eq!(self.flag(), report.heatmap.is_some());
        if let Some(heatmap) = &report.heatmap {
            self.heatmap(heatmap);
        }
        let times = &report.timings;
        for stage in [times.decode, times.preprocess, times.engine, times.verdict, times.total] {
            assert_eq!(self.double().to_bits(), (stage.as_secs_f64() * 1e3).to_bits());
        }
        for text in [&report.model.name, &report.model.version, &report.model.graph_sha256] {
            assert_eq!(self.string(), *text);
        }
        for text in [&*report.runtime.name, &*report.runtime.version, &*report.notice] {
            assert_eq!(self.string(), text);
        }
        assert_eq!((self.string(), self.string()), (report.to_string(), report.to_json()));
    }
}
