//! Runs a graph some number of times over one made-up picture and prints the steps' kernels and a sum of the output's
//! bits: what `cargo xtask arm` counts instructions of, and holds against other processors.
//!
//! `repeat MODEL COUNT`. A count of 0 only opens the graph, so that differences between counts are inferences.

mod model;

use std::error::Error;

use bedside_engine::Tensor;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, count] = &arguments[..] else { return Err("repeat MODEL COUNT".into()) };
    let count: u32 = count.parse()?;
    let (engine, shape) = model::open(file)?;
    let picture = picture(&shape)?;
    match engine.steps() {
        Ok((kernels, steps)) => println!("kernels {kernels}, {} steps", steps.len()),
        Err(reason) => println!("left to tract: {reason}"),
    }
    for _ in 0..count {
        let outputs = engine.run(&picture)?;
        println!("output {:016x}", bits(&outputs));
    }
    Ok(())
}

/// Waves of several lengths, within what normalised pictures have.
fn picture(shape: &[usize]) -> Result<Tensor, Box<dyn Error>> {
    // Exact in float32 on every processor: quarters of whole numbers.
    let value = |at: usize| (((at * at / 7 + at * 5 + at / 224 * 11) % 17) as f32 - 8.0) / 4.0;
    Ok(Tensor::f32(shape.to_vec(), (0..shape.iter().product()).map(value).collect())?)
}

/// FNV-1a over the outputs' bits.
fn bits(outputs: &[Tensor]) -> u64 {
    let values = outputs.iter().flat_map(|tensor| tensor.as_f32().unwrap_or_default());
    values
        .flat_map(|value| value.to_bits().to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
