//! A manifest and its graph together, ready to run: what a classifier is made of.

mod binding;

use std::path::Path;
use std::time::{Duration, Instant};

use bedside_engine::{Engine, ModelFile, Tensor};

use crate::image::Picture;
use crate::manifest::Manifest;
use crate::preprocess::{ModelInput, normalised, preprocess};
use crate::query::CancelHandle;
use crate::report::ModelIdentity;
use crate::scores::Scoring;
use crate::{Error, Options, Result};

/// More threads than any phone has cores; each takes memory.
const MAX_THREADS: u32 = 256;

pub use binding::Binding;
use binding::Element;

/// How long the parts of opening a model took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadTimes {
    /// Reading the file, decoding it, checking the manifest against it.
    pub read: Duration,
    /// From the decoded file to typed operators.
    pub import: Duration,
    /// From those to the ones that run.
    pub optimize: Duration,
}

/// A manifest and its graph, ready to run.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) manifest: Manifest,
    pub(crate) identity: ModelIdentity,
    pub(crate) scoring: Scoring,
    pub(crate) times: LoadTimes,
    engine: Engine,
    binding: Binding,
    /// What the values of each channel stand for, for a graph that takes floats.
    values: Option<Vec<[f32; 256]>>,
}

impl Model {
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Model> {
        let start = Instant::now();
        let load = || {
            let file = ModelFile::open(path, options.limits.max_model_bytes)?;
            let manifest = Manifest::of(&file, Some(path))?;
            Model::load(file, manifest, options, start)
        };
        load().map_err(|error| error.in_file(&path.display().to_string()))
    }

    pub(crate) fn from_bytes(bytes: &[u8], options: &Options) -> Result<Model> {
        let start = Instant::now();
        if bytes.len() as u64 > options.limits.max_model_bytes {
            return Err(Error::TooLarge(format!(
                "the model has {} bytes; the limit is {}",
                bytes.len(),
                options.limits.max_model_bytes
            )));
        }
        let file = ModelFile::from_bytes(bytes)?;
        let manifest = Manifest::of(&file, None)?;
        Model::load(file, manifest, options, start)
    }

    fn load(file: ModelFile, manifest: Manifest, options: &Options, start: Instant) -> Result<Model> {
        let binding = Binding::new(&manifest, &file)?;
        let identity = ModelIdentity {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            graph_sha256: file.sha256(),
        };
        let temperature = manifest.calibration.as_ref().and_then(|c| c.temperature).unwrap_or(1.0);
        let scoring = Scoring { activation: manifest.output.activation, multi_label: binding.multi_label, temperature };
        let read = start.elapsed();
        let engine = Engine::load(file, &binding.signature, options.threads.clamp(1, MAX_THREADS) as usize)?;
        check_values(&manifest, &engine)?;
        let built = engine.times();
        let times = LoadTimes { read, import: built.import, optimize: built.optimize };
        log::debug!("model {} {} opened in {:?}", identity.name, identity.version, start.elapsed());
        let values = (binding.element == Element::Float).then(|| normalised(&manifest.input.mean, &manifest.input.std));
        Ok(Model { manifest, identity, scoring, times, engine, binding, values })
    }

    /// The picture at the size of the graph's input.
    pub(crate) fn preprocess(&self, picture: &Picture) -> ModelInput {
        preprocess(picture, &self.manifest.input)
    }

    /// The graph's output values, one a label.
    pub(crate) fn run(&self, input: &ModelInput) -> Result<Vec<f32>> {
        self.run_unless(&CancelHandle::new(), input)
    }

    /// The same, unless the handle is used meanwhile.
    pub(crate) fn run_unless(&self, cancel: &CancelHandle, input: &ModelInput) -> Result<Vec<f32>> {
        let pixels = input.pixels(self.binding.layout, self.values.as_deref());
        let outputs = self.engine.run_pixels(cancel.flag(), &pixels)?;
        let values = outputs.first().and_then(Tensor::as_f32);
        values.map(<[f32]>::to_vec).ok_or_else(|| Error::Internal("the engine gave no floats".into()))
    }

    /// A black picture.
    pub(crate) fn blank(&self) -> ModelInput {
        ModelInput::black(&self.manifest.input)
    }
}

/// The graph, once typed, must give one value a label.
fn check_values(manifest: &Manifest, engine: &Engine) -> Result<()> {
    let values: usize = engine.output_shapes().iter().flatten().product();
    let labels = manifest.output.labels.len();
    if values == labels {
        return Ok(());
    }
    let shapes = engine.output_shapes();
    Err(Error::InvalidManifest(format!(
        "`output.labels` has {labels} labels, but the graph gives {values} values, of shape {shapes:?}"
    )))
}
