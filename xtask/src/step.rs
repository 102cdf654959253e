//! One command of a job: it is printed and run in the workspace's folder, and its failure is an error.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::scope;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::root;

/// The maximum number of arguments of a command that are printed.
const SHOWN_ARGUMENTS: usize = 30;
/// The maximum number of characters of an argument that are printed.
const SHOWN_CHARACTERS: usize = 160;

/// A command and the environment variables that it needs.
pub(crate) struct Step<'a> {
    program: &'a str,
    arguments: Vec<&'a str>,
    environment: Vec<(&'a str, &'a str)>,
    hidden: Option<&'a str>,
}

impl<'a> Step<'a> {
    /// `words` is the program and its arguments, separated by spaces.
    pub(crate) fn new(words: &'a str) -> Step<'a> {
        let mut words = words.split_whitespace();
        Step {
            program: words.next().unwrap_or_default(),
            arguments: words.collect(),
            environment: Vec::new(),
            hidden: None,
        }
    }

    /// Adds one argument, which may hold spaces.
    pub(crate) fn arg(mut self, argument: &'a str) -> Step<'a> {
        self.arguments.push(argument);
        self
    }

    /// Adds arguments, which are separated by spaces.
    pub(crate) fn words(mut self, words: &'a str) -> Step<'a> {
        self.arguments.extend(words.split_whitespace());
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &'a str, value: &'a str) -> Step<'a> {
        self.environment.push((name, value));
        self
    }

    /// Leaves lines that contain `text` out of what [`run`](Step::run) prints.
    pub(crate) fn quiet(mut self, text: &'a str) -> Step<'a> {
        self.hidden = Some(text);
        self
    }

    /// The command with its environment, whole, as a line of a shell script.
    pub(crate) fn as_shell(&self) -> String {
        let quoted = |word: &str| format!("'{}'", word.replace('\'', "'\\''"));
        let environment = self.environment.iter().map(|(name, value)| quoted(&format!("{name}={value}")));
        let words = std::iter::once(self.program).chain(self.arguments.iter().copied()).map(quoted);
        std::iter::once("env".to_owned()).chain(environment).chain(words).collect::<Vec<_>>().join(" ")
    }

    /// Runs the command and returns its duration.
    pub(crate) fn run(&self) -> Result<Duration> {
        let words = self.to_string();
        eprintln!("\n=== {words}");
        let start = Instant::now();
        let status = self.status().with_context(|| format!("{words}: can't be started"))?;
        if !status.success() {
            bail!("{words}: failed, {status}");
        }
        eprintln!("--- {:.0} s", start.elapsed().as_secs_f64());
        Ok(start.elapsed())
    }

    fn status(&self) -> std::io::Result<ExitStatus> {
        let Some(hidden) = self.hidden else { return self.command().status() };
        let output = self.command().output()?;
        let printed = [output.stdout, output.stderr].concat();
        for line in String::from_utf8_lossy(&printed).lines().filter(|line| !line.contains(hidden)) {
            eprintln!("{line}");
        }
        Ok(output.status)
    }

    /// Runs the command, prints its standard output and standard error as they come, and returns the lines of both.
    pub(crate) fn lines(&self) -> Result<Vec<String>> {
        let words = self.to_string();
        eprintln!("\n=== {words}");
        let start = Instant::now();
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{words}: can't be started"))?;
        let lines = Mutex::new(Vec::new());
        let read = |from: Box<dyn Read + Send>| -> std::io::Result<()> {
            for line in BufReader::new(from).split(b'\n') {
                let line = String::from_utf8_lossy(&line?).into_owned();
                eprintln!("{line}");
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
            Ok(())
        };
        let (output, errors) = (child.stdout.take().expect("it is piped"), child.stderr.take().expect("it is piped"));
        scope(|threads| {
            let errors = threads.spawn(|| read(Box::new(errors)));
            read(Box::new(output)).and(errors.join().expect("nothing panics there"))
        })
        .with_context(|| format!("{words}: what it prints can't be read"))?;
        let status = child.wait()?;
        if !status.success() {
            bail!("{words}: failed, {status}");
        }
        eprintln!("--- {:.0} s", start.elapsed().as_secs_f64());
        Ok(lines.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs the command and returns its standard output, trimmed.
    pub(crate) fn output(&self) -> Result<String> {
        let output = self.command().output().with_context(|| format!("{self}: can't be started"))?;
        if !output.status.success() {
            bail!("{self}: failed, {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.args(&self.arguments).envs(self.environment.iter().copied()).current_dir(root());
        command
    }
}

/// The command as one would type it. Arguments over [`SHOWN_CHARACTERS`] (class paths) are cut, and those after the
/// first [`SHOWN_ARGUMENTS`] are left out, so that the text after the command stays readable.
impl std::fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, value) in &self.environment {
            write!(f, "{name}={value} ")?;
        }
        write!(f, "{}", self.program)?;
        for argument in self.arguments.iter().take(SHOWN_ARGUMENTS) {
            match argument.char_indices().nth(SHOWN_CHARACTERS) {
                Some((end, _)) => write!(f, " {}…", &argument[..end])?,
                None => write!(f, " {argument}")?,
            }
        }
        match self.arguments.len().saturating_sub(SHOWN_ARGUMENTS) {
            0 => Ok(()),
            more => write!(f, " … and {more} more"),
        }
    }
}

/// The path of Python in the virtual environment `target/NAME`, with the packages of the file `requirements` installed.
pub(crate) fn python(name: &str, requirements: &str) -> Result<String> {
    let folder = root().join("target").join(name);
    let python = folder.join("bin/python").display().to_string();
    if !Path::new(&python).exists() {
        Step::new("python3 -m venv").arg(&folder.display().to_string()).run()?;
    }
    Step::new(&python).arg("-m").arg("pip").arg("install").arg("--quiet").arg("-r").arg(requirements).run()?;
    Ok(python)
}

/// The path of zig, which ships a C compiler for every target, the sources of LLVM's unwinder, and lists of the names
/// in Apple's libraries.
pub(crate) fn zig() -> Result<PathBuf> {
    let python = python("zig-venv", "xtask/requirements.txt")?;
    let package = Step::new(&python).arg("-c").arg("import ziglang; print(ziglang.__path__[0])").output()?;
    Ok(Path::new(&package).join("zig"))
}

/// The folder of the JDK, whose classes R8 needs.
pub(crate) fn jdk() -> Result<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let compiler = std::env::split_paths(&path).map(|folder| folder.join("javac")).find(|file| file.exists());
    let compiler = compiler.context("no javac in PATH; a JDK 17 is needed")?.canonicalize()?;
    let home = compiler.parent().and_then(Path::parent).context("javac lies in a JDK's bin")?;
    Ok(home.display().to_string())
}

/// Fails where a program is missing; `from` says how to install it.
pub(crate) fn require(program: &str, from: &str) -> Result<()> {
    Step::new(program).arg("--version").output().map(drop).with_context(|| format!("{program} is needed: {from}"))
}

/// The paths of a crate's binaries, which are installed under `target/tools` where they are missing or of another
/// version. They are built without optimisation, because compiling them takes longer than running them.
pub(crate) fn tool(name: &str, version: &str, binaries: &[&str], options: &[&str]) -> Result<Vec<PathBuf>> {
    let folder = root().join("target/tools");
    let paths: Vec<PathBuf> = binaries.iter().map(|binary| folder.join("bin").join(binary)).collect();
    // The list of installed crates that `cargo install` keeps.
    let installed = fs::read_to_string(folder.join(".crates.toml")).unwrap_or_default();
    if !installed.contains(&format!("\"{name} {version} ")) || !paths.iter().all(|path| path.exists()) {
        let to = folder.display().to_string();
        let mut step =
            Step::new("cargo install --debug --locked").arg(name).arg("--version").arg(version).arg("--root").arg(&to);
        for option in options {
            step = step.arg(option);
        }
        step.env("CARGO_PROFILE_DEV_DEBUG", "0").run()?;
    }
    Ok(paths)
}

/// The processor's name, and those of AVX2, AVX-VNNI and AVX-512 VNNI that it has.
pub(crate) fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, m)| m.to_owned()));
    let has = |flag: &str| info.lines().any(|l| l.starts_with("flags") && l.split_whitespace().any(|f| f == flag));
    let features: Vec<&str> = ["avx2", "avx_vnni", "avx512_vnni"].into_iter().filter(|f| has(f)).collect();
    format!("{} ({})", model.unwrap_or_else(|| std::env::consts::ARCH.into()), features.join(", "))
}
