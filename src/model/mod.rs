//! A loaded model: a manifest, and the engine that runs its graph.

mod binding;

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bedside_engine::{Engine, Head, Input, ModelFile, Pixels, Tap, Tapped, Tensor};

use crate::image::Picture;
use crate::manifest::{Manifest, NoveltyModel};
use crate::preprocess::{ModelInput, PreprocessBuffers, normalised, preprocess};
use crate::query::CancelHandle;
use crate::report::ModelIdentity;
use crate::scores::{Rescaling, Scoring};
use crate::verdict::Rule;
use crate::{Error, ErrorKind, Options, Result};

/// The maximum number of threads, more than any phone has cores. It bounds the memory that threads take.
const MAX_THREADS: u32 = 256;

pub use binding::Binding;
pub(crate) use binding::features_tap;
use binding::{InputElement, mean_taps, novelty_taps};

/// The wall-clock times of the parts of opening a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadTimes {
    /// Reading and decoding the file, and checking the manifest against the graph.
    pub read: Duration,
    /// From the decoded file to a program, where the graph is quantized from end to end, or else to tract's typed
    /// operators. Zero for a prepared model.
    pub import: Duration,
    /// From there to what runs: packing the program, or tract's optimizations.
    pub optimize: Duration,
}

/// A manifest, the engine that runs its graph, and how to map pictures to inputs and outputs to probabilities.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) manifest: Manifest,
    pub(crate) identity: ModelIdentity,
    pub(crate) scoring: Scoring,
    pub(crate) rule: Rule,
    pub(crate) times: LoadTimes,
    /// The selection of taps that gives the features of novelty, in their order.
    pub(crate) novelty_taps: Vec<usize>,
    /// The selection of taps that gives what tools observe, in its order; empty but for tools.
    pub(crate) observed_taps: Vec<usize>,
    engine: Engine,
    binding: Binding,
    /// The normalised value of each byte, one table for each channel; `None` for a graph whose input is bytes.
    values: Option<Vec<[f32; 256]>>,
}

/// What one run of the graph gives.
#[derive(Debug)]
pub(crate) struct Run {
    /// The output values, one for each label.
    pub(crate) values: Vec<f32>,
    /// The tapped tensors of the selection, in its order.
    pub(crate) taps: Vec<Tensor>,
}

impl Run {
    /// The run without the taps from the index `at` on, and the values of those, joined.
    pub(crate) fn split_taps(mut self, at: usize) -> (Run, Vec<f32>) {
        let taps = self.taps.split_off(at);
        (self, joined(&taps).collect())
    }
}

/// The output values of a run, one for each label.
pub(crate) fn values(results: &Tapped) -> Result<&[f32]> {
    let values = results.outputs.first().and_then(Tensor::as_f32);
    values.ok_or_else(|| Error::new(ErrorKind::Internal, "the engine gave no floats"))
}

/// The values of all tensors, in their order.
pub(crate) fn joined(tensors: &[Tensor]) -> impl Iterator<Item = f32> {
    tensors.iter().filter_map(Tensor::as_f32).flatten().copied()
}

impl Model {
    /// Opens a model file, whose runs can return the means of the channels of the tensors in `observed`, too. Errors name
    /// the file, or the file beside it that they are about.
    pub(crate) fn open(path: &Path, observed: &[String], options: &Options) -> Result<Model> {
        let start = Instant::now();
        let load = || {
            let file = ModelFile::open(path, options.limits.max_model_bytes).map_err(Error::engine)?;
            let manifest = Manifest::of(&file, Some(path))?;
            Model::load(file, manifest, observed, options, start)
        };
        load().map_err(|error| error.in_file(path))
    }

    /// Opens a model from the bytes of a file, and drops them as soon as they are decoded.
    pub(crate) fn from_bytes(bytes: Cow<'_, [u8]>, options: &Options) -> Result<Model> {
        let start = Instant::now();
        if bytes.len() as u64 > options.limits.max_model_bytes {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("the model has {} bytes; the limit is {}", bytes.len(), options.limits.max_model_bytes),
            ));
        }
        let file = ModelFile::from_bytes(&bytes).map_err(Error::engine)?;
        drop(bytes);
        let manifest = Manifest::of(&file, None)?;
        Model::load(file, manifest, &[], options, start)
    }

    /// Checks the manifest against the graph and builds the engine. `start` is when opening began.
    fn load(
        file: ModelFile,
        manifest: Manifest,
        observed: &[String],
        options: &Options,
        start: Instant,
    ) -> Result<Model> {
        let mut binding = Binding::new(&manifest, &file)?;
        let observed = mean_taps(observed);
        for tap in &observed {
            if !binding.signature.taps.contains(tap) {
                binding.signature.taps.push(tap.clone());
            }
        }
        let identity = ModelIdentity {
            name: manifest.name().to_owned(),
            version: manifest.version().to_owned(),
            graph_sha256: file.sha256(),
        };
        let scoring = Scoring {
            activation: manifest.output().activation,
            multi_label: binding.multi_label,
            rescaling: Rescaling::of(manifest.calibration()),
        };
        let rule = Rule::of(&manifest);
        let read = start.elapsed();
        let engine = Engine::load(file, &binding.signature, options.threads.clamp(1, MAX_THREADS) as usize)
            .map_err(Error::engine)?;
        check_values(&manifest, &engine)?;
        let novelty_taps = selection(&binding.signature.taps, &novelty_taps(&manifest));
        check_features(&manifest, &engine, &novelty_taps)?;
        let observed_taps = selection(&binding.signature.taps, &observed);
        let built = engine.times();
        let times = LoadTimes { read, import: built.import, optimize: built.optimize };
        log::debug!("model {} {} opened in {:?}", identity.name, identity.version, start.elapsed());
        let values =
            (binding.element == InputElement::Float).then(|| normalised(&manifest.input().mean, &manifest.input().std));
        Ok(Model { manifest, identity, scoring, rule, times, novelty_taps, observed_taps, engine, binding, values })
    }

    /// Resizes the picture to the graph's input, in the input's channel order. As [`preprocess`](fn@preprocess).
    pub(crate) fn preprocess(&self, picture: &Picture, buffers: &mut PreprocessBuffers, to: &mut ModelInput) {
        preprocess(picture, self.manifest.input(), buffers, to);
    }

    /// Runs the graph and returns its output values, one for each label.
    pub(crate) fn run(&self, input: &ModelInput) -> Result<Vec<f32>> {
        self.run_tapped(&CancelHandle::new(), input, &[]).map(|run| run.values)
    }

    /// As [`run`](Model::run), with cancellation: [`ErrorKind::Cancelled`] where the handle is cancelled meanwhile.
    pub(crate) fn run_cancellable(&self, cancel: &CancelHandle, input: &ModelInput) -> Result<Vec<f32>> {
        self.run_tapped(cancel, input, &[]).map(|run| run.values)
    }

    /// As [`run_cancellable`](Model::run_cancellable); returns some of the taps, too. `selection` has their indices, as
    /// [`tap`](Model::tap) gives them. The output values are the same to the bit whatever the selection is.
    pub(crate) fn run_tapped(&self, cancel: &CancelHandle, input: &ModelInput, selection: &[usize]) -> Result<Run> {
        let mut results = Tapped::default();
        self.run_into(cancel.flag(), input, selection, &mut results)?;
        Ok(Run { values: values(&results)?.to_vec(), taps: results.taps })
    }

    /// As [`run_tapped`](Model::run_tapped); leaves what the engine returns in `results`, whose memory it uses again.
    pub(crate) fn run_into(
        &self,
        cancelled: &AtomicBool,
        input: &ModelInput,
        selection: &[usize],
        results: &mut Tapped,
    ) -> Result<()> {
        let pixels = Input::Pixels(self.pixels(input));
        self.engine.run_into(cancelled, pixels, selection, results).map_err(Error::engine)
    }

    /// The input as the engine takes it.
    pub(crate) fn pixels<'a>(&'a self, input: &'a ModelInput) -> Pixels<'a> {
        input.pixels(self.binding.layout, self.values.as_deref())
    }

    /// The index of a tap in selections; `None` where the manifest's fields don't need it.
    pub(crate) fn tap(&self, tap: &Tap) -> Option<usize> {
        self.binding.signature.taps.iter().position(|declared| declared == tap)
    }

    /// The linear head, where the manifest has an `explanation`.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.binding.head.as_ref()
    }

    /// A black input.
    pub(crate) fn blank(&self) -> ModelInput {
        ModelInput::black(self.manifest.input())
    }
}

/// Checks that the engine's outputs have one value for each label, now that their shapes are known.
fn check_values(manifest: &Manifest, engine: &Engine) -> Result<()> {
    let values: usize = engine.output_shapes().iter().flatten().product();
    let labels = manifest.labels().len();
    if values == labels {
        return Ok(());
    }
    let shapes = engine.output_shapes();
    Err(Error::new(
        ErrorKind::InvalidManifest,
        format!("`output.labels` has {labels} labels, but the graph gives {values} values, of shape {shapes:?}"),
    ))
}

/// The indices in a signature's taps of those that are wanted. The signature has all that the manifest names.
fn selection(taps: &[Tap], wanted: &[Tap]) -> Vec<usize> {
    wanted.iter().filter_map(|tap| taps.iter().position(|known| known == tap)).collect()
}

/// Checks that novelty's statistics are of as many features as the tapped tensors have channels.
fn check_features(manifest: &Manifest, engine: &Engine, taps: &[usize]) -> Result<()> {
    let novelty = manifest.calibration().and_then(|calibration| calibration.novelty.as_ref());
    let tables = novelty.map(NoveltyModel::tables).transpose()?.flatten();
    let Some(tables) = tables else { return Ok(()) };
    let shapes: Vec<&[usize]> = taps.iter().map(|&tap| engine.tap_shapes()[tap].as_slice()).collect();
    let channels: usize = shapes.iter().map(|shape| shape.iter().product::<usize>()).sum();
    if channels == tables.mean.len() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidManifest,
        format!(
            "`calibration.novelty.statistics` are of {} features, but the tensors of `calibration.novelty.features` have \
             {channels} channels, with means of shape {shapes:?}",
            tables.mean.len()
        ),
    ))
}
