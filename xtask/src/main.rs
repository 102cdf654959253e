//! The jobs that developers and CI run beyond plain cargo: `cargo xtask JOB`.

mod android;
mod arm;
mod bench;
mod bindings;
mod borders;
mod consumer;
mod copy;
mod full;
mod fuzz;
mod ios;
mod loom;
mod mend;
mod miri;
mod peers;
mod r8;
mod skipped;
mod step;
mod test;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask JOB

  test              the gate: format, lints, tests, documentation, dependencies
  full --data DIR [--swift DIR]
                    the gate and all that takes longer; the first DIR holds the data sets,
                    unpacked, the second is where Swift is, or is installed (target/swift-toolchain).
                    Needs root, debootstrap and python3. Writes docs/runs/full-run.md
  fuzz TARGET --minutes N
                    runs one fuzz target of fuzz/, or `all` in turn; prints executions and coverage, and fails where
                    an input fails. Needs a nightly compiler
  fuzz coverage     how many lines of the checks of models and manifests the fuzz targets reach. Needs llvm-tools too
  bindings          the generated Kotlin and Swift sources, written anew
  copy              the apps' string files, from docs/copy/deck.toml
  words             that no word stands that another has replaced (a part of the gate)
  android           the Android library (AAR) and app (APKs) in target/android, without Google's SDK. Needs
                    Maven, a JDK, Rust's Android targets and python3, or an NDK (ANDROID_NDK_HOME)
  android natives   its native libraries alone, which Gradle's build takes
  android small     the library for 64-bit phones without the ONNX importer: at most 2 MB
  android test      the app's tests on a JVM
  android test shrunk
                    the same, and once more on what R8 leaves of the app
  android emulated  runs the library for 64-bit phones in emulation and compares its scores with this machine's.
                    Needs qemu-user and libc6-arm64-cross
  android draw      the pictures in docs/screenshots/android, written anew
  arm               the tests of the kernels for 64-bit ARM, in emulation of three processors. Needs qemu-user,
                    gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and Rust's target aarch64-unknown-linux-gnu
  arm count         the instructions of one inference of each shipped model there
  ios               the native library for Apple's phones and their simulator, ios/BedsideFFI.xcframework, without
                    a Mac. Needs python3
  loom              checks the engine's thread pool under loom, in every order in which its threads can run
  miri              the part of the gate that looks for undefined behaviour, by miri, which rustup installs: the engine's
                    kernels and threads
  miri all          all of the engine's tests
  maven             jars, sources and documentation for the JVM, as a repository in
                    target/maven-repository. Needs Maven and a JDK
  soak              the memory of the library as it is shipped, under Kotlin and Java, over ten thousand pictures
  bench bindings --swift DIR
                    what the borders to other languages cost, in one run; DIR is what
                    ios/linux/toolchain.sh installed. Writes docs/runs/performance-borders.md
  bench             compares Bedside with ONNX Runtime and Pillow, in turn, in one run. Needs python3.
                    Writes docs/runs/performance-run.md
  bench peers [--weights DIR] [--quick]
                    compares Bedside with ONNX Runtime, OpenVINO, LiteRT, tract and rten on five quantized networks,
                    which are made once by TensorFlow and PyTorch, from mobilenet_v2_1.0_224_float.onnx in DIR. Needs
                    python3 and strip. Writes docs/runs/performance-peers.md; with --quick, which runs few rounds to see
                    that everything works, target/peers/performance-peers.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["test"] => test::run(),
        ["full", "--data", folder] => full::run(Path::new(folder), &root().join("target/swift-toolchain")),
        ["full", "--data", folder, "--swift", toolchain] => full::run(Path::new(folder), Path::new(toolchain)),
        ["fuzz", "coverage"] => fuzz::coverage(),
        ["fuzz", target, "--minutes", minutes] => fuzz::run(target, minutes),
        ["bindings"] => bindings::write(),
        ["android"] => android::build(),
        ["android", "natives"] => android::natives(),
        ["android", "small"] => android::small(),
        ["android", "test"] => android::test(),
        ["android", "test", "shrunk"] => android::test_shrunk(),
        ["android", "emulated"] => android::emulated(),
        ["android", "draw"] => android::draw(),
        ["arm"] => arm::test(),
        ["arm", "count"] => arm::count(),
        ["loom"] => loom::run(),
        ["miri"] => miri::gate(),
        ["miri", "all"] => miri::all(),
        ["ios"] => ios::build(),
        ["copy"] => copy::write(),
        ["words"] => words::check(),
        ["soak"] => bindings::soak(),
        ["maven"] => bindings::publish(),
        ["bench"] => bench::run(),
        ["bench", "peers", "--weights", folder, ref options @ ..] => peers::run(Some(Path::new(folder)), options),
        ["bench", "peers", ref options @ ..] => peers::run(None, options),
        ["bench", "bindings", "--swift", toolchain] => borders::run(Path::new(toolchain)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}
