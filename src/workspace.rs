//! The memory that one classification leaves to the next, so that a stream of frames allocates little.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::available_parallelism;

use bedside_engine::Tapped;

use crate::image::Picture;
use crate::preprocess::{ModelInput, PreprocessBuffers, wipe};
use crate::quality::QualityBuffers;

/// The maximum number of bytes that a workspace may hold to be kept: enough for a frame of 2.5 megapixels, and an input of
/// 512×512 pixels.
const MAX_BYTES: usize = 12 << 20;

/// The memory of one classification. Between classifications it holds zeros: no picture, and nothing of a result.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// The upright picture.
    pub(crate) picture: Picture,
    /// The picture at the network's size.
    pub(crate) input: ModelInput,
    pub(crate) preprocess: PreprocessBuffers,
    pub(crate) quality: QualityBuffers,
    /// The taps that a run is asked for.
    pub(crate) selection: Vec<usize>,
    /// What the engine returned for a classification.
    pub(crate) results: Tapped,
    /// What the engine returned for scores alone, without taps.
    pub(crate) scores: Tapped,
    /// The features that novelty is computed from.
    pub(crate) features: Vec<f32>,
    pub(crate) judging: JudgingBuffers,
}

/// The memory of what follows from output values.
#[derive(Debug, Default)]
pub(crate) struct JudgingBuffers {
    /// The probabilities of the labels, or numbers on the way to them or to the novelty.
    pub(crate) numbers: Vec<f64>,
    /// The probabilities of the classes.
    pub(crate) classes: Vec<f64>,
    /// The indices of the classes that can't be excluded.
    pub(crate) order: Vec<usize>,
}

impl Workspace {
    /// Frees the picture, which is not needed any more, where it is large: a run of the graph would keep it for nothing.
    pub(crate) fn free_large_picture(&mut self) {
        if self.picture.rgb.capacity() > MAX_BYTES {
            self.picture = Picture::default();
        }
    }

    /// Overwrites what is left of the picture and of the result with zeros.
    fn wipe(&mut self) {
        wipe(&mut self.picture.rgb);
        wipe(&mut self.input.pixels);
        self.preprocess.wipe();
        self.quality.wipe();
        self.results.wipe();
        self.scores.wipe();
        wipe(&mut self.features);
        wipe(&mut self.judging.numbers);
        wipe(&mut self.judging.classes);
    }

    /// The bytes that it holds, but for what the engine returned and what has the size of it.
    fn bytes(&self) -> usize {
        self.picture.rgb.capacity() + self.input.pixels.capacity() + self.preprocess.bytes() + self.quality.bytes()
    }
}

/// The workspaces that no classification uses now: at most as many as the machine has processors.
#[derive(Debug, Default)]
pub(crate) struct Workspaces(Mutex<Vec<Workspace>>);

impl Workspaces {
    /// A workspace of an earlier classification, or a new one.
    pub(crate) fn take(&self) -> Workspace {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Keeps a workspace for a later classification, unless it is larger than [`MAX_BYTES`].
    pub(crate) fn keep(&self, mut workspace: Workspace) {
        if workspace.bytes() > MAX_BYTES {
            return;
        }
        workspace.wipe();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < processors() {
            kept.push(workspace);
        }
    }
}

/// The number of processors that this process may use, as it was when it was asked for first.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| available_parallelism().map_or(1, usize::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_workspace_is_used_again() {
        let workspaces = Workspaces::default();
        let mut workspace = workspaces.take();
        workspace.picture.rgb = vec![7; 1000];
        workspaces.keep(workspace);
        assert!(workspaces.take().picture.rgb.capacity() >= 1000);
        assert_eq!(workspaces.take().picture.rgb.capacity(), 0);
    }

    #[test]
    fn workspace_of_a_large_picture_is_not_kept() {
        let workspaces = Workspaces::default();
        let picture = Picture { rgb: Vec::with_capacity(MAX_BYTES + 1), ..Picture::default() };
        workspaces.keep(Workspace { picture, ..Workspace::default() });
        assert_eq!(workspaces.take().picture.rgb.capacity(), 0);
    }

    #[cfg(feature = "onnx")]
    #[test]
    fn kept_workspace_holds_zeros_of_a_picture_and_its_result() {
        let path = "models/skin-lesion/model.onnx";
        let classifier = crate::Classifier::open(path, crate::Options::new()).expect("the shipped model");
        let (frame, zero) = (vec![200; 300 * 300], |byte: &u8| *byte == 0);
        let image = crate::Image::gray8(300, 300, 300, frame).expect("it fits");
        let workspace = classifier.filled(&image);
        assert!(!workspace.picture.rgb.iter().any(zero) && !workspace.input.pixels.iter().any(zero));
        assert!(workspace.scores.outputs[0].as_f32().expect("floats").iter().any(|value| *value != 0.0));
        let workspaces = Workspaces::default();
        workspaces.keep(workspace);
        let workspace = workspaces.take();
        assert!(workspace.picture.rgb.len() >= 300 * 300 * 3 && workspace.picture.rgb.iter().all(zero));
        assert!(workspace.input.pixels.len() >= 224 * 224 * 3 && workspace.input.pixels.iter().all(zero));
        assert!(workspace.scores.outputs[0].as_f32().expect("floats").iter().all(|value| *value == 0.0));
        assert!(workspace.judging.numbers.iter().all(|value| *value == 0.0));
    }
}
