//! `bedside bench`: measures how long a model takes, cold and warm.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bedside::tools::{self, Binding};
use bedside::{Classifier, Image, Limits, Options, Query};
use bedside_engine::{ElementType, Engine, ModelFile, Tensor};
use serde::Serialize;

use crate::output::{BOLD, DIM, Failure, line, plain};

/// The number of uncounted runs before each measurement.
const WARM_UP_RUNS: usize = 3;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  bedside bench models/skin-lesion/model.onnx
  bedside bench models/skin-lesion/model.onnx --image lesion.jpg --seconds 10 --json
  bedside bench models/skin-lesion/model.onnx --profile")]
pub(crate) struct Arguments {
    /// The model
    model: PathBuf,
    /// A picture to time from its bytes to a report
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// How many threads one run may use
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N")]
    threads: u16,
    /// Print the time of each step, where the graph runs in integers
    #[arg(long, conflicts_with_all = ["image", "json"])]
    profile: bool,
    /// How long to measure each figure, in seconds
    #[arg(long, default_value_t = 5.0, value_parser = parse_seconds, value_name = "S")]
    seconds: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The figures: times in milliseconds of wall time, memory in megabytes of 1,000,000 bytes. The names of the fields are
/// those of the JSON.
#[derive(Serialize)]
struct Measured {
    cold_ms: f64,
    cold_parts_ms: ColdParts,
    steady_ms: Spread,
    image_ms: Option<f64>,
    peak_rss_mb: Option<f64>,
    threads: u16,
}

/// The parts of a cold start, in milliseconds.
#[derive(Serialize)]
struct ColdParts {
    read: f64,
    import: f64,
    optimize: f64,
    first_run: f64,
}

/// The spread of the times of many runs, in milliseconds.
#[derive(Serialize)]
struct Spread {
    min: f64,
    p10: f64,
    median: f64,
    p90: f64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.profile {
        return profile(arguments);
    }
    let measured = measure(arguments)?;
    let mut out = anstream::stdout().lock();
    if arguments.json {
        let json = serde_json::to_string(&measured).map_err(|error| Failure::Failed(error.to_string()))?;
        writeln!(out, "{json}")?;
        return Ok(());
    }
    let Measured { cold_parts_ms: cold, steady_ms: steady, .. } = &measured;
    writeln!(out, "{BOLD}{}{BOLD:#}, {} thread(s)", plain(arguments.model.display()), measured.threads)?;
    line(
        &mut out,
        "cold start",
        format_args!(
            "{:.1} ms (read {:.1}, import {:.1}, optimise {:.1}, first run {:.1})",
            measured.cold_ms, cold.read, cold.import, cold.optimize, cold.first_run
        ),
    )?;
    line(
        &mut out,
        "steady state",
        format_args!(
            "{:.2} ms a run, median (min {:.2}, p10 {:.2}, p90 {:.2})",
            steady.median, steady.min, steady.p10, steady.p90
        ),
    )?;
    if let Some(image_ms) = measured.image_ms {
        line(&mut out, "picture", format_args!("{image_ms:.1} ms from bytes to report, median"))?;
    }
    let peak = measured.peak_rss_mb.map_or("unknown on this system".into(), |mb| format!("{mb:.1} MB"));
    line(&mut out, "peak memory", peak)?;
    writeln!(out, "\n{DIM}Wall time on a shared machine drifts: compare runs side by side, not across days.{DIM:#}")?;
    Ok(())
}

/// Prints the time of each step: the tenth percentile of many runs, because a disturbance can only make a run longer.
fn profile(arguments: &Arguments) -> Result<(), Failure> {
    let path = &arguments.model;
    let in_file = |error| tools::in_file(error, path);
    let engine_error = |error| in_file(tools::engine_error(error));
    let file = ModelFile::open(path, Limits::default().max_model_bytes).map_err(engine_error)?;
    let manifest = tools::manifest_of(&file, Some(path)).map_err(in_file)?;
    let signature = Binding::new(&manifest, &file).map_err(in_file)?.signature;
    let (shape, length) = (signature.shape.clone(), signature.shape.iter().product());
    let takes_bytes =
        file.inputs().iter().any(|input| input.name == signature.input && input.element == ElementType::U8);
    let input = if takes_bytes { Tensor::u8(shape, vec![0; length]) } else { Tensor::f32(shape, vec![0.0; length]) }?;
    let engine = Engine::load(file, &signature, arguments.threads.into()).map_err(engine_error)?;
    let (kernels, steps) = engine
        .steps()
        .map_err(|reason| Failure::Failed(format!("{}: runs in floats, on tract: {reason}", path.display())))?;

    let mut times: Vec<Vec<f64>> = vec![Vec::new(); steps.len()];
    let (start, mut runs) = (Instant::now(), 0);
    while runs < WARM_UP_RUNS || start.elapsed().as_secs_f64() < arguments.seconds {
        for (times, time) in times.iter_mut().zip(engine.profile(&input)?) {
            times.push(time.as_secs_f64() * 1e6);
        }
        runs += 1;
    }
    let times: Vec<f64> = times.iter().map(|times| spread(times).p10).collect();
    let total = times.iter().fold(0.0, |total, time| total + time);
    let mut out = anstream::stdout().lock();
    writeln!(out, "{BOLD}{}{BOLD:#}, {kernels} kernels, {} thread(s)", plain(path.display()), arguments.threads)?;
    writeln!(out, "\n{DIM}    µs  share  result           step{DIM:#}")?;
    for (step, time) in steps.iter().zip(&times) {
        let [_, height, width, channels] = step.shape;
        let shape = format!("{height}×{width}×{channels}");
        writeln!(
            out,
            "{time:6.0} {:5.1}%  {shape:<15}  {}: {}",
            time / total * 100.0,
            step.operation,
            plain(&step.tensor)
        )?;
    }
    writeln!(out, "{total:6.0}         all steps, the tenth percentile of each")?;
    Ok(())
}

/// Measures a cold start first, since what runs before would warm it up, then single runs, then the picture.
fn measure(arguments: &Arguments) -> Result<Measured, Failure> {
    let start = Instant::now();
    let options = Options::new().threads(arguments.threads.into());
    let classifier = Classifier::open(&arguments.model, options)?;
    let opened = Instant::now();
    classifier.warm_up()?;
    let (cold, first_run) = (start.elapsed(), opened.elapsed());
    let times = classifier.load_times();
    let cold_parts_ms = ColdParts {
        read: ms(times.read),
        import: ms(times.import),
        optimize: ms(times.optimize),
        first_run: ms(first_run),
    };

    let budget = Duration::from_secs_f64(arguments.seconds);
    let steady_ms = spread(&repeat(budget, || classifier.warm_up())?);
    let image_ms = match &arguments.image {
        None => None,
        Some(path) => {
            let image = Image::open(path)?;
            let query = in_scope(&classifier);
            Some(spread(&repeat(budget, || classifier.classify(&image, &query).map(drop))?).median)
        }
    };
    Ok(Measured {
        cold_ms: ms(cold),
        cold_parts_ms,
        steady_ms,
        image_ms,
        peak_rss_mb: peak_rss_mb(),
        threads: arguments.threads,
    })
}

/// A query whose answers are in scope, so that no scope question rejects the picture.
fn in_scope(classifier: &Classifier) -> Query {
    let answers = classifier.manifest().scope().iter().map(|question| (&question.id, tools::in_scope_answer(question)));
    Query::new().answers(answers)
}

/// Runs `run` for as long as `budget`, at least once, after [`WARM_UP_RUNS`] uncounted runs. Returns the time of each
/// counted run in milliseconds.
fn repeat(budget: Duration, run: impl Fn() -> bedside::Result<()>) -> Result<Vec<f64>, Failure> {
    for _ in 0..WARM_UP_RUNS {
        run()?;
    }
    let start = Instant::now();
    let mut times = Vec::new();
    while times.is_empty() || start.elapsed() < budget {
        let began = Instant::now();
        run()?;
        times.push(ms(began.elapsed()));
    }
    Ok(times)
}

/// The minimum and percentiles of times, without interpolation. `times` must not be empty.
fn spread(times: &[f64]) -> Spread {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quantile = |q: f64| sorted[((sorted.len() - 1) as f64 * q).round() as usize];
    Spread { min: quantile(0.0), p10: quantile(0.1), median: quantile(0.5), p90: quantile(0.9) }
}

/// Milliseconds, rounded to microseconds.
fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// The process's peak resident memory, in megabytes of 1,000,000 bytes; Linux only.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((kib * 1024.0 / 1e5).round() / 10.0)
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("give a number of seconds, 0 to 3600".into()),
    }
}
