//! tract without Bedside's engine, driven by `peers.py`.

mod asked;

use std::sync::Arc;

use asked::{Arguments, Engine, Outcome, SHAPE, serve};
use tract_onnx::prelude::{
    DatumExt, Framework, InferenceModelExt, IntoRunnable, IntoTValue, TValue, Tensor, TypedRunnableModel, tvec,
};

struct Tract {
    plan: Arc<TypedRunnableModel>,
    pictures: Vec<TValue>,
}

fn main() -> Outcome<()> {
    serve(open)
}

fn open(arguments: Arguments) -> Outcome<Tract> {
    if arguments.threads != 1 {
        return Err("tract is measured on one thread".into());
    }
    let model = tract_onnx::onnx().model_for_path(&arguments.model)?;
    let model = model.with_input_fact(0, f32::fact(SHAPE).into())?;
    let plan = model.into_optimized()?.into_runnable()?;
    let pictures = arguments.pictures.iter().map(|picture| Ok(Tensor::from_shape(&SHAPE, picture)?.into_tvalue()));
    Ok(Tract { plan, pictures: pictures.collect::<Outcome<_>>()? })
}

impl Engine for Tract {
    fn about(&self) -> String {
        // The version that `Cargo.toml` pins: tract does not tell its own.
        "0.23.9".to_owned()
    }

    fn run(&mut self, picture: usize) -> Outcome<Vec<f32>> {
        let outputs = self.plan.run(tvec!(self.pictures[picture].clone()))?;
        Ok(outputs[0].try_as_plain_ram()?.as_slice::<f32>()?.to_vec())
    }
}
