//! A partition as one operator of tract's graph.
//!
//! tract's importer makes an operator from a node's name and attributes, which cannot hold a program. So the node of a
//! partition carries a number, the importer makes a [`Placeholder`] of it, and [`replace_placeholders`] puts the
//! program in its place after the import. `lower/partitions.rs` cuts the partitions.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tract_onnx::model::{OnnxOpRegister, ParsingContext};
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, NodeProto};
#[allow(clippy::wildcard_imports, reason = "tract's own prelude for writing operators")]
use tract_onnx::tract_hir::internal::*;

use crate::executable::{Executable, InputView};
use crate::kernels::Kernels;
use crate::onnx::lower::{BoundaryTensor, BoundaryType, Partition};
use crate::onnx::panics::engine_code;
use crate::tensor::Data;
use crate::threads::Threads;

/// The operator's name.
const PARTITION: &str = "BedsidePartition";
/// The attribute that holds the number of a partition.
const NUMBER: &str = "number";

/// Registers the operator with the importer. `build.rs` does so after the check of the file's operators, so that no
/// file can name it.
pub(crate) fn register(operators: &mut OnnxOpRegister) {
    operators.insert(PARTITION, parse);
}

#[expect(clippy::unnecessary_wraps, reason = "the importer's own form")]
fn parse(_: &ParsingContext<'_>, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    Ok(engine_code(|| {
        let number = node.attribute.iter().find(|a| a.name == NUMBER).map_or(0, |a| a.i) as usize;
        (expand(Placeholder { number, outputs: node.output.len() }), vec![])
    }))
}

/// The node of the partition of this number.
pub(crate) fn node(number: usize, partition: &Partition) -> NodeProto {
    let names = |tensors: &[BoundaryTensor]| tensors.iter().map(|boundary| boundary.name.clone()).collect();
    NodeProto {
        op_type: PARTITION.into(),
        name: format!("bedside:partition-{number}"),
        input: names(&partition.inputs),
        output: names(&partition.outputs),
        attribute: vec![AttributeProto {
            name: NUMBER.into(),
            r#type: AttributeType::Int as i32,
            i: number as i64,
            ..AttributeProto::default()
        }],
        ..NodeProto::default()
    }
}

/// Packs partitions for these kernels. The steps of each run on at most `threads` threads.
pub(crate) fn packed(
    partitions: Vec<Partition>,
    kernels: &'static dyn Kernels,
    threads: usize,
) -> Vec<PackedPartition> {
    let pack = |partition: Partition| PackedPartition {
        executable: Arc::new(Executable::new(&partition.program, kernels, Threads::new(threads))),
        inputs: partition.inputs,
        outputs: partition.outputs,
    };
    partitions.into_iter().map(pack).collect()
}

/// Replaces the placeholder of each partition's number by the partition. It must be called before operators are wrapped
/// in `Bounded`, behind which a placeholder is not found.
pub(crate) fn replace_placeholders(model: &mut InferenceModel, partitions: &[PackedPartition]) {
    for node in model.nodes_mut() {
        let expansion = node.op_as::<Box<dyn Expansion>>();
        let number = expansion.and_then(|op| (&**op as &dyn Any).downcast_ref::<Placeholder>());
        if let Some(partition) = number.and_then(|placeholder| partitions.get(placeholder.number)) {
            node.op = expand(partition.clone());
        }
    }
}

/// The operator of a partition's node while tract reads the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placeholder {
    number: usize,
    outputs: usize,
}

impl Expansion for Placeholder {
    fn name(&self) -> StaticName {
        PARTITION.into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.outputs)
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        _: &mut Solver<'r>,
        _: &'p [TensorProxy],
        _: &'p [TensorProxy],
    ) -> InferenceResult {
        bail!("a partition without its program")
    }

    fn wire(&self, _: &str, _: &mut TypedModel, _: &[OutletId]) -> TractResult<TVec<OutletId>> {
        bail!("a partition without its program")
    }
}

/// The program of a partition, packed for a set of kernels, with its boundary tensors: `inputs` and `outputs` are in
/// the order of the program's.
#[derive(Debug, Clone)]
pub(crate) struct PackedPartition {
    pub(crate) executable: Arc<Executable>,
    inputs: Vec<BoundaryTensor>,
    outputs: Vec<BoundaryTensor>,
}

impl PartialEq for PackedPartition {
    fn eq(&self, other: &PackedPartition) -> bool {
        Arc::ptr_eq(&self.executable, &other.executable)
    }
}

impl Eq for PackedPartition {}

/// tract's type of a boundary tensor.
fn datum_type(element: BoundaryType) -> DatumType {
    match element {
        BoundaryType::Floats => DatumType::F32,
        BoundaryType::Unsigned => DatumType::U8,
        BoundaryType::Signed => DatumType::I8,
    }
}

impl Op for PackedPartition {
    fn name(&self) -> StaticName {
        PARTITION.into()
    }

    op_as_typed_op!();
}

impl EvalOp for PackedPartition {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        engine_code(|| self.run(&inputs))
    }
}

impl PackedPartition {
    fn run(&self, inputs: &[TValue]) -> TractResult<TVec<TValue>> {
        let signed: Vec<Vec<u8>> = self
            .inputs
            .iter()
            .zip(inputs)
            .map(|(to, from)| signed_to_unsigned(to, from))
            .collect::<TractResult<_>>()?;
        let mut views = Vec::with_capacity(inputs.len());
        let plain = inputs.iter().map(|input| input.try_as_plain_ram()).collect::<TractResult<Vec<_>>>()?;
        for ((boundary, tensor), signed) in self.inputs.iter().zip(&plain).zip(&signed) {
            views.push(match boundary.element {
                BoundaryType::Floats => InputView::Floats(tensor.as_slice::<f32>()?),
                BoundaryType::Unsigned => InputView::Bytes(tensor.as_slice::<u8>()?),
                BoundaryType::Signed => InputView::Bytes(signed),
            });
        }
        let outputs = self.executable.run(&views, &AtomicBool::new(false), || {})?;
        let mut tensors = tvec!();
        for (output, boundary) in outputs.into_iter().zip(&self.outputs) {
            let tensor = match (output.data(), boundary.element) {
                (Data::F32(values), _) => Tensor::from_shape(&boundary.shape, values)?,
                (Data::U8(values), BoundaryType::Signed) => {
                    let signed: Vec<i8> = values.iter().map(|&byte| (byte ^ 128) as i8).collect();
                    Tensor::from_shape(&boundary.shape, &signed)?
                }
                (Data::U8(values), _) => Tensor::from_shape(&boundary.shape, values)?,
            };
            tensors.push(tensor.into_tvalue());
        }
        Ok(tensors)
    }
}

/// The signed bytes of a boundary tensor as unsigned ones, 128 higher; empty for tensors of other types.
fn signed_to_unsigned(boundary: &BoundaryTensor, tensor: &TValue) -> TractResult<Vec<u8>> {
    if boundary.element != BoundaryType::Signed {
        return Ok(vec![]);
    }
    Ok(tensor.try_as_plain_ram()?.as_slice::<i8>()?.iter().map(|&byte| byte as u8 ^ 128).collect())
}

impl TypedOp for PackedPartition {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        engine_code(|| Ok(self.outputs.iter().map(|output| datum_type(output.element).fact(&output.shape)).collect()))
    }

    as_op!();
}

impl Expansion for PackedPartition {
    fn name(&self) -> StaticName {
        PARTITION.into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.outputs.len())
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, self.inputs.len())?;
        check_output_arity(outputs, self.outputs.len())?;
        for (proxy, boundary) in inputs.iter().zip(&self.inputs) {
            solver.equals(&proxy.datum_type, datum_type(boundary.element))?;
        }
        for (proxy, boundary) in outputs.iter().zip(&self.outputs) {
            solver.equals(&proxy.datum_type, datum_type(boundary.element))?;
            let shape: ShapeFactoid = boundary.shape.iter().map(ToDim::to_dim).collect();
            solver.equals(&proxy.shape, shape)?;
        }
        Ok(())
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}
