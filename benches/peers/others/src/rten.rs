//! rten, driven by `peers.py`.

#[path = "../../src/asked.rs"]
mod asked;

use std::sync::Arc;

use asked::{Arguments, Engine, Outcome, SHAPE, serve};
use rten::{Model, ModelOptions, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};

struct Rten {
    model: Model,
    pool: Arc<ThreadPool>,
    pictures: Vec<Vec<f32>>,
}

fn main() -> Outcome<()> {
    serve(open)
}

fn open(arguments: Arguments) -> Outcome<Rten> {
    let model = ModelOptions::with_all_ops().prepack_weights(true).load_file(&arguments.model)?;
    let pool = Arc::new(ThreadPool::with_num_threads(arguments.threads));
    Ok(Rten { model, pool, pictures: arguments.pictures })
}

impl Engine for Rten {
    fn about(&self) -> String {
        // The version that `Cargo.toml` pins: rten does not tell its own.
        "0.27.0".to_owned()
    }

    fn run(&mut self, picture: usize) -> Outcome<Vec<f32>> {
        let input = NdTensorView::from_data(SHAPE, &self.pictures[picture][..]);
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let output: NdTensor<f32, 2> = self.model.run_one(input.into(), Some(options))?.try_into()?;
        Ok(output.to_vec())
    }
}
