//! Opens a model file of either kind as an engine with all outputs, for a batch of one image.

use std::error::Error;
use std::path::Path;

use bedside_engine::{Dim, Engine, ModelFile, Signature};

/// The maximum size of a model file, in bytes.
const MAX_BYTES: u64 = 1 << 29;

/// The height and width of the input, where the graph does not fix them.
const SIDE: usize = 224;

/// The engine, which runs on one thread, and the shape of its input.
pub(crate) fn open(file: &str) -> Result<(Engine, Vec<usize>), Box<dyn Error>> {
    let file = ModelFile::open(Path::new(file), MAX_BYTES)?;
    let signature = signature(&file)?;
    Ok((Engine::load(file, &signature, 1)?, signature.shape))
}

/// The signature of the file's only input and all of its outputs. Symbolic axes get the lengths 1, 3, [`SIDE`],
/// [`SIDE`].
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
        taps: vec![],
    })
}
