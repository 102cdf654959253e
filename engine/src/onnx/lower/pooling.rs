//! Lowers pooling: means and maxima in windows. Whether each window meets the input is checked in `program/check.rs`.

use std::rc::Rc;

use tract_onnx::pb::NodeProto;

use super::attributes::Attributes;
use super::products::window;
use super::shapes::axes;
use super::value::{Clamp, Deferred, Value, ValueKind};
use super::{Lowering, Reason};
use crate::arithmetic::Window;
use crate::program::{Pooling, PoolingKind, Step};

impl<'a> Lowering<'a> {
    /// `AveragePool` and `GlobalAveragePool`.
    pub(super) fn average_pooling(
        &mut self,
        node: &'a NodeProto,
        attributes: &Attributes<'_>,
    ) -> Result<Value, Reason> {
        let input = self.value(node, 0)?;
        let [batch, channels, lengths @ ..] = &input.shape[..] else { return Err("an input of one axis".into()) };
        let (window, outputs) = if node.op_type == "GlobalAveragePool" {
            (global_window(lengths)?, vec![1; lengths.len()])
        } else {
            windows(attributes, lengths)?
        };
        let count_include_pad = attributes.integer("count_include_pad", 0) != 0;
        // With ceil_mode a window may reach beyond the padding. Taps there do not count, and a step would count them.
        if count_include_pad && attributes.integer("ceil_mode", 0) != 0 {
            return Err("ceil_mode with count_include_pad".into());
        }
        let shape = [&[*batch, *channels], &outputs[..]].concat();
        mean(&input, window, count_include_pad, shape)
    }

    /// `ReduceMean` over all spatial axes. The axes are an input from opset 18 on, and an attribute before.
    pub(super) fn reduce_mean(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        let input = self.value(node, 0)?;
        let given = match node.input.get(1).filter(|name| !name.is_empty()) {
            Some(name) => self.int64s(name).ok_or("its axes are not constant")?,
            None => attributes.integers("axes").unwrap_or_default().to_vec(),
        };
        let [batch, channels, lengths @ ..] = &input.shape[..] else { return Err("an input of one axis".into()) };
        let mut spatial = axes(&given, input.shape.len())?;
        spatial.sort_unstable();
        if spatial.is_empty() || spatial != (2..input.shape.len()).collect::<Vec<_>>() {
            return Err("a mean over other axes than height and width".into());
        }
        let kept = if attributes.integer("keepdims", 1) == 0 { 0 } else { lengths.len() };
        let shape = [&[*batch, *channels], &vec![1; kept][..]].concat();
        mean(&input, global_window(lengths)?, false, shape)
    }

    /// `MaxPool`. Bytes have the order of the values that they represent, so the step takes the maximum of the bytes.
    pub(super) fn max_pooling(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        let input = self.value(node, 0)?;
        let [batch, channels, lengths @ ..] = &input.shape[..] else { return Err("an input of one axis".into()) };
        if attributes.integer("storage_order", 0) != 0 || node.output.len() > 1 {
            return Err("indices of the maxima".into());
        }
        let (window, outputs) = windows(attributes, lengths)?;
        let shape = [&[*batch, *channels], &outputs[..]].concat();
        let (from, kind): (_, Box<dyn Fn(_) -> ValueKind>) = match input.kind.clone() {
            ValueKind::Integers { tensor, offset } => {
                (tensor, Box::new(move |tensor| ValueKind::Integers { tensor, offset }))
            }
            ValueKind::Pointwise { input, function } if function.affine.is_some() => {
                (input, Box::new(move |input| ValueKind::Pointwise { input, function: function.clone() }))
            }
            _ => return Err("its input is not quantized".into()),
        };
        let to = self.bytes(&shape)?;
        self.step(Step::Pooling(Pooling { from, to, window, kind: PoolingKind::Max }));
        Ok(Value { shape, kind: kind(to) })
    }
}

/// The window of a pooling operator, and the spatial lengths of the output. Padding must be less than the kernel, as
/// ONNX Runtime requires.
fn windows(attributes: &Attributes<'_>, lengths: &[usize]) -> Result<(Window, Vec<usize>), Reason> {
    let given = attributes.integers("kernel_shape").ok_or("no kernel_shape")?;
    let kernel: Vec<usize> = given
        .iter()
        .map(|&length| usize::try_from(length).map_err(|_| "a negative kernel_shape"))
        .collect::<Result<_, _>>()?;
    let pads = attributes.integers("pads").unwrap_or_default();
    if !kernel.is_empty() && pads.iter().enumerate().any(|(at, &pad)| pad >= given[at % kernel.len()]) {
        return Err("padding as large as the kernel".into());
    }
    window(attributes, &kernel, lengths, attributes.integer("ceil_mode", 0) != 0)
}

/// The maximum number of pixels of a window whose sum of bytes fits in 32 bits.
const MAX_PIXELS: usize = (i32::MAX / 255) as usize;

/// The deferred mean of a value in windows.
fn mean(input: &Value, window: Window, count_include_pad: bool, shape: Vec<usize>) -> Result<Value, Reason> {
    if window.kernel.iter().product::<usize>() > MAX_PIXELS {
        return Err("a mean over more pixels than 32 bits can add up".into());
    }
    let operator = Rc::new(Deferred::Mean { input: input.quantized_tensor()?, window, count_include_pad });
    Ok(Value { shape, kind: ValueKind::Deferred { operator, clamp: Clamp::NONE } })
}

/// One window that covers the whole input.
fn global_window(lengths: &[usize]) -> Result<Window, Reason> {
    let kernel = match *lengths {
        [width] => [1, width],
        [height, width] => [height, width],
        _ => return Err("an input of other than one or two spatial axes".into()),
    };
    if kernel.contains(&0) {
        return Err("a length of zero".into());
    }
    Ok(Window { kernel, stride: [1, 1], dilation: [1, 1], pad: [0, 0] })
}
