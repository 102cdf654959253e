//! The protocol of an engine's program that `peers.py` drives: one command a line on standard input, and for each one
//! line of JSON on standard output. `engines.py` is the counterpart for the engines that come with Python.
//!
//! `PROGRAM MODEL PICTURES THREADS` opens the model, runs the first picture and prints how long that took. Then it
//! serves the commands `time SECONDS` and `outputs` until its standard input ends.

use std::error::Error;
use std::io::{BufRead, Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use cpu_time::ProcessTime;

/// The input shape of every network: batch, channels, height, width.
pub(crate) const SHAPE: [usize; 4] = [1, 3, 224, 224];

/// The number of uncounted runs at the start of a turn, when the caches hold another engine's data.
const WARM_UP_RUNS: usize = 2;
/// The minimum number of counted runs of a turn.
const MIN_RUNS: usize = 3;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// The arguments of the program.
pub(crate) struct Arguments {
    pub(crate) model: PathBuf,
    /// The input tensors, each with the values of [`SHAPE`] in row-major order.
    pub(crate) pictures: Vec<Vec<f32>>,
    pub(crate) threads: usize,
}

/// An engine with an opened model and its pictures.
pub(crate) trait Engine {
    /// The engine's version, and its kernels where it names them.
    fn about(&self) -> String;
    /// The scores of a picture, given by its index in [`Arguments::pictures`].
    fn run(&mut self, picture: usize) -> Outcome<Vec<f32>>;
}

/// Serves commands until standard input ends. `open` returns an engine that is ready to run.
pub(crate) fn serve<E: Engine>(open: impl FnOnce(Arguments) -> Outcome<E>) -> Outcome<()> {
    let arguments = arguments()?;
    let count = arguments.pictures.len();
    let before = memory("VmRSS:")?;
    let start = Instant::now();
    let mut engine = open(arguments)?;
    let load = ms(start);
    engine.run(0)?;
    let first = ms(start);
    let about = engine.about();
    print(&format!("{{\"about\": {about:?}, \"load_ms\": {load}, \"first_ms\": {first}, \"before_kb\": {before}}}"))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("time", seconds)) => print(&time(&mut engine, seconds.parse()?)?)?,
            _ if line == "outputs" => {
                let outputs = (0..count).map(|picture| engine.run(picture)).collect::<Outcome<Vec<_>>>()?;
                print(&format!("{outputs:?}"))?;
            }
            _ => return Err(format!("{line}: not a command").into()),
        }
    }
    Ok(())
}

/// Reads the command line and the file of pictures.
fn arguments() -> Outcome<Arguments> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [model, pictures, threads] = &words[..] else {
        return Err("MODEL PICTURES THREADS are needed".into());
    };
    let bytes = std::fs::read(pictures).map_err(|error| format!("{pictures}: {error}"))?;
    let numbers = bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    let numbers: Vec<f32> = numbers.collect();
    Ok(Arguments {
        model: Path::new(model).to_owned(),
        pictures: numbers.chunks_exact(SHAPE.iter().product()).map(<[f32]>::to_vec).collect(),
        threads: threads.parse()?,
    })
}

/// Runs the first picture many times. Returns each run's CPU time of the process and wall time, in milliseconds, and
/// the process's peak resident memory, as JSON.
fn time(engine: &mut impl Engine, seconds: f64) -> Outcome<String> {
    for _ in 0..WARM_UP_RUNS {
        engine.run(0)?;
    }
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    let turn = Instant::now();
    while cpu.len() < MIN_RUNS || turn.elapsed().as_secs_f64() < seconds {
        let (start, cpu_start) = (Instant::now(), ProcessTime::now());
        engine.run(0)?;
        cpu.push(cpu_start.elapsed().as_secs_f64() * 1e3);
        wall.push(ms(start));
    }
    Ok(format!("{{\"cpu_ms\": {cpu:?}, \"wall_ms\": {wall:?}, \"peak_kb\": {}}}", memory("VmHWM:")?))
}

/// The milliseconds since `start`.
fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// A field of this process's `/proc/self/status`, in kB of 1024 bytes; Linux only.
fn memory(name: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| format!("no {name}"))?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Prints a line and flushes standard output.
fn print(line: &str) -> Outcome<()> {
    writeln!(stdout(), "{line}")?;
    Ok(stdout().flush()?)
}
