//! Offline image classification on the device: a picture in, a calibrated verdict out.
//!
//! **Research software, not a medical device.** A result does not replace a clinician's examination. Show [`NOTICE`]
//! wherever you show a result; each [`Report`] carries it.
//!
//! # What it does
//!
//! The crate runs a quantized image classifier on one picture. It says which labels can't be excluded, how probable
//! each label is, and what a person should do. It needs no network, no Python and no account.
//!
//! [`Classifier::open`] opens a model. [`Classifier::classify`] takes an [`Image`] and a [`Query`] and gives a
//! [`Report`], in four stages:
//!
//! 1. *decode*: decodes the picture or reads the camera frame, rotates it upright, and crops it to the query's
//!    [`Region`];
//! 2. *preprocess*: resizes the picture to the model's input and normalises it, as the [`Manifest`] says, and measures its
//!    [`Quality`]: a picture beyond the manifest's limits is rejected;
//! 3. *engine*: runs the graph with the crate `bedside-engine`, in integers where the graph is quantized;
//! 4. *verdict*: computes calibrated probabilities, compares each with its label's operating point, and derives the
//!    [`Verdict`], the [`Triage`] and the [`Finding`]s.
//!
//! # Quick start
//!
//! ```
//! # if cfg!(not(feature = "onnx")) { return Ok(()); }
//! use bedside::{Answer, Classifier, Image, Options, Query};
//!
//! let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
//! let image = Image::open("models/samples/ISIC_0012258.jpg")?;
//! let query = Query::new().answer("dermatoscope", Answer::Yes).answer("mole_like", Answer::Yes);
//! let report = classifier.classify(&image, &query)?;
//!
//! println!("{}, triage {}", report.verdict, report.triage);
//! for finding in &report.findings {
//!     println!("{}: {:.0} %", finding.name, finding.probability * 100.0);
//! }
//! println!("{}", report.notice);
//! # Ok::<(), bedside::Error>(())
//! ```
//!
//! The folder `examples/` of the repository has whole programs: one picture, a camera frame, many threads, a manifest.
//!
//! # Results
//!
//! The verdict and the triage come from the calibrated probabilities of all labels, and from the answers:
//!
//! - Labels at or over their operating point can't be excluded. Where there are none, the verdict is
//!   [`Verdict::Undecided`].
//! - The triage is [`Triage::Urgent`] where an urgent label can't be excluded; else [`Triage::Refer`] where a label of that
//!   level can't be excluded, or the verdict is undecided. [`Triage::NoSign`] takes a model that was shown to be able to
//!   say it. [`Report::decided_by`] says what decided.
//! - Where an answer puts the picture out of scope, or a required answer is missing, the verdict is
//!   [`Verdict::Rejected`] and the triage [`Triage::Unassessed`].
//! - Where the picture's quality is beyond a limit of the manifest, the same; the triage is [`Triage::Refer`] where an
//!   earlier picture of the case was rejected for its quality ([`Query::refusals`]).
//! - Where the picture is unlike those that the model was made for, the verdict is [`Verdict::Rejected`], and the triage
//!   [`Triage::Unassessed`], or [`Triage::Refer`] where an urgent label can't be excluded. Where it is somewhat unlike them,
//!   the triage is at least [`Triage::Refer`].
//! - A danger sign that an answer states sets the triage to at least its level.
//!
//! A verdict has its labels in descending order of level, then of probability. Findings are in descending order of
//! probability. Where both are equal, the manifest's order stays.
//!
//! # Models
//!
//! A model is one file that describes itself: an ONNX graph, or a *prepared* model, which `bedside pack --prepare`
//! makes from an ONNX graph that is quantized from end to end. Its [`Manifest`] is in the metadata of the file, or in
//! `model.json` beside it. The manifest says how a picture becomes the input, what the outputs mean, from which
//! probability on a label can't be excluded, and which questions tell whether a picture is in scope.
//!
//! Call [`Classifier::self_test`] once on each device: it compares the scores of a sample with those that the model's
//! maker measured.
//!
//! # Pictures
//!
//! [`Image`] holds an encoded picture (JPEG, PNG, BMP, WebP, TIFF, a frame of DICOM) or pixels (RGB, RGBA, BGRA, grey, YUV 4:2:0 frames
//! of a camera). Pixels can be borrowed without a copy. The EXIF orientation of an encoded picture is applied;
//! [`Image::rotated`] and [`Image::mirrored`] rotate and mirror camera frames.
//!
//! # Languages
//!
//! [`Query::language`] is a BCP 47 tag. The sentences of a report (summary, advice, reasons, notice) are in English and
//! Ukrainian; a report in any other language has the English ones. The names of labels and the texts of questions are
//! in the languages that the manifest has, with the fallbacks of [`Text::get`](manifest::Text::get). The headings of
//! [`Report`]'s text and all error messages are in English.
//!
//! # Features
//!
//! All are on by default; `default-features = false` turns them off.
//!
//! | feature | with it | without it |
//! |---|---|---|
//! | `onnx` | ONNX files and prepared models open | only prepared models open; tract is not compiled |
//! | `float-threads` | matrix products of nodes that run in float use [`Options::threads`] | they use one thread |
//! | `tiff` | TIFF is decoded | a TIFF is [`ErrorKind::UnsupportedImage`] |
//! | `dicom` | DICOM is decoded | a DICOM file is [`ErrorKind::UnsupportedImage`] |
//! | `webp` | WebP is decoded | a WebP is [`ErrorKind::UnsupportedImage`] |
//!
//! The quantized partitions of a graph use [`Options::threads`] with or without `float-threads`.
//!
//! # Threads
//!
//! All methods of [`Classifier`] take `&self`: one classifier serves many threads. Open a model once and keep it.
//!
//! A call runs on its caller's thread and blocks it until the result is there, so do not call from a thread that draws
//! a screen. With [`Options::threads`] above 1, a classification also uses a thread pool, which all classifiers of the
//! process share. While the pool is busy with one classification, a second one runs on its caller's thread alone.
//! Results do not depend on the number of threads.
//!
//! The engine takes the fastest kernels that the processor has. The environment variable `BEDSIDE_KERNEL` names others,
//! for tests and measurements.
//!
//! A [`CancelHandle`] ends a classification from another thread.
//!
//! # Errors
//!
//! Functions that can fail return [`Error`]. Match on [`Error::kind`]; the text says what was wrong, where, and what to
//! do.
//!
//! ```
//! use bedside::{ErrorKind, Image};
//!
//! let error = Image::open("missing.jpg").unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Io);
//! assert_eq!(error.to_string(), "missing.jpg: no such file; check the path");
//! ```
//!
//! A picture that is out of scope, or too poor, is no error: its report has [`Verdict::Rejected`].
//!
//! A panic in a decoder or in the engine becomes [`ErrorKind::Internal`], or [`ErrorKind::UnsupportedModel`] where
//! tract panics while it imports a graph. A program that is built with `panic = "abort"` ends instead.
//!
//! # Limits
//!
//! Pictures and models are untrusted input. Each size that a header declares is compared with [`Limits`] before memory
//! is allocated; what is over a limit is [`ErrorKind::TooLarge`]. Set limits with [`Options::limits`]:
//!
//! ```
//! use bedside::{Limits, Options};
//!
//! let options = Options::new().limits(Limits::new().max_decoded_bytes(64 << 20));
//! # assert_eq!(options.limits.max_decoded_bytes, 64 << 20);
//! ```
//!
//! Fixed limits: [`Image::open`] reads at most 256 MiB, a picture has at most 65,535 pixels a side, and a manifest has
//! at most [`manifest::MAX_BYTES`] bytes.
//!
//! # Privacy
//!
//! The crate opens no connection and writes no file. Pictures and results never enter a log. The crate logs through
//! `log`: the time of each stage (level `trace`, target `bedside::stages`), a model's name and version and why nodes do
//! not run in integers (`debug`), and manifest fields that it does not know or threads that could not be started
//! (`warn`). Error messages contain file names. The `Debug` text of an [`Image`] has its size and file name, and no
//! pixels. Freed memory is not overwritten.

#![cfg_attr(test, allow(clippy::float_cmp, reason = "tests compare with exact values"))]

// One module for each stage: `image` (decode), `preprocess` and `quality`, the crate `bedside_engine` by way of `model` (engine), and
// `scores`, `verdict` and `report` (verdict). `classifier` calls them in order.

mod classifier;
#[cfg(feature = "dicom")]
mod dicom;
mod error;
mod explain;
#[cfg(fuzzing)]
pub mod fuzzing;
mod geometry;
mod image;
mod limits;
pub mod manifest;
mod model;
mod options;
mod preprocess;
mod quality;
mod query;
mod report;
mod scores;
mod source;
#[doc(hidden)]
pub mod tools;
mod triage;
mod verdict;
mod words;
mod workspace;

pub use classifier::{Classifier, SelfTest};
pub use error::{Error, ErrorKind, Result};
pub use explain::{Explain, ExplainMethod, Heatmap};
pub use image::{Image, Plane, Region, Rotation, Window, Yuv420, YuvMatrix, YuvRange};
pub use limits::Limits;
pub use manifest::Manifest;
pub use model::LoadTimes;
pub use options::Options;
pub use quality::{Quality, Warning, WarningKind};
pub use query::{Answer, CancelHandle, Query};
pub use report::{Finding, Geometry, ModelIdentity, NOTICE, Report, RuntimeIdentity, Timings, notice};
pub use source::Source;
pub use triage::Triage;
pub use verdict::{DangerSign, DecidedBy, LabelName, Novelty, Reason, ReasonKind, Verdict};

/// The README, whose code is compiled as a doctest.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
