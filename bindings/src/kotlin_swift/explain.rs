//! Heatmaps: what a query asks of one, and the one of a report.

/// A heatmap to be computed with a classification: of which label, and how.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Explain {
    /// The id of the label that the evidence is for. Unless given the first label of the verdict, and where the verdict has
    /// none, the most probable one.
    #[uniffi(default)]
    pub label: Option<String>,
    /// How the heatmap is computed.
    pub method: ExplainMethod,
}

/// How a heatmap is computed.
#[derive(Debug, Clone, Copy, uniffi::Enum)]
pub enum ExplainMethod {
    /// A class activation map: the features before the pooling, weighted by the linear head. It comes from the run that
    /// gave the scores and costs next to nothing. It needs a model whose manifest has an `explanation`.
    ClassActivation,
    /// By how much the label's log-odds fall where a part of the input is covered with the input's mean colour. It serves
    /// every model and takes 64 more runs of the graph.
    Occlusion,
}

/// Where the evidence for a label lies in a picture: a grid of equal cells over the network's input. It shows what moved
/// the network, and not where a disease is. `Image.overlay` draws it.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Heatmap {
    /// The id of the label that the evidence is for.
    pub label: String,
    /// How it was computed.
    pub method: ExplainMethod,
    /// The number of columns of the grid.
    pub width: u32,
    /// The number of rows of the grid.
    pub height: u32,
    /// The evidence in each cell, rows from the top, in logits before any calibration: `width` × `height` finite values. A
    /// positive one speaks for the label, a negative one against it.
    pub values: Vec<f32>,
    /// From the grid to the pixels of the picture as it is stored, before its EXIF orientation and any rotation: six
    /// numbers a to f. The point (x, y) of the grid, where the cell in column i and row j covers i to i+1 and j to j+1, is
    /// at (a·x + b·y + c, d·x + e·y + f).
    pub frame: Vec<f64>,
    /// The width and the height of the stored picture, in pixels.
    pub picture: Vec<u32>,
    /// The part of the stored picture that the network saw, in its pixels: left, top, right and bottom edge.
    pub seen: Vec<f64>,
    /// The largest value in a cell that lies, at least in part, in the part of the picture that the network saw.
    pub max: f32,
    /// Whether `max` is above 0. Where it is not, nothing in the picture speaks for the label.
    pub evidence: bool,
}

impl From<Explain> for bedside::Explain {
    fn from(explain: Explain) -> bedside::Explain {
        let mut core = bedside::Explain::new().method(explain.method.into());
        core.label = explain.label;
        core
    }
}

impl From<ExplainMethod> for bedside::ExplainMethod {
    fn from(method: ExplainMethod) -> bedside::ExplainMethod {
        match method {
            ExplainMethod::ClassActivation => bedside::ExplainMethod::ClassActivation,
            ExplainMethod::Occlusion => bedside::ExplainMethod::Occlusion,
        }
    }
}

impl From<bedside::ExplainMethod> for ExplainMethod {
    fn from(method: bedside::ExplainMethod) -> ExplainMethod {
        match method {
            bedside::ExplainMethod::ClassActivation => ExplainMethod::ClassActivation,
            bedside::ExplainMethod::Occlusion => ExplainMethod::Occlusion,
            other => unreachable!("the method {} is not known to the bindings: a test compares", other.as_str()),
        }
    }
}

impl From<bedside::Heatmap> for Heatmap {
    fn from(heatmap: bedside::Heatmap) -> Heatmap {
        Heatmap {
            label: heatmap.label,
            method: heatmap.method.into(),
            width: heatmap.width,
            height: heatmap.height,
            values: heatmap.values,
            frame: heatmap.frame.concat(),
            picture: heatmap.picture.to_vec(),
            seen: heatmap.seen.to_vec(),
            max: heatmap.max,
            evidence: heatmap.evidence,
        }
    }
}

impl TryFrom<Heatmap> for bedside::Heatmap {
    type Error = bedside::Error;

    fn try_from(heatmap: Heatmap) -> bedside::Result<bedside::Heatmap> {
        let mut core = bedside::Heatmap::default();
        (core.label, core.method) = (heatmap.label, heatmap.method.into());
        (core.width, core.height, core.values) = (heatmap.width, heatmap.height, heatmap.values);
        core.frame.as_flattened_mut().copy_from_slice(&numbers::<_, 6>("frame", heatmap.frame)?);
        core.picture = numbers("picture", heatmap.picture)?;
        core.seen = numbers("seen", heatmap.seen)?;
        (core.max, core.evidence) = (heatmap.max, heatmap.evidence);
        Ok(core)
    }
}

/// A list of a heatmap as an array of its length.
fn numbers<T, const N: usize>(field: &str, list: Vec<T>) -> bedside::Result<[T; N]> {
    list.try_into().map_err(|list: Vec<T>| {
        let message = format!("heatmap: `{field}` has {} numbers in place of {N}", list.len());
        bedside::Error::new(bedside::ErrorKind::InvalidQuery, message)
    })
}
