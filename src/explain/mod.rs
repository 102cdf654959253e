//! The stage explain: a heatmap, which says where the evidence for a label lies, in the pixels of the stored picture.
//!
//! A class activation map comes from the run that gave the scores: from the features before the pooling and the weights
//! of the linear head. Occlusion runs the graph anew with parts of the input covered. Neither changes a score, and
//! nothing is computed unless [`Query::explain`](crate::Query::explain) asks for it.

mod activation;
mod colors;
mod font;
mod heatmap;
mod occlusion;
mod overlay;
mod png;
mod request;
#[cfg(test)]
mod tests;
mod thumbnail;

pub(crate) use activation::{activation_map, member_weights};
pub use heatmap::Heatmap;
pub(crate) use heatmap::View;
pub(crate) use occlusion::{log_odds, occlusion_map};
pub(crate) use request::members;
pub use request::{Explain, ExplainMethod};
pub(crate) use thumbnail::{heatmap_thumbnail, thumbnail};

/// Evidence in logits on a grid of equal cells over the network's input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grid {
    /// The number of columns, at least 1.
    pub(crate) width: u32,
    /// The number of rows, at least 1.
    pub(crate) height: u32,
    /// Rows from the top. A value need not be finite.
    pub(crate) values: Vec<f64>,
}
