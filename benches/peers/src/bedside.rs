//! Bedside's engine, asked by `peers.py`. `BEDSIDE_KERNEL` chooses its kernels.

mod asked;

use asked::{Outcome, Question, SHAPE, serve};
use bedside_engine::{Engine, ModelFile, Signature, Tensor};

/// More than any model here has.
const MAX_BYTES: u64 = 1 << 30;

struct Bedside {
    engine: Engine,
    pictures: Vec<Tensor>,
}

fn main() -> Outcome<()> {
    serve(open)
}

fn open(question: Question) -> Outcome<Bedside> {
    let file = ModelFile::open(&question.model, MAX_BYTES)?;
    let input = file.inputs().into_iter().next().ok_or("no input")?.name;
    let outputs = file.outputs().into_iter().map(|output| output.name).collect();
    let engine = Engine::load(file, &Signature { input, shape: SHAPE.to_vec(), outputs }, question.threads)?;
    let pictures = question.pictures.into_iter().map(|picture| Tensor::f32(SHAPE.to_vec(), picture));
    let bedside = Bedside { engine, pictures: pictures.collect::<Result<_, _>>()? };
    Ok(bedside)
}

impl asked::Engine for Bedside {
    fn about(&self) -> String {
        let kernels = self.engine.steps().map_or_else(|reason| format!("in floats: {reason}"), |(name, _)| name.into());
        format!("{} {kernels}", env!("CARGO_PKG_VERSION"))
    }

    fn run(&mut self, picture: usize) -> Outcome<Vec<f32>> {
        let outputs = self.engine.run(&self.pictures[picture])?;
        Ok(outputs[0].as_f32().ok_or("scores are no floats")?.to_vec())
    }
}
