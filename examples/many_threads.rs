//! Classifies many pictures on many threads with one classifier.
//!
//! ```console
//! $ cargo run --release -p bedside --example many_threads -- models/samples/ISIC_*.jpg
//! ```

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bedside::{Answer, Classifier, Image, Options, Query, Result};

fn main() -> Result<()> {
    let pictures: Vec<String> = std::env::args().skip(1).collect();
    // One thread for each classification gives the most pictures a second; more give one picture sooner.
    let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new().threads(1))?;
    let query = Query::new().answer("dermatoscope", Answer::Yes).answer("mole_like", Answer::Yes);

    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(picture) = pictures.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match Image::open(picture).and_then(|image| classifier.classify(&image, &query)) {
                        Ok(report) => println!("{picture}: {} {}", report.triage, report.summary),
                        Err(error) => eprintln!("{error}"),
                    }
                }
            });
        }
    });
    println!("{}", bedside::NOTICE);
    Ok(())
}
