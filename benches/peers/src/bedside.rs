//! Bedside's engine, driven by `peers.py`. `BEDSIDE_KERNEL` selects its kernels. `PROGRAM prepare ONNX FILE` writes the
//! prepared form of a network, which opens like its ONNX file.

mod asked;

use std::path::Path;

use asked::{Arguments, Outcome, SHAPE, serve};
use bedside_engine::{Engine, Graph, ModelFile, Prepared, Signature, Tensor};

/// The limit of a model file, which is larger than any model here.
const MAX_BYTES: u64 = 1 << 30;

struct Bedside {
    engine: Engine,
    pictures: Vec<Tensor>,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [prepare, graph, to] if prepare == "prepare" => {
            let graph = Graph::open(Path::new(graph), MAX_BYTES)?;
            let signature = signature(&graph.clone().into())?;
            Ok(std::fs::write(to, Prepared::of(graph, &signature)?.to_bytes())?)
        }
        _ => serve(open),
    }
}

/// The signature of all outputs for inputs of [`SHAPE`].
fn signature(file: &ModelFile) -> Outcome<Signature> {
    let input = file.inputs().into_iter().next().ok_or("no input")?.name;
    let outputs = file.outputs().into_iter().map(|output| output.name).collect();
    Ok(Signature { input, shape: SHAPE.to_vec(), outputs, taps: vec![] })
}

fn open(arguments: Arguments) -> Outcome<Bedside> {
    let file = ModelFile::open(&arguments.model, MAX_BYTES)?;
    let signature = signature(&file)?;
    let engine = Engine::load(file, &signature, arguments.threads)?;
    let pictures = arguments.pictures.into_iter().map(|picture| Tensor::f32(SHAPE.to_vec(), picture));
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
