//! Checks of a manifest against its graph, an ONNX graph or a prepared one, and what follows from both: the engine's
//! signature, the input's layout and element type, and whether labels exclude each other.

use bedside_engine::{Dim, ElementType, Ending, Head, Layout, ModelFile, Signature, Tap, TapKind, TensorInfo};

use crate::manifest::{Activation, Input, Manifest, Output};
use crate::report::abbreviated;
use crate::{Error, ErrorKind, Result};

/// For a graph whose input is bytes: the maximum distance of `mean` from 0 and of 255 × `std` from 1. It lets `std` be
/// 1/255 with five significant digits, 0.0039216.
const BYTE_TOLERANCE: f32 = 1e-4;

/// What follows from a manifest and its graph together.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Binding {
    /// The input's name, its shape with a batch of 1, the output's name, and the taps that the manifest's fields need.
    pub signature: Signature,
    /// `false` where labels exclude each other, `true` where they don't.
    pub multi_label: bool,
    pub(crate) layout: Layout,
    pub(crate) element: InputElement,
    /// The linear head, where the manifest has an `explanation`.
    pub(crate) head: Option<Head>,
}

/// The element type of the graph's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputElement {
    /// Normalised values, float32 or float16.
    Float,
    /// The bytes of the pixels, uint8.
    Byte,
}

impl Binding {
    /// Checks the manifest against the graph.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidManifest`] where they contradict each other; [`ErrorKind::UnsupportedModel`] where the graph
    /// is one that is not supported: several inputs, no output, an input that is no picture, or a fixed batch other
    /// than 1.
    pub fn new(manifest: &Manifest, graph: &ModelFile) -> Result<Binding> {
        let sha256 = graph.sha256();
        if let Some(calibration) = manifest.calibration()
            && calibration.graph_sha256 != sha256
        {
            return Err(Error::new(
                ErrorKind::InvalidManifest,
                format!(
                    "`calibration.graph_sha256` is {}…, but this graph's is {}…: the calibration was fitted on another graph; fit \
                 it again",
                    abbreviated(&calibration.graph_sha256),
                    abbreviated(&sha256)
                ),
            ));
        }
        let input = bound_input(manifest.input(), &graph.inputs())?;
        let (layout, shape) = input_shape(manifest.input(), &input)?;
        let element = input_element(manifest.input(), &input)?;
        let output = chosen("output", manifest.output().tensor.as_deref(), &graph.outputs())?;
        check_output_shape(&output, manifest.labels().len())?;
        let multi_label = is_multi_label(manifest.output(), graph.ending(&output.name))?;
        let calibration = manifest.calibration();
        let exclusive_only = [
            ("calibration.prevalence", calibration.is_some_and(|c| c.prevalence.is_some())),
            ("calibration.action", calibration.is_some_and(|c| c.action.is_some())),
            ("output.groups", !manifest.output().groups.is_empty()),
        ];
        if let Some((field, _)) = exclusive_only.iter().find(|(_, is_there)| multi_label && *is_there) {
            return Err(Error::new(
                ErrorKind::InvalidManifest,
                format!("`{field}` needs labels that exclude each other; the graph's do not"),
            ));
        }
        let head = head(manifest, graph, &output.name)?;
        let signature = Signature { input: input.name, shape, outputs: vec![output.name], taps: taps(manifest) };
        Ok(Binding { signature, multi_label, layout, element, head })
    }
}

/// The taps of all inner tensors that the manifest names, each once. A run computes those that it asks for.
fn taps(manifest: &Manifest) -> Vec<Tap> {
    let mut taps: Vec<Tap> = Vec::new();
    let explained = manifest.explanation().map(|explanation| features_tap(&explanation.features));
    for tap in novelty_taps(manifest).into_iter().chain(explained) {
        if !taps.contains(&tap) {
            taps.push(tap);
        }
    }
    taps
}

/// The taps that novelty is computed from, in the order of its features.
pub(super) fn novelty_taps(manifest: &Manifest) -> Vec<Tap> {
    let novelty = manifest.calibration().and_then(|calibration| calibration.novelty.as_ref());
    let names = novelty.map_or(&[][..], |novelty| &novelty.features);
    mean_taps(names)
}

/// Taps of the means of these tensors' channels.
pub(super) fn mean_taps(names: &[String]) -> Vec<Tap> {
    names.iter().map(|name| Tap { name: name.clone(), kind: TapKind::Means }).collect()
}

/// The tap of the features that a class activation map is computed from.
pub(crate) fn features_tap(features: &str) -> Tap {
    Tap { name: features.to_owned(), kind: TapKind::Values }
}

/// The linear head of `output` that the manifest's `explanation` names; `None` where the manifest has none.
fn head(manifest: &Manifest, graph: &ModelFile, output: &str) -> Result<Option<Head>> {
    let Some(explanation) = manifest.explanation() else { return Ok(None) };
    let wrong = |problem: String| {
        let advice = "leave it out, and `bedside pack` finds what there is";
        Error::new(ErrorKind::InvalidManifest, format!("`explanation` does not fit the graph: {problem}; {advice}"))
    };
    let head = graph.head(output).map_err(|error| wrong(error.to_string()))?;
    let names =
        [("features", &explanation.features, &head.features), ("weights", &explanation.weights, &head.initializer)];
    if let Some((field, stated, found)) = names.into_iter().find(|(_, stated, found)| stated != found) {
        return Err(wrong(format!("`{field}` is \"{stated}\", but the graph's head has \"{found}\"")));
    }
    if head.labels != manifest.labels().len() {
        return Err(wrong(format!("the head has {} labels, and not {}", head.labels, manifest.labels().len())));
    }
    Ok(Some(head))
}

/// The graph's only input, which must be the one that the manifest names, if it does.
fn bound_input(input: &Input, tensors: &[TensorInfo]) -> Result<TensorInfo> {
    let chosen = chosen("input", input.tensor.as_deref(), tensors)?;
    let others: Vec<&str> = tensors.iter().map(|t| t.name.as_str()).filter(|name| *name != chosen.name).collect();
    if others.is_empty() {
        Ok(chosen)
    } else {
        Err(Error::new(
            ErrorKind::UnsupportedModel,
            format!(
                "besides \"{}\" the graph takes {}; only graphs of one input are served",
                chosen.name,
                others.join(", ")
            ),
        ))
    }
}

/// The tensor that the manifest names, or the only one. `side` is `input` or `output`.
fn chosen(side: &str, name: Option<&str>, tensors: &[TensorInfo]) -> Result<TensorInfo> {
    let names = || tensors.iter().map(|t| t.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name, tensors) {
        (Some(name), _) => tensors.iter().find(|t| t.name == name).cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidManifest,
                format!("`{side}.tensor` is \"{name}\", but the graph's {side}s are {}", names()),
            )
        }),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Error::new(ErrorKind::UnsupportedModel, format!("the graph has no {side}"))),
        (None, _) => Err(Error::new(
            ErrorKind::InvalidManifest,
            format!("the graph has several {side}s: {}; name one in `{side}.tensor`", names()),
        )),
    }
}

/// The layout of the input's axes, and its shape with a batch of 1. NCHW where the graph states no shape.
fn input_shape(input: &Input, tensor: &TensorInfo) -> Result<(Layout, Vec<usize>)> {
    let (channels, height, width) = (input.color.channels(), input.height as usize, input.width as usize);
    // Each layout with the input's shape in it, and the index of its channel axis.
    let by_layout =
        [(Layout::Nchw, vec![1, channels, height, width], 1), (Layout::Nhwc, vec![1, height, width, channels], 3)];
    let Some(dims) = &tensor.dims else { return Ok((Layout::Nchw, by_layout[0].1.clone())) };
    if dims.len() != 4 {
        return Err(Error::new(
            ErrorKind::UnsupportedModel,
            format!("input {tensor} has {} axes; a picture needs 4", dims.len()),
        ));
    }
    if !dims[0].admits(1) {
        return Err(Error::new(
            ErrorKind::UnsupportedModel,
            format!("input {tensor} has a fixed batch; export the model with a batch of 1 or a symbolic one"),
        ));
    }
    let fitting: Vec<_> =
        by_layout.iter().filter(|(_, shape, _)| dims.iter().zip(shape).all(|(d, &n)| d.admits(n))).collect();
    // Where both layouts fit, prefer the one whose channel axis has a fixed length over one where it is symbolic.
    let certain = fitting.iter().find(|(_, _, axis)| matches!(dims[*axis], Dim::Fixed(_)));
    certain.or(fitting.first()).map(|(layout, shape, _)| (*layout, shape.clone())).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidManifest,
            format!("`input` says {channels} channels of {width}×{height}, but the graph takes {tensor}"),
        )
    })
}

/// The element type of the input. For bytes, `mean` and `std` must be such that normalisation leaves bytes as they are.
fn input_element(input: &Input, tensor: &TensorInfo) -> Result<InputElement> {
    match tensor.element {
        ElementType::F32 | ElementType::F16 => Ok(InputElement::Float),
        ElementType::U8 => {
            let is_identity = input.mean.iter().all(|m| m.abs() < BYTE_TOLERANCE)
                && input.std.iter().all(|s| (s * 255.0 - 1.0).abs() < BYTE_TOLERANCE);
            if is_identity {
                Ok(InputElement::Byte)
            } else {
                Err(Error::new(
                    ErrorKind::InvalidManifest,
                    "the graph takes bytes as they are, so `input.mean` must be 0 and `input.std` 1/255 = 0.003921569",
                ))
            }
        }
        _ => Err(Error::new(
            ErrorKind::UnsupportedModel,
            format!("input {tensor} is neither float32 nor uint8; convert the model"),
        )),
    }
}

/// Checks that the output's shape, as far as the graph declares it, has one value for each label.
fn check_output_shape(tensor: &TensorInfo, labels: usize) -> Result<()> {
    let fixed_dims: Vec<usize> =
        tensor.dims.iter().flatten().filter_map(|d| if let Dim::Fixed(n) = d { Some(*n) } else { None }).collect();
    let complete = tensor.dims.as_ref().is_some_and(|dims| !dims.is_empty() && dims.len() == fixed_dims.len());
    let values = fixed_dims.iter().fold(1, |n: usize, &d| n.saturating_mul(d));
    if (complete && values != labels) || fixed_dims.iter().any(|&n| n > labels) {
        return Err(Error::new(
            ErrorKind::InvalidManifest,
            format!("`output.labels` has {labels} labels, but the graph gives {tensor}"),
        ));
    }
    Ok(())
}

/// Whether labels do not exclude each other. Checks that the activation fits the graph's last operator.
fn is_multi_label(output: &Output, ending: Ending) -> Result<bool> {
    match (output.activation, ending) {
        (Activation::Softmax | Activation::Sigmoid, Ending::Softmax | Ending::Sigmoid) => Err(Error::new(
            ErrorKind::InvalidManifest,
            format!("the graph ends in {ending:?} already; `output.activation` must be `none`"),
        )),
        (Activation::Softmax, Ending::Other) => Ok(false),
        (Activation::Sigmoid, Ending::Other) => Ok(true),
        (Activation::None, Ending::Other) => output.multi_label.ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidManifest,
                "`output.activation` is `none` and the graph ends in neither Softmax nor Sigmoid; say in \
                 `output.multi_label` whether labels exclude each other",
            )
        }),
        (Activation::None, Ending::Softmax | Ending::Sigmoid) => {
            let found = ending == Ending::Sigmoid;
            match output.multi_label {
                Some(stated) if stated != found => Err(Error::new(
                    ErrorKind::InvalidManifest,
                    format!("`output.multi_label` is {stated}, but the graph ends in {ending:?}"),
                )),
                _ => Ok(found),
            }
        }
    }
}
