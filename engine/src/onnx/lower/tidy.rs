//! Optimizes a lowered program: removes unread steps, and fuses tables into the steps before them. It changes no
//! result. `program/check.rs` checks the program afterwards.

use std::collections::{HashMap, HashSet};

use crate::arithmetic::OutputStage;
use crate::program::{PoolingKind, Step, Table, TensorId, UncheckedProgram};

/// The optimized program. Its tensors keep their ids, by which partitioning knows their levels. Some have no step left.
pub(super) fn tidy(mut program: UncheckedProgram) -> UncheckedProgram {
    drop_unread_steps(&mut program);
    fuse_lookups(&mut program);
    program
}

/// Removes steps whose output neither another step nor the caller reads, such as a table that later tables are composed
/// with.
fn drop_unread_steps(program: &mut UncheckedProgram) {
    let mut read: HashSet<TensorId> = program.outputs.iter().map(|(id, _)| *id).collect();
    let mut kept = Vec::with_capacity(program.steps.len());
    for step in std::mem::take(&mut program.steps).into_iter().rev() {
        if read.contains(&step.output()) {
            read.extend(step.inputs());
            kept.push(step);
        }
    }
    kept.reverse();
    program.steps = kept;
}

/// Fuses a table of bytes into the convolution or mean before it, where nothing else reads that step's output.
fn fuse_lookups(program: &mut UncheckedProgram) {
    let mut read_counts: HashMap<TensorId, usize> = HashMap::new();
    let outputs = program.outputs.iter().map(|(id, _)| *id);
    for id in program.steps.iter().flat_map(Step::inputs).chain(outputs) {
        *read_counts.entry(id).or_default() += 1;
    }
    let mut steps: Vec<Step> = Vec::with_capacity(program.steps.len());
    // The index in `steps` of the last step that writes each tensor.
    let mut producers: HashMap<TensorId, usize> = HashMap::new();
    for step in std::mem::take(&mut program.steps) {
        if let Step::Lookup(lookup) = &step
            && let Table::Bytes(table) = &lookup.table
            && read_counts[&lookup.from] == 1
            && let Some(&producer) = producers.get(&lookup.from)
            && let Some((to, fused)) = free_table(&mut steps[producer])
        {
            *fused = Some(table.clone());
            *to = lookup.to;
            producers.insert(lookup.to, producer);
            continue;
        }
        producers.insert(step.output(), steps.len());
        steps.push(step);
    }
    program.steps = steps;
}

/// A step's output and its table, where the step can have a table and has none.
fn free_table(step: &mut Step) -> Option<(&mut TensorId, &mut Option<Box<[u8; 256]>>)> {
    let (to, output_stage) = match step {
        Step::Convolution(step) => (&mut step.to, &mut step.output_stage),
        Step::Pooling(step) => match &mut step.kind {
            PoolingKind::Mean { output_stage, .. } => (&mut step.to, output_stage),
            PoolingKind::Max => return None,
        },
        _ => return None,
    };
    match output_stage {
        OutputStage::Byte { table: table @ None, .. } => Some((to, table)),
        _ => None,
    }
}
