//! Converts graphs in 16-bit floats to graphs in 32-bit floats.
//!
//! Every 16-bit float is exactly a 32-bit float, so the weights keep their values. Sums and products are then rounded
//! to 24 significant bits instead of 11 (float16) or 8 (bfloat16).

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::Value as TypeValue;
use tract_onnx::pb::{AttributeProto, GraphProto, TensorProto, ValueInfoProto};

/// Whether an ONNX data type is float16 or bfloat16.
pub(crate) fn is_half(data_type: i64) -> bool {
    [DataType::Float16, DataType::Bfloat16].iter().any(|&half| half as i64 == data_type)
}

/// Replaces float16 and bfloat16 by float32 in the constants, inputs, outputs and casts of a graph.
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

/// Widens a constant, or the type that an operator such as `Cast` converts to.
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
    let widen = if tensor.data_type == DataType::Float16 as i32 { float16_to_f32 } else { bfloat16_to_f32 };
    let bits: Vec<u16> = match &tensor.raw_data[..] {
        [] => tensor.int32_data.iter().map(|&bits| bits as u16).collect(),
        raw => raw.chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).collect(),
    };
    tensor.raw_data = bits.into_iter().flat_map(|bits| widen(bits).to_le_bytes()).collect();
    tensor.int32_data.clear();
    tensor.data_type = DataType::Float as i32;
}

/// The value of an IEEE 754 binary16 number: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits.
fn float16_to_f32(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (u32::from(bits >> 15) << 31, bits >> 10 & 31, bits & 1023);
    let magnitude = match exponent {
        // Subnormal: a multiple of 2⁻²⁴.
        0 => f32::from(fraction) / 16_777_216.0,
        31 => f32::from_bits(0x7f80_0000 | u32::from(fraction) << 13),
        _ => f32::from_bits((u32::from(exponent) + 112) << 23 | u32::from(fraction) << 13),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}

/// The value of a bfloat16 number, which is the upper half of a 32-bit float.
fn bfloat16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_keeps_values() {
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
            assert_eq!(float16_to_f32(bits).to_bits(), value.to_bits(), "{bits:#x}");
        }
        assert!(float16_to_f32(0x7e00).is_nan());
        assert_eq!(bfloat16_to_f32(0x3f80).to_bits(), 1.0_f32.to_bits());
        assert_eq!(bfloat16_to_f32(0xc049).to_bits(), (-3.140_625_f32).to_bits());
    }
}
