//! Means and greatest values in windows.

use std::rc::Rc;

use tract_onnx::pb::NodeProto;

use super::attributes::Attributes;
use super::products::window;
use super::shapes::axes;
use super::value::{Clamp, Deferred, Kind, Value};
use super::{Lowering, Reason};
use crate::arithmetic::Window;
use crate::program::{Pooling, PoolingKind, Step};

impl<'a> Lowering<'a> {
    pub(super) fn mean_in_windows(
        &mut self,
        node: &'a NodeProto,
        attributes: &Attributes<'_>,
    ) -> Result<Value, Reason> {
        let input = self.value(node, 0)?;
        let [batch, channels, lengths @ ..] = &input.shape[..] else { return Err("an input of one axis".into()) };
        let (window, outputs) = if node.op_type == "GlobalAveragePool" {
            (whole(lengths)?, vec![1; lengths.len()])
        } else {
            windows(attributes, lengths)?
        };
        let with_padding = attributes.integer("count_include_pad", 0) != 0;
        if with_padding && attributes.integer("ceil_mode", 0) != 0 {
            return Err("ceil_mode with count_include_pad".into());
        }
        let shape = [&[*batch, *channels], &outputs[..]].concat();
        mean(&input, window, with_padding, shape)
    }

    pub(super) fn mean_over_axes(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        let input = self.value(node, 0)?;
        let given = match node.input.get(1).filter(|name| !name.is_empty()) {
            Some(name) => self.longs(name).ok_or("its axes are not constant")?,
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
        mean(&input, whole(lengths)?, false, shape)
    }

    /// The greatest real is that of the greatest byte, wherever bytes carry reals as they are.
    pub(super) fn max_in_windows(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Result<Value, Reason> {
        let input = self.value(node, 0)?;
        let [batch, channels, lengths @ ..] = &input.shape[..] else { return Err("an input of one axis".into()) };
        if attributes.integer("storage_order", 0) != 0 || node.output.len() > 1 {
            return Err("indices of the greatest values".into());
        }
        let (window, outputs) = windows(attributes, lengths)?;
        let shape = [&[*batch, *channels], &outputs[..]].concat();
        let (from, kind): (_, Box<dyn Fn(_) -> Kind>) = match input.kind.clone() {
            Kind::Integers { tensor, offset } => (tensor, Box::new(move |tensor| Kind::Integers { tensor, offset })),
            Kind::Pointwise { of, function } if function.affine.is_some() => {
                (of, Box::new(move |of| Kind::Pointwise { of, function: function.clone() }))
            }
            _ => return Err("its input is not quantized".into()),
        };
        let to = self.bytes(&shape)?;
        self.step(Step::Pooling(Pooling { from, to, window, kind: PoolingKind::Max }));
        Ok(Value { shape, kind: kind(to) })
    }
}

/// A pool's windows, each of which has a pixel of the picture in it.
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

/// The most pixels of a window whose bytes add up within 32 bits.
const MAX_PIXELS: usize = (i32::MAX / 255) as usize;

fn mean(input: &Value, window: Window, with_padding: bool, shape: Vec<usize>) -> Result<Value, Reason> {
    if window.kernel.iter().product::<usize>() > MAX_PIXELS {
        return Err("a mean over more pixels than 32 bits can add up".into());
    }
    let what = Rc::new(Deferred::Mean { of: input.quantized_tensor()?, window, with_padding });
    Ok(Value { shape, kind: Kind::Deferred { what, clamp: Clamp::NONE } })
}

/// One window over all.
fn whole(lengths: &[usize]) -> Result<Window, Reason> {
    let kernel = match *lengths {
        [width] => [1, width],
        [height, width] => [height, width],
        _ => return Err("a picture of other than one or two axes".into()),
    };
    if kernel.contains(&0) {
        return Err("a length of zero".into());
    }
    Ok(Window { kernel, stride: [1, 1], dilation: [1, 1], pad: [0, 0] })
}
