//! Offline image classification on the device: a picture in, a calibrated verdict out.
//!
//! A model is one file that describes itself: its manifest says how a picture becomes its input, what its outputs mean, and
//! from which probability on a label can't be excluded. [`Classifier`] opens it; [`Classifier::classify`] takes an
//! [`Image`] and a [`Query`] and gives a [`Report`].
//!
//! The file is an ONNX graph, or what `bedside pack --prepare` made of one. Without the feature `onnx`, which is on by
//! default, only the latter opens, and tract is not compiled.
//!
//! ```no_run
//! use bedside::{Answer, Classifier, Image, Options, Query};
//!
//! let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::default())?;
//! let query = Query::new().answer("dermatoscope", Answer::Yes);
//! let report = classifier.classify(&Image::open("photo.jpg")?, &query)?;
//! println!("{:?}, triage {}", report.verdict, report.triage);
//! # Ok::<(), bedside::Error>(())
//! ```
//!
//! Research software, not a medical device. Nothing leaves the device; pictures and results never enter a log.
//!
//! The way of a picture, one module a stage: `image` (decode, orient, crop), `preprocess` (resize, normalise), the crate
//! [`bedside_engine`], `scores` (probabilities), `verdict` (what can't be excluded, triage), `report`.

mod classifier;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod image;
mod limits;
pub mod manifest;
mod model;
mod options;
mod preprocess;
mod query;
mod report;
mod scores;
mod triage;
mod verdict;

pub use classifier::{Classifier, SelfTest};
pub use error::{Error, ErrorKind, Result};
pub use image::{Image, Plane, Region, Rotation, Yuv420, YuvMatrix, YuvRange};
pub use limits::Limits;
pub use manifest::Manifest;
pub use model::{Binding, LoadTimes};
pub use options::Options;
pub use query::{Answer, CancelHandle, Query};
pub use report::{Finding, ModelIdentity, NOTICE, Report, RuntimeIdentity, Timings};
pub use triage::Triage;
pub use verdict::{LabelName, Reason, ReasonKind, Verdict};

/// The README's code, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
