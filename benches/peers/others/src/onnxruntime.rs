//! ONNX Runtime through its C API, driven by `peers.py`. The environment variable `ONNXRUNTIME` is the path of its
//! library; `ONNXRUNTIME_EXACT` selects products that do not saturate.

#[path = "../../src/asked.rs"]
mod asked;

use asked::{Arguments, Engine, Outcome, SHAPE, serve};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

struct OnnxRuntime {
    session: Session,
    input: String,
    pictures: Vec<Vec<f32>>,
}

fn main() -> Outcome<()> {
    // Loaded before the clock starts, because a program that is linked to a library has loaded it by then too.
    let environment = ort::init_from(std::env::var("ONNXRUNTIME")?)?.build()?;
    serve(|arguments| open(&environment, arguments))
}

fn open(environment: &Environment, arguments: Arguments) -> Outcome<OnnxRuntime> {
    let mut builder = Session::builder(environment)?.with_intra_threads(arguments.threads)?;
    if std::env::var_os("ONNXRUNTIME_EXACT").is_some() {
        builder = builder.with_config_entry("session.x64quantprecision", "1")?;
    }
    let session = builder.commit_from_file(&arguments.model)?;
    let input = session.inputs()[0].name().to_owned();
    Ok(OnnxRuntime { session, input, pictures: arguments.pictures })
}

impl Engine for OnnxRuntime {
    fn about(&self) -> String {
        let library = std::env::var("ONNXRUNTIME").unwrap_or_default();
        library.rsplit('/').next().unwrap_or_default().to_owned()
    }

    fn run(&mut self, picture: usize) -> Outcome<Vec<f32>> {
        let input = TensorRef::from_array_view((SHAPE, &self.pictures[picture][..]))?;
        let outputs = self.session.run(ort::inputs![self.input.as_str() => input])?;
        Ok(outputs[0].try_extract_tensor::<f32>()?.1.to_vec())
    }
}
