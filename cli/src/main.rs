//! The command `bedside`. Each subcommand has its own module; this one parses the arguments and runs a subcommand.
//!
//! Results go to standard output, everything else to standard error. The exit status is 0, 1 where something failed, or
//! 2 for wrong usage. No subcommand opens a network connection.

mod bench;
mod calibrate;
mod check;
mod classes;
mod classify;
mod evaluate;
mod explain;
mod frames;
mod inspect;
mod labelled;
mod looks;
mod measures;
mod output;
mod pack;
mod paths;
mod pictures;
mod provenance;
mod samplesize;
mod show;
mod values;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::Failure;

/// Looks at a picture with a quantized ONNX model, offline, and says what can't be excluded.
///
/// Research software, not a medical device.
#[derive(Parser)]
#[command(name = "bedside", version, propagate_version = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look at pictures and print what can't be excluded
    Classify(classify::Arguments),
    /// Draw where the evidence for a label lies in a picture
    Explain(explain::Arguments),
    /// Write a picture, or a frame of a DICOM file, as a model sees it
    Show(show::Arguments),
    /// Print what a model file says about itself and what it holds
    Inspect(inspect::Arguments),
    /// Make one self-describing model file from a graph and a manifest
    Pack(pack::Arguments),
    /// Load a model, run its golden sample, list what is missing
    Check(check::Arguments),
    /// Fit a model's probabilities, thresholds and limits on pictures that it did not learn from
    Calibrate(calibrate::Arguments),
    /// Measure a model on labelled pictures, as numbers and as a page
    Evaluate(evaluate::Arguments),
    /// Say how many patients a stated bound takes
    Samplesize(samplesize::Arguments),
    /// Time a model: cold start, steady state, a picture from bytes to report
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    output::install_log();
    // A failed assertion of a library must reach the user as an error, not as a stack trace.
    std::panic::set_hook(Box::new(|panic| output::remember_panic(&panic.to_string())));
    let arguments = Arguments::parse();
    let outcome = std::panic::catch_unwind(|| match arguments.command {
        Command::Classify(arguments) => classify::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Pack(arguments) => pack::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Calibrate(arguments) => calibrate::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Samplesize(arguments) => samplesize::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    });
    let failure = match outcome {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(failure)) => failure,
        Err(_) => Failure::Failed(format!("internal error; please report it: {}", output::last_panic())),
    };
    failure.report()
}
