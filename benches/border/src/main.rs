//! Classifies one 640×480 RGBA frame many times: `border MODEL CALLS whole|corner`. Prints the tenth percentile and the
//! median of the calls' times in microseconds, and the bytes of garbage of a call, which are 0 in Rust.
//!
//! `Border.kt`, `Border.java` and `Border.swift` do the same; `cargo xtask bench bindings` runs all in turn.

use std::process::ExitCode;
use std::time::Instant;

use bedside::tools::in_scope_answer;
use bedside::{Classifier, Image, Options, Query, Region, Result};

const WIDTH: usize = 640;
const HEIGHT: usize = 480;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, calls, part] = &arguments[..] else {
        eprintln!("border MODEL CALLS whole|corner");
        return ExitCode::from(2);
    };
    match run(model, calls.parse().expect("a number of calls"), part) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(model: &str, calls: usize, part: &str) -> Result<()> {
    let classifier = Classifier::open(model, Options::default())?;
    let scope = classifier.manifest().scope();
    let answers = scope.iter().map(|question| (&question.id, in_scope_answer(question)));
    // With a corner of 8 by 8 pixels, a call costs little besides the border itself.
    let corner = Region::new(0.0, 0.0, 8.0 / WIDTH as f32, 8.0 / HEIGHT as f32)?;
    let mut query = Query::new().answers(answers);
    query.region = (part == "corner").then_some(corner);
    let pixels = frame();
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let start = Instant::now();
        let image = Image::rgba8(WIDTH as u32, HEIGHT as u32, WIDTH * 4, &pixels[..])?;
        let report = classifier.classify(&image, &query)?;
        times.push(start.elapsed().as_nanos() as f64 / 1e3);
        assert!(!report.findings.is_empty(), "the frame was rejected");
    }
    times.drain(..calls / 2); // The first half is for warming up.
    times.sort_by(f64::total_cmp);
    println!("{} {} 0", times[times.len() / 10], times[times.len() / 2]);
    Ok(())
}

/// A smooth pattern, the same in every language.
fn frame() -> Vec<u8> {
    (0..WIDTH * HEIGHT).flat_map(|i| [(i % 251) as u8, (i / 640 % 241) as u8, (i % 239) as u8, 255]).collect()
}
