//! An engine that is asked by `peers.py`: a question a line on standard input, a line of JSON an answer on standard
//! output. `engines.py` is the same for the engines that come with Python.
//!
//! `PROGRAM MODEL PICTURES THREADS` opens the model, looks at the first picture and says at once how long that
//! took. Then it answers `time SECONDS` and `outputs` until its standard input ends.

use std::error::Error;
use std::io::{BufRead, Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use cpu_time::ProcessTime;

/// Batch, channels, height, width of every network here.
pub(crate) const SHAPE: [usize; 4] = [1, 3, 224, 224];

/// Runs at the start of a turn that are not counted: another engine's data are in the caches.
const WARM_UP_RUNS: usize = 2;
const LEAST_RUNS: usize = 3;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// What the command line asks for.
pub(crate) struct Question {
    pub(crate) model: PathBuf,
    /// Numbers in the order of [`SHAPE`].
    pub(crate) pictures: Vec<Vec<f32>>,
    pub(crate) threads: usize,
}

pub(crate) trait Engine {
    /// The engine's version, and what it says of its kernels.
    fn about(&self) -> String;
    /// The scores of a picture, by its number.
    fn run(&mut self, picture: usize) -> Outcome<Vec<f32>>;
}

/// Serves until standard input ends. `open` makes of a file an engine that is ready to run.
pub(crate) fn serve<E: Engine>(open: impl FnOnce(Question) -> Outcome<E>) -> Outcome<()> {
    let question = question()?;
    let count = question.pictures.len();
    let before = memory("VmRSS:")?;
    let start = Instant::now();
    let mut engine = open(question)?;
    let load = ms(start);
    engine.run(0)?;
    let first = ms(start);
    let about = engine.about();
    say(&format!("{{\"about\": {about:?}, \"load_ms\": {load}, \"first_ms\": {first}, \"before_kb\": {before}}}"))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("time", seconds)) => say(&time(&mut engine, seconds.parse()?)?)?,
            _ if line == "outputs" => {
                let outputs = (0..count).map(|picture| engine.run(picture)).collect::<Outcome<Vec<_>>>()?;
                say(&format!("{outputs:?}"))?;
            }
            _ => return Err(format!("{line}: not a question").into()),
        }
    }
    Ok(())
}

fn question() -> Outcome<Question> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, pictures, threads] = &arguments[..] else {
        return Err("MODEL PICTURES THREADS are needed".into());
    };
    let bytes = std::fs::read(pictures).map_err(|error| format!("{pictures}: {error}"))?;
    let numbers = bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    let numbers: Vec<f32> = numbers.collect();
    Ok(Question {
        model: Path::new(model).to_owned(),
        pictures: numbers.chunks_exact(SHAPE.iter().product()).map(<[f32]>::to_vec).collect(),
        threads: threads.parse()?,
    })
}

/// The first picture again and again: each run's process CPU time and wall time, and the process's largest size so far.
fn time(engine: &mut impl Engine, seconds: f64) -> Outcome<String> {
    for _ in 0..WARM_UP_RUNS {
        engine.run(0)?;
    }
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    let turn = Instant::now();
    while cpu.len() < LEAST_RUNS || turn.elapsed().as_secs_f64() < seconds {
        let (start, cpu_start) = (Instant::now(), ProcessTime::now());
        engine.run(0)?;
        cpu.push(cpu_start.elapsed().as_secs_f64() * 1e3);
        wall.push(ms(start));
    }
    Ok(format!("{{\"cpu_ms\": {cpu:?}, \"wall_ms\": {wall:?}, \"peak_kb\": {}}}", memory("VmHWM:")?))
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// A size of this process in kB of 1024 bytes; Linux only.
fn memory(name: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| format!("no {name}"))?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn say(line: &str) -> Outcome<()> {
    writeln!(stdout(), "{line}")?;
    Ok(stdout().flush()?)
}
