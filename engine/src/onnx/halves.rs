//! Graphs in 16-bit floats, made graphs in 32-bit floats.
//!
//! Every 16-bit float is a 32-bit one, so weights lose nothing; sums and products are then rounded to 24 bits instead of
//! 11, which is nearer to what the network was trained for.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::Value as TypeValue;
use tract_onnx::pb::{AttributeProto, GraphProto, TensorProto, ValueInfoProto};

/// Whether this is the number of a type of 16-bit floats.
pub(crate) fn is_half(data_type: i64) -> bool {
    [DataType::Float16, DataType::Bfloat16].iter().any(|&half| half as i64 == data_type)
}

/// Gives a graph 32-bit floats wherever it has shorter ones: constants, inputs, outputs, and casts.
pub(crate) fn widen(graph: &mut GraphProto) {
    graph.initializer.iter_mut().for_each(widen_tensor);
    let infos = graph.input.iter_mut().chain(&mut graph.output).chain(&mut graph.value_info);
    infos.for_each(widen_info);
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        widen_attribute(attribute);
    }
}

fn widen_info(info: &mut ValueInfoProto) {
    if let Some(TypeValue::TensorType(tensor)) = info.r#type.as_mut().and_then(|kind| kind.value.as_mut())
        && is_half(tensor.elem_type.into())
    {
        tensor.elem_type = DataType::Float as i32;
    }
}

/// Constants, and the types that `Cast` and its relatives make.
fn widen_attribute(attribute: &mut AttributeProto) {
    if let Some(tensor) = &mut attribute.t {
        widen_tensor(tensor);
    }
    if matches!(attribute.name.as_str(), "to" | "dtype" | "output_dtype") && is_half(attribute.i) {
        attribute.i = DataType::Float as i64;
    }
}

fn widen_tensor(tensor: &mut TensorProto) {
    if !is_half(tensor.data_type.into()) {
        return;
    }
    let widen = if tensor.data_type == DataType::Float16 as i32 { half } else { brain };
    let bits: Vec<u16> = match &tensor.raw_data[..] {
        [] => tensor.int32_data.iter().map(|&bits| bits as u16).collect(),
        raw => raw.chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).collect(),
    };
    tensor.raw_data = bits.into_iter().flat_map(|bits| widen(bits).to_le_bytes()).collect();
    tensor.int32_data.clear();
    tensor.data_type = DataType::Float as i32;
}

/// IEEE 754 binary16: 1 sign bit, 5 of the exponent (bias 15), 10 of the fraction.
fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (u32::from(bits >> 15) << 31, bits >> 10 & 31, bits & 1023);
    let magnitude = match exponent {
        // Multiples of 2⁻²⁴.
        0 => f32::from(fraction) / 16_777_216.0,
        31 => f32::from_bits(0x7f80_0000 | u32::from(fraction) << 13),
        _ => f32::from_bits((u32::from(exponent) + 112) << 23 | u32::from(fraction) << 13),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}

/// bfloat16: the upper half of a 32-bit float.
fn brain(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_keep_their_values() {
        // IEEE 754-2019, table 3.5, and the values that follow from it.
        for (bits, value) in [
            (0x3c00_u16, 1.0_f32),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
            (0x8000, -0.0),
        ] {
            assert_eq!(half(bits).to_bits(), value.to_bits(), "{bits:#x}");
        }
        assert!(half(0x7e00).is_nan());
        assert_eq!(brain(0x3f80).to_bits(), 1.0_f32.to_bits());
        assert_eq!(brain(0xc049).to_bits(), (-3.140_625_f32).to_bits());
    }
}
