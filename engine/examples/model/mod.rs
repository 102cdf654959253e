//! A graph from an ONNX file or a prepared one, with all of its outputs, for one picture.

use std::error::Error;
use std::path::Path;

use bedside_engine::{Dim, Engine, ModelFile, Signature};

/// The largest model file that is read.
const MAX_BYTES: u64 = 1 << 29;

/// The picture's height and width, where the graph leaves them open.
const SIDE: usize = 224;

/// The graph's engine, and its input's shape.
pub(crate) fn open(file: &str) -> Result<(Engine, Vec<usize>), Box<dyn Error>> {
    let file = ModelFile::open(Path::new(file), MAX_BYTES)?;
    let signature = signature(&file)?;
    Ok((Engine::load(file, &signature, 1)?, signature.shape))
}

fn signature(file: &ModelFile) -> Result<Signature, Box<dyn Error>> {
    let inputs = file.inputs();
    let [input] = &inputs[..] else { return Err("more than one input".into()) };
    let dims = input.dims.as_ref().ok_or("the input's shape is open")?;
    let length = |(axis, dim): (usize, &Dim)| match dim {
        Dim::Fixed(length) => *length,
        Dim::Symbolic(_) => [1, 3, SIDE, SIDE][axis.min(3)],
    };
    Ok(Signature {
        input: input.name.clone(),
        shape: dims.iter().enumerate().map(length).collect(),
        outputs: file.outputs().into_iter().map(|info| info.name).collect(),
    })
}
