//! Runs a graph several times over one made-up input, and prints the name of the kernels and, for each run, a hash of
//! the outputs' bits. `cargo xtask arm` counts its instructions, and compares the hash with that of other processors.
//!
//! `repeat MODEL COUNT`. With a count of 0 the graph is only opened, so that the difference between two counts is the
//! cost of inferences.

mod model;

use std::error::Error;

use bedside_engine::Tensor;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, count] = &arguments[..] else { return Err("repeat MODEL COUNT".into()) };
    let count: u32 = count.parse()?;
    let (engine, shape) = model::open(file)?;
    let input = input(&shape)?;
    match engine.steps() {
        Ok((kernels, steps)) => println!("kernels {kernels}, {} steps", steps.len()),
        Err(reason) => println!("left to tract: {reason}"),
    }
    for _ in 0..count {
        let outputs = engine.run(&input)?;
        println!("output {:016x}", bits(&outputs));
    }
    Ok(())
}

/// An input of several periods, from -2 to 2, as normalized images have.
fn input(shape: &[usize]) -> Result<Tensor, Box<dyn Error>> {
    // Exact in float32 on every processor: quarters of whole numbers.
    let value = |at: u64| (((at * at / 7 + at * 5 + at / 224 * 11) % 17) as f32 - 8.0) / 4.0;
    let length: usize = shape.iter().product();
    Ok(Tensor::f32(shape.to_vec(), (0..length as u64).map(value).collect())?)
}

/// The FNV-1a hash of the outputs' bits.
fn bits(outputs: &[Tensor]) -> u64 {
    let values = outputs.iter().flat_map(|tensor| tensor.as_f32().unwrap_or_default());
    values
        .flat_map(|value| value.to_bits().to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
