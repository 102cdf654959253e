//! The jobs that developers and CI run beyond plain cargo: `cargo xtask JOB`.

mod android;
mod arm;
mod bench;
mod bench_bindings;
mod bindings;
mod book;
mod c;
mod consumer;
mod copy;
mod device;
mod emulation;
mod encodings;
mod full;
mod fuzz;
mod ios;
mod loom;
mod miri;
mod packages;
mod peers;
mod prepared;
mod r8;
mod skipped;
mod spelling;
mod step;
mod test;
mod uniffi_fixes;
mod unwinder;
mod versions;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The jobs that developers and CI run beyond plain cargo.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
#[allow(clippy::doc_markdown, reason = "these comments are the texts of `--help`")]
enum Job {
    /// The gate: format, lints, tests, documentation, dependencies
    Test {
        /// Rust alone, in some minutes: no other language, spelling, documentation, ARM, miri or dependencies
        #[arg(long)]
        quick: bool,
    },
    /// The gate and all that takes longer. Writes docs/runs/full-run.md. Needs root, debootstrap and python3
    Full {
        /// The folder of the data sets, unpacked
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Where Swift is, or is installed [default: target/swift-toolchain]
        #[arg(long, value_name = "DIR")]
        swift: Option<PathBuf>,
        /// Another commit, on which steps passed that need not run again: you looked at what changed since. May be
        /// given several times
        #[arg(long, value_name = "COMMIT")]
        keep: Vec<String>,
        /// A part of the names of the steps to run, without the others. May be given several times
        #[arg(long, value_name = "TEXT")]
        only: Vec<String>,
    },
    /// Fuzz targets, with their coverage. Needs a nightly compiler
    Fuzz {
        /// One target of fuzz/, `all` of them in turn, or `coverage`: how many lines of the checks of models and
        /// manifests the targets reach, which needs llvm-tools too
        target: String,
        /// How long a target runs
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        minutes: Option<u32>,
    },
    /// Writes the generated Kotlin and Swift sources, and the C header, anew
    Bindings,
    /// The tests of the C border (a part of the gate). Needs gcc, g++, clang and valgrind
    C,
    /// Tarballs for ARM Linux, 64 and 32 bits, in target/device: the command, the library for C and the models. Runs them
    /// and the commands of docs/device.md in emulation. Needs python3, and for the emulation qemu-user-static,
    /// debootstrap, Linux 6.7 and root's rights
    Device {
        /// The tarballs alone: nothing is run
        #[arg(long)]
        build_only: bool,
        /// Builds a second time, in a clone in another folder, from vendored sources and without a network, and compares
        /// the bytes
        #[arg(long)]
        twice: bool,
        /// Writes the sizes of now to xtask/device-sizes.txt, instead of comparing them
        #[arg(long)]
        record: bool,
    },
    /// Writes the apps' string files, and the sentences of reports, from docs/copy/deck.toml
    Copy,
    /// Fails where a word stands that another has replaced, or one is misspelt (a part of the gate). Needs python3
    Words,
    /// Builds the book of docs/ into target/book, and follows its links
    Book,
    /// Compiles each combination of features
    Features,
    /// Fails where the public API has changed in a way that asks for another version, since the revision in
    /// xtask/api-baseline
    Api,
    /// The Android library (AAR) and app (APKs) in target/android, without Google's SDK. Needs Maven, a JDK, Rust's
    /// Android targets and python3, or an NDK (ANDROID_NDK_HOME)
    Android {
        #[command(subcommand)]
        job: Option<AndroidJob>,
    },
    /// The tests of the kernels for ARM of 64 and 32 bits, in emulation of six processors. Needs qemu-user,
    /// gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, gcc-arm-linux-gnueabihf, libc6-dev-armhf-cross, and Rust's targets
    /// aarch64-unknown-linux-gnu and armv7-unknown-linux-gnueabihf
    Arm {
        #[command(subcommand)]
        job: Option<ArmJob>,
    },
    /// Reads back how the instructions of the AVX-VNNI kernels are encoded (a part of the gate). Needs binutils
    Encodings,
    /// The native library for Apple's phones and their simulator, ios/BedsideFFI.xcframework, without a Mac. Needs
    /// python3
    Ios {
        /// Without the ONNX importer, as the app ships it
        #[arg(long)]
        app: bool,
    },
    /// Checks the engine's thread pool under loom, in every order in which its threads can run
    Loom,
    /// Looks for undefined behaviour in the engine's kernels and threads, by miri, which rustup installs: the gate's
    /// part
    Miri {
        #[command(subcommand)]
        job: Option<MiriJob>,
    },
    /// Jars, sources and documentation for the JVM, as a repository in target/maven-repository. Needs Maven and a JDK
    Maven,
    /// The shipped models as the apps carry them, target/prepared: at most 14 MB
    Models,
    /// The memory of the library as it is shipped, under Kotlin and Java, over ten thousand pictures. Or a scanner's days
    /// over the C border, in minutes
    Soak {
        /// Frames from four threads over the C border for so long, with bad ones, models loaded anew and signals in between
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
        minutes: Option<u32>,
    },
    /// Compares Bedside with ONNX Runtime and Pillow, in turn, in one run. Writes docs/runs/performance-run.md. Needs
    /// python3
    Bench {
        #[command(subcommand)]
        job: Option<BenchJob>,
    },
}

#[derive(Subcommand)]
#[allow(clippy::doc_markdown, reason = "these comments are the texts of `--help`")]
enum AndroidJob {
    /// The native libraries and the prepared models alone, which Gradle's build takes
    Natives,
    /// The library for 64-bit phones without the ONNX importer: at most 2.2 MB
    Small,
    /// The app's tests on a JVM
    Test {
        /// Once more on what R8 leaves of the app
        #[arg(long)]
        shrunk: bool,
    },
    /// Runs the libraries for phones with ARM in emulation and compares their scores with this machine's. Needs qemu-user,
    /// libc6-arm64-cross and libc6-armel-cross
    Emulated,
    /// Draws the pictures in docs/screenshots/android anew
    Draw,
}

#[derive(Subcommand)]
#[allow(clippy::doc_markdown, reason = "these comments are the texts of `--help`")]
enum ArmJob {
    /// The instructions of one inference of each shipped model there
    Count,
    /// The tests of all crates, compiled for 64-bit ARM. Needs qemu-user-static, too
    Suite,
    /// The tests whose expected outputs are ONNX Runtime's, on the processors of the kernels' tests
    Golden,
}

#[derive(Subcommand)]
#[allow(clippy::doc_markdown, reason = "these comments are the texts of `--help`")]
enum MiriJob {
    /// All of the engine's tests
    All,
}

#[derive(Subcommand)]
#[allow(clippy::doc_markdown, reason = "these comments are the texts of `--help`")]
enum BenchJob {
    /// Compares Bedside with ONNX Runtime, OpenVINO, LiteRT, tract and rten on five quantized networks. Writes
    /// docs/runs/performance-peers.md. Needs python3 and strip
    Peers {
        /// The folder of mobilenet_v2_1.0_224_float.onnx, of which the networks are made once, by TensorFlow and
        /// PyTorch
        #[arg(long, value_name = "DIR")]
        weights: Option<PathBuf>,
        /// Few rounds, to see that everything works. Writes target/peers/performance-peers.md
        #[arg(long)]
        quick: bool,
    },
    /// Measures what the borders to other languages cost. Writes docs/runs/performance-borders.md
    Bindings {
        /// What ios/linux/toolchain.sh installed
        #[arg(long, value_name = "DIR")]
        swift: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().job) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(job: Job) -> Result<()> {
    match job {
        Job::Test { quick: false } => test::run(),
        Job::Test { quick: true } => test::quick(),
        Job::Full { data, swift, keep, only } => {
            let swift = swift.unwrap_or_else(|| root().join("target/swift-toolchain"));
            full::run(&data, &swift, &keep, &only)
        }
        Job::Fuzz { target, .. } if target == "coverage" => fuzz::coverage(),
        Job::Fuzz { target, minutes } => fuzz::run(&target, minutes),
        Job::Bindings => bindings::write(),
        Job::C => bindings::test_c().map(drop),
        Job::Device { build_only, twice, record } => device::run(build_only, twice, record),
        Job::Copy => copy::write(),
        Job::Words => words::check().and_then(|()| spelling::check()),
        Job::Book => book::build(),
        Job::Features => packages::features(),
        Job::Api => packages::api(),
        Job::Android { job: None } => android::build(),
        Job::Android { job: Some(AndroidJob::Natives) } => android::natives(),
        Job::Android { job: Some(AndroidJob::Small) } => android::small(),
        Job::Android { job: Some(AndroidJob::Test { shrunk: false }) } => android::test(),
        Job::Android { job: Some(AndroidJob::Test { shrunk: true }) } => android::test_shrunk(),
        Job::Android { job: Some(AndroidJob::Emulated) } => android::emulated(),
        Job::Android { job: Some(AndroidJob::Draw) } => android::draw(),
        Job::Arm { job: None } => arm::test(),
        Job::Arm { job: Some(ArmJob::Count) } => arm::count(),
        Job::Arm { job: Some(ArmJob::Suite) } => arm::suite(),
        Job::Arm { job: Some(ArmJob::Golden) } => arm::golden(),
        Job::Encodings => encodings::check(),
        Job::Ios { app } => ios::build(if app { ios::For::App } else { ios::For::Package }),
        Job::Loom => loom::run(),
        Job::Miri { job: None } => miri::gate(),
        Job::Miri { job: Some(MiriJob::All) } => miri::all(),
        Job::Models => prepared::models().map(drop),
        Job::Maven => bindings::publish(),
        Job::Soak { minutes: None } => bindings::soak(),
        Job::Soak { minutes: Some(minutes) } => c::soak(minutes),
        Job::Bench { job: None } => bench::run(),
        Job::Bench { job: Some(BenchJob::Peers { weights, quick }) } => peers::run(weights.as_deref(), quick),
        Job::Bench { job: Some(BenchJob::Bindings { swift }) } => bench_bindings::run(&swift),
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}
