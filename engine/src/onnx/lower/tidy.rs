//! Takes out of a program what it does not need.

use std::collections::{HashMap, HashSet};

use crate::arithmetic::OutputStage;
use crate::program::{PoolingKind, Step, Table, TensorId, UncheckedProgram};

pub(super) fn tidy(mut program: UncheckedProgram) -> UncheckedProgram {
    drop_unread(&mut program);
    look_up_at_once(&mut program);
    program
}

/// Drops steps whose result nothing reads.
fn drop_unread(program: &mut UncheckedProgram) {
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

/// A table that alone reads what a convolution or a mean gives becomes a part of that step.
fn look_up_at_once(program: &mut UncheckedProgram) {
    let mut readers: HashMap<TensorId, usize> = HashMap::new();
    let outputs = program.outputs.iter().map(|(id, _)| *id);
    for id in program.steps.iter().flat_map(Step::inputs).chain(outputs) {
        *readers.entry(id).or_default() += 1;
    }
    let mut steps: Vec<Step> = Vec::with_capacity(program.steps.len());
    // The place in `steps` of the last step that writes each tensor.
    let mut makers: HashMap<TensorId, usize> = HashMap::new();
    for step in std::mem::take(&mut program.steps) {
        if let Step::Lookup(lookup) = &step
            && let Table::Bytes(table) = &lookup.table
            && readers[&lookup.from] == 1
            && let Some(&maker) = makers.get(&lookup.from)
            && let Some((to, place)) = result(&mut steps[maker])
        {
            *place = Some(table.clone());
            *to = lookup.to;
            makers.insert(lookup.to, maker);
            continue;
        }
        makers.insert(step.output(), steps.len());
        steps.push(step);
    }
    program.steps = steps;
}

/// A step's output and where its table goes, if it can have one and has none.
fn result(step: &mut Step) -> Option<(&mut TensorId, &mut Option<Box<[u8; 256]>>)> {
    let (to, result) = match step {
        Step::Convolution(step) => (&mut step.to, &mut step.result),
        Step::Pooling(step) => match &mut step.kind {
            PoolingKind::Mean { result, .. } => (&mut step.to, result),
            PoolingKind::Max => return None,
        },
        _ => return None,
    };
    match result {
        OutputStage::Byte { table: table @ None, .. } => Some((to, table)),
        _ => None,
    }
}
