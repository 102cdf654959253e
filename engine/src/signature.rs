//! The signature of an engine: the input, the outputs and the taps that a graph is built for. Whoever builds the engine
//! checks it against the graph.

use crate::{Error, Result};

/// The maximum number of taps of a signature.
pub const MAX_TAPS: usize = 16;

/// The input, its shape, the outputs and the taps that an engine is built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the input.
    pub input: String,
    /// The shape of the input, in the graph's order of axes, batch included.
    pub shape: Vec<usize>,
    /// The names of the outputs, in the order in which [`Engine::run`](crate::Engine::run) returns them.
    pub outputs: Vec<String>,
    /// The inner tensors that a run can return besides, at most [`MAX_TAPS`]. A run computes those of its selection.
    pub taps: Vec<Tap>,
}

/// A tap: an inner tensor of the graph, and what a run returns of it. `docs/engine.md` ("Taps") has the arithmetic.
///
/// A tensor that is quantized has three names: that of the integers, that of what `DequantizeLinear` makes of them, and
/// that of the reals that `QuantizeLinear` reads. A tap by any of them is of the dequantized reals, which the next
/// operator reads. The first axis of the tensor, its batch, must have length 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tap {
    /// The tensor's name in the ONNX file.
    pub name: String,
    /// What is returned.
    pub kind: TapKind,
}

/// What a run returns of a tapped tensor, always as floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TapKind {
    /// All elements, with the tensor's shape.
    Values,
    /// The mean of each channel over all axes behind it, with the shape 1 × channels. Channels are the second axis.
    Means,
}

impl Signature {
    /// Checks the number of the taps, and that none stands twice and none is an output.
    ///
    /// # Errors
    /// [`Error::TooLarge`] and [`Error::Tap`].
    pub(crate) fn check_taps(&self) -> Result<()> {
        if self.taps.len() > MAX_TAPS {
            return Err(Error::TooLarge(format!(
                "{} taps are too many; at most {MAX_TAPS} are served",
                self.taps.len()
            )));
        }
        for (number, tap) in self.taps.iter().enumerate() {
            if self.outputs.contains(&tap.name) {
                return Err(tap.refused("it is an output, which every run returns"));
            }
            if self.taps[..number].contains(tap) {
                return Err(tap.refused("it stands twice"));
            }
        }
        Ok(())
    }
}

impl Tap {
    /// The error of a tap that is not served.
    pub(crate) fn refused(&self, reason: &str) -> Error {
        Error::Tap { tensor: self.name.clone(), reason: reason.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_taps_refuses_outputs_duplicates_and_too_many() {
        let tap = |name: &str, kind| Tap { name: name.into(), kind };
        let checked = |taps: Vec<Tap>| {
            let (input, outputs) = ("input".to_owned(), vec!["logits".to_owned()]);
            Signature { input, shape: vec![1, 3, 8, 8], outputs, taps }.check_taps()
        };
        let both = vec![tap("features", TapKind::Means), tap("features", TapKind::Values)];
        assert!(checked(both.clone()).is_ok());
        let error = checked(vec![tap("logits", TapKind::Values)]).expect_err("refused").to_string();
        assert!(error.contains("\"logits\" can't be tapped: it is an output"), "{error}");
        let error = checked([&both[..], &both[..1]].concat()).expect_err("refused").to_string();
        assert!(error.contains("\"features\" can't be tapped: it stands twice"), "{error}");
        let many = |count: usize| (0..count).map(|at| tap(&format!("t{at}"), TapKind::Means)).collect();
        assert!(checked(many(MAX_TAPS)).is_ok());
        assert!(matches!(checked(many(MAX_TAPS + 1)), Err(Error::TooLarge(what)) if what.contains("17 taps")));
    }
}
