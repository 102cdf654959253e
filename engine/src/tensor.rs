//! The tensors that callers give and get, and the declarations of a graph's inputs and outputs. The tensors that a
//! program computes with are those of `program/`.

use std::fmt::{self, Write as _};

use crate::{Error, Result};

/// A dense tensor in row-major order: the last axis is contiguous.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Data,
}

/// The values of a [`Tensor`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Data {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// Unsigned bytes.
    U8(Vec<u8>),
}

impl Tensor {
    /// A tensor of floats. `shape` has the length of each axis, outermost first; an empty one is that of a scalar.
    ///
    /// # Errors
    /// [`Error::Tensor`] where the number of `values` is not the product of `shape`.
    pub fn f32(shape: Vec<usize>, values: Vec<f32>) -> Result<Tensor> {
        Tensor::new(shape, values.len(), Data::F32(values))
    }

    /// A tensor of unsigned bytes. `shape` is as for [`Tensor::f32`].
    ///
    /// # Errors
    /// As [`Tensor::f32`].
    pub fn u8(shape: Vec<usize>, values: Vec<u8>) -> Result<Tensor> {
        Tensor::new(shape, values.len(), Data::U8(values))
    }

    fn new(shape: Vec<usize>, len: usize, data: Data) -> Result<Tensor> {
        if is_filled(&shape, len) { Ok(Tensor { shape, data }) } else { Err(unfilled(&shape, len)) }
    }

    /// Makes it a tensor of floats of this shape, whose values `push` adds to an empty vector. Keeps the memory of a
    /// tensor of floats.
    ///
    /// # Errors
    /// As [`Tensor::f32`]; the tensor is empty then.
    pub(crate) fn set_f32(&mut self, shape: &[usize], push: impl FnOnce(&mut Vec<f32>)) -> Result<()> {
        let mut values = match std::mem::replace(&mut self.data, Data::F32(Vec::new())) {
            Data::F32(values) => values,
            Data::U8(_) => Vec::new(),
        };
        values.clear();
        push(&mut values);
        self.set(shape, values.len(), Data::F32(values))
    }

    /// Makes it a tensor of bytes of this shape. Keeps the memory of a tensor of bytes.
    ///
    /// # Errors
    /// As [`Tensor::u8`]; the tensor is empty then.
    pub(crate) fn set_u8(&mut self, shape: &[usize], bytes: &[u8]) -> Result<()> {
        let mut values = match std::mem::replace(&mut self.data, Data::U8(Vec::new())) {
            Data::U8(values) => values,
            Data::F32(_) => Vec::new(),
        };
        values.clear();
        values.extend_from_slice(bytes);
        self.set(shape, values.len(), Data::U8(values))
    }

    /// Sets shape and values, of which there are `len`; a tensor without values where they do not fill the shape.
    fn set(&mut self, shape: &[usize], len: usize, data: Data) -> Result<()> {
        self.shape.clear();
        self.shape.extend_from_slice(shape);
        if !is_filled(shape, len) {
            *self = Tensor::default();
            return Err(unfilled(shape, len));
        }
        self.data = data;
        Ok(())
    }

    /// Sets all values to zero.
    pub(crate) fn wipe(&mut self) {
        match &mut self.data {
            Data::F32(values) => values.fill(0.0),
            Data::U8(values) => values.fill(0),
        }
    }

    /// The length of each axis, outermost first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values, in row-major order.
    #[must_use]
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The values of a tensor of floats, in row-major order; `None` for any other.
    #[must_use]
    pub fn as_f32(&self) -> Option<&[f32]> {
        match &self.data {
            Data::F32(values) => Some(values),
            Data::U8(_) => None,
        }
    }
}

/// Whether so many values fill a tensor of this shape.
fn is_filled(shape: &[usize], len: usize) -> bool {
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)) == Some(len)
}

fn unfilled(shape: &[usize], len: usize) -> Error {
    Error::Tensor(format!("{len} values do not fill a tensor of shape {shape:?}"))
}

/// A tensor without values, of floats.
impl Default for Tensor {
    fn default() -> Tensor {
        Tensor { shape: vec![0], data: Data::F32(Vec::new()) }
    }
}

/// The declaration of a graph's input or output. It displays like `input: float32[N, 3, 224, 224]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// The tensor's name.
    pub name: String,
    /// The type of its elements.
    pub element: ElementType,
    /// The length of each axis, outermost first; `None` where the graph does not declare a shape.
    pub dims: Option<Vec<Dim>>,
}

impl fmt::Display for TensorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.element)?;
        let Some(dims) = &self.dims else { return write!(f, " of unknown shape") };
        let dims: Vec<String> = dims.iter().map(Dim::to_string).collect();
        write!(f, "[{}]", dims.join(", "))
    }
}

/// The declared length of an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dim {
    /// A fixed length.
    Fixed(usize),
    /// A length that the caller chooses, under a name that may be empty.
    Symbolic(String),
}

impl Dim {
    /// Whether the axis can have this length: a symbolic one can have any.
    #[must_use]
    pub fn admits(&self, length: usize) -> bool {
        match self {
            Dim::Fixed(fixed) => *fixed == length,
            Dim::Symbolic(_) => true,
        }
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Fixed(length) => write!(f, "{length}"),
            Dim::Symbolic(name) if name.is_empty() => f.write_str("?"),
            Dim::Symbolic(name) => f.write_str(name),
        }
    }
}

/// The activation by which an output's values are computed, as far as the graph's last operators tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Softmax: values from 0 to 1 that sum to 1 along the operator's axis.
    Softmax,
    /// Sigmoid: each value is from 0 to 1 by itself.
    Sigmoid,
    /// Another operator, or an unknown one.
    Other,
}

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElementType {
    /// 32-bit float.
    F32,
    /// 16-bit float, IEEE 754 or bfloat16. Such tensors are given, computed and returned as 32-bit floats.
    F16,
    /// Unsigned byte.
    U8,
    /// Any other type: its number in ONNX's `TensorProto.DataType`.
    Other(i32),
}

/// The names of the types of ONNX's `TensorProto.DataType`, by their numbers, in lower case.
const NAMES: [&str; 24] = [
    "undefined",
    "float",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "int32",
    "int64",
    "string",
    "bool",
    "float16",
    "double",
    "uint32",
    "uint64",
    "complex64",
    "complex128",
    "bfloat16",
    "float8e4m3fn",
    "float8e4m3fnuz",
    "float8e5m2",
    "float8e5m2fnuz",
    "uint4",
    "int4",
    "float4e2m1",
];

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ElementType::F32 => f.write_str("float32"),
            ElementType::F16 => f.write_str("float16"),
            ElementType::U8 => f.write_str("uint8"),
            ElementType::Other(number) => match usize::try_from(*number).ok().and_then(|number| NAMES.get(number)) {
                Some(name) => f.write_str(name),
                None => write!(f, "type {number}"),
            },
        }
    }
}

/// Bytes as lowercase hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensor_refuses_values_that_do_not_fill_the_shape() {
        assert!(Tensor::f32(vec![1, 2, 3], vec![0.0; 6]).is_ok());
        assert!(matches!(Tensor::f32(vec![1, 2, 3], vec![0.0; 5]), Err(Error::Tensor(_))));
        assert!(matches!(Tensor::u8(vec![usize::MAX, 2], vec![0; 2]), Err(Error::Tensor(_))));
    }

    #[test]
    fn tensor_info_displays_name_type_and_axes() {
        let info = TensorInfo {
            name: "input".into(),
            element: ElementType::F16,
            dims: Some(vec![Dim::Symbolic("N".into()), Dim::Fixed(3), Dim::Symbolic(String::new())]),
        };
        assert_eq!(info.to_string(), "input: float16[N, 3, ?]");
    }
}
