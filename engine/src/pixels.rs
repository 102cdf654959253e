//! A picture's bytes in place of the tensor that a graph takes.

use crate::Result;
use crate::tensor::Tensor;

/// Where a tensor's channels stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One plane a channel.
    Nchw,
    /// The channels of a pixel side by side.
    Nhwc,
}

/// The bytes of a picture, and what they stand for. A quantized graph takes them by one table a channel and never makes
/// the floats.
#[derive(Debug, Clone, Copy)]
pub struct Pixels<'a> {
    /// Row by row, the channels of a pixel side by side.
    pub bytes: &'a [u8],
    /// How many channels a pixel has, at least 1.
    pub channels: usize,
    /// For each channel, what each of the 256 values is in a tensor of floats; `None` for a graph that takes bytes.
    pub values: Option<&'a [[f32; 256]]>,
    /// The layout of the tensor.
    pub layout: Layout,
}

impl Pixels<'_> {
    /// The tensor of this shape that the graph would take.
    pub(crate) fn tensor(&self, shape: Vec<usize>) -> Result<Tensor> {
        match self.values {
            Some(values) => Tensor::f32(shape, self.arranged(|channel, byte| values[channel][usize::from(byte)])),
            None => Tensor::u8(shape, self.arranged(|_, byte| byte)),
        }
    }

    fn arranged<T>(&self, value: impl Fn(usize, u8) -> T) -> Vec<T> {
        let channels = self.channels;
        match self.layout {
            Layout::Nhwc => self.bytes.iter().zip((0..channels).cycle()).map(|(&v, c)| value(c, v)).collect(),
            Layout::Nchw => (0..channels)
                .flat_map(|c| self.bytes.iter().skip(c).step_by(channels).map(move |&v| (c, v)))
                .map(|(c, v)| value(c, v))
                .collect(),
        }
    }

    /// Whether the bytes lie as the elements of this shape (batch, height, width, channels) do that are read from the tensor
    /// in these strides.
    pub(crate) fn lie_as(&self, shape: [usize; 4], strides: [usize; 4]) -> bool {
        let [batch, height, width, channels] = shape;
        let of_tensor = match self.layout {
            Layout::Nchw => [width, 1, height * width],
            Layout::Nhwc => [width * channels, channels, 1],
        };
        let alike = (0..3).all(|axis| shape[1 + axis] == 1 || strides[1 + axis] == of_tensor[axis]);
        batch == 1 && channels == self.channels && height * width * channels == self.bytes.len() && alike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(values: Option<&[[f32; 256]]>, layout: Layout) -> Pixels<'_> {
        Pixels { bytes: &[0, 51, 255, 102, 153, 204], channels: 3, values, layout }
    }

    #[test]
    fn a_tensor_has_the_layout_and_the_values_of_each_channel() {
        let values = [1.0, 2.0, 4.0].map(|factor| std::array::from_fn(|byte| byte as f32 * factor));
        let floats =
            |layout| pixels(Some(&values), layout).tensor(vec![6]).expect("six values").as_f32().map(<[f32]>::to_vec);
        assert_eq!(floats(Layout::Nhwc), Some(vec![0.0, 102.0, 1020.0, 102.0, 306.0, 816.0]));
        assert_eq!(floats(Layout::Nchw), Some(vec![0.0, 102.0, 102.0, 306.0, 1020.0, 816.0]));
        let bytes = |layout| pixels(None, layout).tensor(vec![6]).expect("six values");
        assert_eq!(bytes(Layout::Nhwc), Tensor::u8(vec![6], vec![0, 51, 255, 102, 153, 204]).expect("six values"));
        assert_eq!(bytes(Layout::Nchw), Tensor::u8(vec![6], vec![0, 102, 51, 153, 255, 204]).expect("six values"));
        assert!(pixels(None, Layout::Nchw).tensor(vec![7]).is_err());
    }

    #[test]
    fn bytes_are_told_from_others_by_where_they_lie() {
        // One line of two pixels, in planes and side by side.
        let (planes, beside) = (pixels(None, Layout::Nchw), pixels(None, Layout::Nhwc));
        assert!(planes.lie_as([1, 1, 2, 3], [6, 2, 1, 2]) && !planes.lie_as([1, 1, 2, 3], [6, 6, 3, 1]));
        assert!(beside.lie_as([1, 1, 2, 3], [6, 6, 3, 1]) && !beside.lie_as([1, 1, 2, 3], [6, 2, 1, 2]));
        for shape in [[2, 1, 1, 3], [1, 1, 3, 2], [1, 2, 2, 3]] {
            assert!(!beside.lie_as(shape, [6, 6, 3, 1]), "{shape:?}");
        }
    }
}
