//! Runs a graph over the inputs in a file and writes its outputs, which `benches/models/agreement.py` compares with
//! those of ONNX Runtime.
//!
//! `outputs MODEL PICTURES OUTPUTS`. Both files hold float32 values, little-endian, one input after the other, and for
//! each input all outputs. The graph must have a batch of one. `model/mod.rs` opens it.

mod model;

use std::error::Error;

use bedside_engine::Tensor;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, pictures, to] = &arguments[..] else { return Err("outputs MODEL PICTURES OUTPUTS".into()) };
    let (engine, shape) = model::open(file)?;
    let bytes = std::fs::read(pictures)?;
    let (numbers, []) = bytes.as_chunks() else { return Err("a float32 has four bytes".into()) };
    let values: Vec<f32> = numbers.iter().map(|&number| f32::from_le_bytes(number)).collect();
    let mut written = vec![];
    for input in values.chunks(shape.iter().product()) {
        for output in engine.run(&Tensor::f32(shape.clone(), input.to_vec())?)? {
            let values = output.as_f32().ok_or("an output is not of floats")?;
            written.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
    }
    Ok(std::fs::write(to, written)?)
}
