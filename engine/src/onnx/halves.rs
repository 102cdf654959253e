//! Converts graphs in 16-bit floats to graphs in 32-bit floats.
//!
//! Every 16-bit float is exactly a 32-bit float, so the weights keep their values. Sums and products are then rounded
//! to 24 significant bits instead of 11 (float16) or 8 (bfloat16).

use half::{bf16, f16};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::Value as TypeValue;
use tract_onnx::pb::{AttributeProto, GraphProto, TensorProto, ValueInfoProto};

/// Whether an ONNX data type is float16 or bfloat16.
pub(crate) fn is_half(data_type: i64) -> bool {
    [DataType::Float16, DataType::Bfloat16].iter().any(|&half| half as i64 == data_type)
}

/// Replaces float16 and bfloat16 by float32 in the constants, inputs, outputs and casts of a graph. Subgraphs keep
/// theirs, because nodes that have subgraphs are refused.
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
    let is_float16 = tensor.data_type == DataType::Float16 as i32;
    let value = |bits| if is_float16 { f16::from_bits(bits).to_f32() } else { bf16::from_bits(bits).to_f32() };
    let bits: Vec<u16> = match &tensor.raw_data[..] {
        [] => tensor.int32_data.iter().map(|&bits| bits as u16).collect(),
        raw => raw.chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).collect(),
    };
    tensor.raw_data = bits.into_iter().flat_map(|bits| value(bits).to_le_bytes()).collect();
    tensor.int32_data.clear();
    tensor.data_type = DataType::Float as i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widened(kind: DataType, bits: &[u16]) -> Vec<f32> {
        let raw_data = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        let mut tensor = TensorProto { data_type: kind as i32, raw_data, ..TensorProto::default() };
        widen_tensor(&mut tensor);
        assert_eq!(tensor.data_type, DataType::Float as i32);
        tensor.raw_data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
    }

    #[test]
    fn widen_tensor_keeps_values() {
        // IEEE 754-2019, table 3.5, and the values that follow from it.
        let bits = [0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x03ff, 0x3555, 0x7c00, 0x8000];
        let values =
            [1.0, -2.0, 65504.0, 6.103_515_6e-5, 5.960_464_5e-8, 6.097_555e-5, 0.333_251_95, f32::INFINITY, -0.0_f32];
        let found = widened(DataType::Float16, &bits);
        assert_eq!(found.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), values.map(f32::to_bits));
        assert!(widened(DataType::Float16, &[0x7e00])[0].is_nan());
        assert_eq!(widened(DataType::Bfloat16, &[0x3f80, 0xc049]), [1.0, -3.140_625]);
    }
}
