//! Pixels of an image, which can be given in place of a graph's input tensor. The caller decodes and resizes the image,
//! and says by [`Pixels::values`] how it is normalised.

use crate::Result;
use crate::tensor::Tensor;

/// The order of the axes of an input tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Batch, channels, height, width: one plane for each channel.
    Nchw,
    /// Batch, height, width, channels: the channels of a pixel are adjacent.
    Nhwc,
}

/// The pixels of one image, and the values that they stand for in the input tensor, whose batch is 1.
///
/// A quantized graph maps the bytes to its own bytes by a table for each channel, without the tensor of floats.
#[derive(Debug, Clone, Copy)]
pub struct Pixels<'a> {
    /// The pixels, row by row from the top, the channels of a pixel adjacent: height × width × channels bytes.
    pub bytes: &'a [u8],
    /// The number of channels, at least 1.
    pub channels: usize,
    /// For each channel, the value in the tensor of floats of each of the 256 bytes; `None` for a graph whose input is
    /// bytes.
    pub values: Option<&'a [[f32; 256]]>,
    /// The layout of the input tensor.
    pub layout: Layout,
}

impl Pixels<'_> {
    /// The input tensor of this shape that the pixels stand for. `values` must be `None` or have a table for each
    /// channel.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) where the pixels do not fill the shape.
    pub(crate) fn tensor(&self, shape: Vec<usize>) -> Result<Tensor> {
        match self.values {
            Some(values) => Tensor::f32(shape, self.arranged(|channel, byte| values[channel][usize::from(byte)])),
            None => Tensor::u8(shape, self.arranged(|_, byte| byte)),
        }
    }

    /// The value of each byte, in the order of the tensor.
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

    /// Whether reading the input tensor with these strides gives elements of this shape in the order of `bytes`. The
    /// shape and the strides, in elements, are those of batch, height, width and channels.
    pub(crate) fn are_in_order_of(&self, shape: [usize; 4], strides: [usize; 4]) -> bool {
        let [batch, height, width, channels] = shape;
        let tensor_strides = match self.layout {
            Layout::Nchw => [width, 1, height * width],
            Layout::Nhwc => [width * channels, channels, 1],
        };
        let are_equal = (0..3).all(|axis| shape[1 + axis] == 1 || strides[1 + axis] == tensor_strides[axis]);
        batch == 1 && channels == self.channels && height * width * channels == self.bytes.len() && are_equal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(values: Option<&[[f32; 256]]>, layout: Layout) -> Pixels<'_> {
        Pixels { bytes: &[0, 51, 255, 102, 153, 204], channels: 3, values, layout }
    }

    #[test]
    fn tensor_has_the_layout_and_the_values_of_each_channel() {
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
    fn are_in_order_of_tells_planes_from_adjacent_channels() {
        // One line of two pixels, in planes and with adjacent channels.
        let (planes, adjacent) = (pixels(None, Layout::Nchw), pixels(None, Layout::Nhwc));
        assert!(
            planes.are_in_order_of([1, 1, 2, 3], [6, 2, 1, 2]) && !planes.are_in_order_of([1, 1, 2, 3], [6, 6, 3, 1])
        );
        assert!(
            adjacent.are_in_order_of([1, 1, 2, 3], [6, 6, 3, 1])
                && !adjacent.are_in_order_of([1, 1, 2, 3], [6, 2, 1, 2])
        );
        for shape in [[2, 1, 1, 3], [1, 1, 3, 2], [1, 2, 2, 3]] {
            assert!(!adjacent.are_in_order_of(shape, [6, 6, 3, 1]), "{shape:?}");
        }
    }
}
