//! The memory that one classification leaves to the next, so that a stream of frames allocates little.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::available_parallelism;

use bedside_engine::Tapped;

use crate::image::Picture;
use crate::preprocess::PreprocessBuffers;
use crate::quality::QualityBuffers;

/// The maximum number of bytes that a workspace may hold to be kept: enough for a frame of 2.5 megapixels.
const MAX_BYTES: usize = 8 << 20;

/// The memory of one classification. Its contents are unspecified between classifications.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// The pixels of a picture that was pixels or a frame.
    pub(crate) rgb: Vec<u8>,
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
    /// Takes the memory of a picture that is not needed any more, unless it is large: a run of the graph would keep it
    /// for nothing.
    pub(crate) fn leave(&mut self, picture: Picture) {
        if picture.rgb.capacity() <= MAX_BYTES {
            self.rgb = picture.rgb;
        }
    }

    /// The bytes that it holds, but for what the engine returned and what has the size of it.
    fn bytes(&self) -> usize {
        self.rgb.capacity() + self.preprocess.bytes() + self.quality.bytes()
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
    pub(crate) fn keep(&self, workspace: Workspace) {
        if workspace.bytes() > MAX_BYTES {
            return;
        }
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
        workspace.rgb = Vec::with_capacity(1000);
        workspaces.keep(workspace);
        assert!(workspaces.take().rgb.capacity() >= 1000);
        assert_eq!(workspaces.take().rgb.capacity(), 0);
    }

    #[test]
    fn workspace_of_a_large_picture_is_not_kept() {
        let workspaces = Workspaces::default();
        workspaces.keep(Workspace { rgb: Vec::with_capacity(MAX_BYTES + 1), ..Workspace::default() });
        assert_eq!(workspaces.take().rgb.capacity(), 0);
    }
}
