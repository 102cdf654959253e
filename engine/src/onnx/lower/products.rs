//! Lowers convolutions and fully connected layers, with constant weights. Their results are deferred until
//! `finish.rs` makes steps of them.

use std::rc::Rc;

use tract_onnx::pb::NodeProto;

use super::attributes::Attributes;
use super::value::{Clamp, Deferred, DeferredConvolution, QuantizedTensor, Value, ValueKind};
use super::{Lowering, Reason};
use crate::arithmetic::Window;
use crate::onnx::constants::Weights;
use crate::program::weights::{fit_9_bits, sums_fit};

impl<'a> Lowering<'a> {
    /// `Conv`.
    pub(super) fn convolution(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        let input = self.value(node, 0)?;
        let from = input.quantized_tensor()?;
        let weights = self.weights(node, 1)?;
        let [outputs, inputs, ref kernel @ ..] = weights.dims[..] else { return Err("weights of one axis".into()) };
        let [batch, channels, spatial @ ..] = &input.shape[..] else { return Err("an input of one axis".into()) };
        let groups = usize::try_from(attributes.integer("group", 1)).map_err(|_| "a negative number of groups")?;
        if groups == 0 || inputs.checked_mul(groups) != Some(*channels) || outputs % groups != 0 {
            return Err("weights and input do not go together".into());
        }
        let (window, lengths) = window(attributes, kernel, spatial, false)?;
        let taps: usize = window.kernel.iter().product();
        let mut products = products(from, weights, outputs, 0)?;
        if taps > 1 && inputs > 1 {
            products.weights = inputs_last(&products.weights, inputs, taps).into();
        }
        (products.window, products.groups) = (window, groups);
        products.check_sums()?;
        if let Some(name) = node.input.get(2).filter(|name| !name.is_empty()) {
            self.add_bias(&mut products, name)?;
        }
        let shape = [&[*batch, outputs], &lengths[..]].concat();
        Ok(deferred(shape, products))
    }

    /// `Gemm`.
    pub(super) fn gemm(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        let plain = attributes.float("alpha", 1.0).to_bits() == 1.0_f32.to_bits()
            && attributes.float("beta", 1.0).to_bits() == 1.0_f32.to_bits()
            && attributes.integer("transA", 0) == 0;
        if !plain {
            return Err("alpha, beta or transA".into());
        }
        let value = self.matrix(node, attributes.integer("transB", 0) != 0)?;
        match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(name) => self.biased(&value, name),
            None => Ok(value),
        }
    }

    /// `MatMul` with constant weights.
    pub(super) fn matmul(&mut self, node: &'a NodeProto) -> Result<Value, Reason> {
        self.matrix(node, false)
    }

    /// The product of an input of batch × inputs and constant weights of inputs × outputs; of outputs × inputs where
    /// they are `transposed`.
    fn matrix(&mut self, node: &'a NodeProto, transposed: bool) -> Result<Value, Reason> {
        let input = self.value(node, 0)?;
        let from = input.quantized_tensor()?;
        let [batch, columns] = input.shape[..] else { return Err("an input of other than 2 axes".into()) };
        let weights = self.weights(node, 1)?;
        let [first, second] = weights.dims[..] else { return Err("weights of other than 2 axes".into()) };
        let (inputs, outputs) = if transposed { (second, first) } else { (first, second) };
        if inputs != columns {
            return Err("weights and input do not go together".into());
        }
        let mut products = products(from, weights, outputs, usize::from(!transposed))?;
        if !transposed {
            products.weights = inputs_last(&products.weights, inputs, outputs).into();
        }
        products.check_sums()?;
        Ok(deferred(vec![batch, outputs], products))
    }

    /// An `Add` of a constant to a deferred convolution, as exporters write a bias; none for any other `Add`.
    pub(super) fn with_bias(&mut self, node: &'a NodeProto) -> Result<Option<Value>, Reason> {
        for (value, constant) in [(0, 1), (1, 0)] {
            let Some(name) = node.input.get(constant).filter(|name| self.reals(name).is_some()) else { continue };
            let value = self.value(node, value)?;
            if matches!(
                &value.kind,
                ValueKind::Deferred { operator, .. } if matches!(**operator, Deferred::Convolution(_))
            ) {
                return self.biased(&value, name).map(Some);
            }
        }
        Ok(None)
    }

    /// A deferred convolution with a bias added, which must be one number for each channel, or one for all.
    fn biased(&mut self, value: &Value, name: &str) -> Result<Value, Reason> {
        let ValueKind::Deferred { operator, clamp } = &value.kind else {
            return Err("a bias of what is not computed here".into());
        };
        let Deferred::Convolution(products) = &**operator else { return Err("a bias of what has none".into()) };
        if *clamp != Clamp::NONE {
            return Err("a bias behind a bound".into());
        }
        if !self.is_one_a_channel(name, value.shape.len()) {
            return Err("a constant that is not one number a channel".into());
        }
        let mut products = products.clone();
        self.add_bias(&mut products, name)?;
        Ok(deferred(value.shape.clone(), products))
    }

    /// Whether a constant that is broadcast to a tensor of `axes` axes has one value for each channel, or one for all.
    /// Channels are the second axis.
    fn is_one_a_channel(&self, name: &str, axes: usize) -> bool {
        let quantized = || self.producers.get(name).and_then(|producer| self.constants.dims(producer.input.first()?));
        let Some(dims) = self.constants.dims(name).or_else(quantized) else { return false };
        // Broadcasting aligns shapes at their last axes.
        let Some(missing) = axes.checked_sub(dims.len()) else { return false };
        dims.iter().enumerate().all(|(axis, &length)| length == 1 || missing + axis == 1)
    }

    /// Adds a constant to the bias: quantized integers of the sums' scale as they are, reals after rounding to that
    /// scale.
    fn add_bias(&mut self, products: &mut DeferredConvolution, name: &str) -> Result<(), Reason> {
        let outputs = products.bias.len();
        self.reserve_weights(outputs)?;
        let units: Vec<f32> = products.scales.iter().map(|scale| products.from.affine.scale * scale).collect();
        let integers = self.producers.get(name).and_then(|producer| self.constants.weights::<i32>(producer));
        let bias = integer_bias(integers, || self.reals(name), &units)?;
        for (sum, bias) in products.bias.iter_mut().zip(bias) {
            *sum = sum.checked_add(bias).ok_or("a bias beyond what sums hold")?;
        }
        Ok(())
    }

    /// The elements of a constant as reals: of float32, or dequantized.
    fn reals(&self, name: &str) -> Option<Vec<f32>> {
        if let Some(values) = self.constants.floats(name) {
            return Some(values);
        }
        let weights = self.constants.weights::<i32>(self.producers.get(name)?)?;
        Some(weights.reals())
    }

    /// The weights at an input of a node, less their zero point.
    fn weights(&self, node: &NodeProto, input: usize) -> Result<Weights<i16>, Reason> {
        let name = node.input.get(input).ok_or("too few inputs")?;
        let producer = self.producers.get(name.as_str()).ok_or("its weights are not quantized")?;
        self.constants.weights(producer).ok_or_else(|| "its weights are not 8-bit constants with scales".into())
    }
}

/// A bias in these units, one for each channel: integers of these scales as they are, reals after rounding.
pub(crate) fn integer_bias(
    integers: Option<Weights<i32>>,
    reals: impl FnOnce() -> Option<Vec<f32>>,
    units: &[f32],
) -> Result<Vec<i32>, Reason> {
    if let Some(bias) = integers
        && bias.values.len() == units.len()
        && bias.has_scales(units.iter().copied())
    {
        return Ok(bias.values);
    }
    let reals = reals().ok_or("its bias is not constant")?;
    if reals.len() != units.len() && reals.len() != 1 {
        return Err("a bias that is not one number a channel".into());
    }
    let rounded = |(at, unit): (usize, &f32)| {
        let sums = f64::from(reals[at % reals.len()]) / f64::from(*unit);
        // Half of what 32 bits hold, so that rounding can't pass it.
        (sums.abs() < f64::from(1 << 30)).then(|| sums.round_ties_even() as i32)
    };
    let bias = units.iter().enumerate().map(rounded).collect::<Option<_>>();
    bias.ok_or_else(|| "a bias beyond what sums hold".into())
}

/// A matrix product with these weights, without bias. `axis_of_outputs` is the axis of the weights that scales may lie
/// along.
fn products(
    from: QuantizedTensor,
    weights: Weights<i16>,
    outputs: usize,
    axis_of_outputs: usize,
) -> Result<DeferredConvolution, Reason> {
    let Weights { values: weights, mut scales, axis, .. } = weights;
    // An 8-bit weight less its zero point has at most nine bits. A constant of int32 may have more.
    if !fit_9_bits(&weights) {
        return Err("weights of more than 8 bits".into());
    }
    if scales.len() == 1 {
        scales = vec![scales[0]; outputs];
    } else if scales.len() != outputs || axis != axis_of_outputs {
        return Err("its weights have scales that are not one an output channel".into());
    }
    let window = Window { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], pad: [0, 0] };
    Ok(DeferredConvolution { from, window, groups: 1, weights: weights.into(), scales, bias: vec![0; outputs] })
}

/// A deferred convolution as a value.
fn deferred(shape: Vec<usize>, products: DeferredConvolution) -> Value {
    let operator = Rc::new(Deferred::Convolution(products));
    Value { shape, kind: ValueKind::Deferred { operator, clamp: Clamp::NONE } }
}

/// Reorders weights of outputs × inputs × taps to outputs × taps × inputs.
fn inputs_last(weights: &[i16], inputs: usize, taps: usize) -> Vec<i16> {
    let mut transposed = Vec::with_capacity(weights.len());
    for output in weights.chunks_exact(inputs * taps) {
        for tap in 0..taps {
            transposed.extend(output[tap..].iter().step_by(taps));
        }
    }
    transposed
}

impl DeferredConvolution {
    /// Checks that no sum of products can overflow 32 bits, partial sums included. The bias does not count: with a bias
    /// near the limits of 32 bits, a sum may wrap around, as it does in ONNX Runtime. Channels whose weights became
    /// zero in training have such biases.
    fn check_sums(&self) -> Result<(), Reason> {
        let columns = self.weights.len() / self.bias.len();
        if sums_fit(&self.weights, columns) { Ok(()) } else { Err("sums that could pass 32 bits".into()) }
    }
}

/// The maximum kernel length, stride, dilation and padding along one axis. It keeps all arithmetic on windows far from
/// overflow.
const MAX_EXTENT: usize = 4096;

/// The window of a convolution or pooling over an input of spatial `lengths`, and the spatial lengths of the output.
/// `kernel` has one length for each of the one or two spatial axes. `round_up` is ONNX's `ceil_mode`.
pub(super) fn window(
    attributes: &Attributes<'_>,
    kernel: &[usize],
    lengths: &[usize],
    round_up: bool,
) -> Result<(Window, Vec<usize>), Reason> {
    let axes = lengths.len();
    if kernel.len() != axes || axes == 0 || axes > 2 {
        return Err("a kernel of other than one or two axes".into());
    }
    let listed = |name: &str, count: usize, absent: usize| -> Result<Vec<usize>, Reason> {
        let values = attributes.integers(name).filter(|values| !values.is_empty());
        let values = values.map_or(Ok(vec![absent; count]), |values| {
            values.iter().map(|&value| usize::try_from(value).map_err(|_| format!("negative {name}"))).collect()
        })?;
        if values.len() == count { Ok(values) } else { Err(format!("{name} of other than {count} numbers")) }
    };
    let (strides, dilations) = (listed("strides", axes, 1)?, listed("dilations", axes, 1)?);
    if strides.contains(&0) || dilations.contains(&0) || kernel.contains(&0) || lengths.contains(&0) {
        return Err("a length of zero".into());
    }
    let given = listed("pads", 2 * axes, 0)?;
    if [kernel, &strides, &dilations, &given].into_iter().flatten().any(|&length| length > MAX_EXTENT) {
        return Err(format!("a kernel, stride, dilation or padding of more than {MAX_EXTENT}"));
    }
    let spans: Vec<usize> = (0..axes).map(|axis| (kernel[axis] - 1) * dilations[axis] + 1).collect();
    let mut pads = given;
    // SAME_UPPER and SAME_LOWER pad to `ceil(length / stride)` outputs. An odd pixel of padding goes to the end with
    // SAME_UPPER, and to the beginning with SAME_LOWER.
    match attributes.text("auto_pad").unwrap_or("NOTSET") {
        "NOTSET" | "" => {}
        "VALID" => pads.fill(0),
        same @ ("SAME_UPPER" | "SAME_LOWER") => {
            for axis in 0..axes {
                let outputs = lengths[axis].div_ceil(strides[axis]);
                let total = ((outputs - 1) * strides[axis] + spans[axis]).saturating_sub(lengths[axis]);
                let less = total / 2;
                (pads[axis], pads[axes + axis]) =
                    if same == "SAME_UPPER" { (less, total - less) } else { (total - less, less) };
            }
        }
        other => return Err(format!("auto_pad {other}")),
    }
    let mut outputs = Vec::with_capacity(axes);
    for axis in 0..axes {
        let padded_length = lengths[axis] + pads[axis] + pads[axes + axis];
        let steps = padded_length.checked_sub(spans[axis]).ok_or("a kernel larger than the input")?;
        let mut count = if round_up { steps.div_ceil(strides[axis]) } else { steps / strides[axis] } + 1;
        // The last window must start in the input or its leading padding.
        if round_up && (count - 1) * strides[axis] >= lengths[axis] + pads[axis] {
            count -= 1;
        }
        outputs.push(count);
    }
    let both = |values: &[usize], absent: usize| match *values {
        [width] => [absent, width],
        [height, width, ..] => [height, width],
        [] => [absent, absent],
    };
    let window = Window {
        kernel: both(kernel, 1),
        stride: both(&strides, 1),
        dilation: both(&dilations, 1),
        pad: both(&pads[..axes], 0),
    };
    Ok((window, outputs))
}
