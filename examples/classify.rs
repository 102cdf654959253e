//! Classifies one picture and prints the report.
//!
//! ```console
//! $ cargo run --release -p bedside --example classify -- \
//!       models/skin-lesion/model.onnx models/samples/ISIC_0012258.jpg dermatoscope=yes mole_like=yes
//! ```

use bedside::{Classifier, Image, Options, Query, Result};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, picture, answers @ ..] = &arguments[..] else {
        eprintln!("usage: classify MODEL PICTURE [QUESTION=yes|no|NUMBER]…");
        std::process::exit(2);
    };

    // Open a model once and keep it. The self-test shows that this device computes what the model's maker measured.
    let classifier = Classifier::open(model, Options::new().threads(2))?;
    classifier.self_test()?;

    let mut query = Query::new();
    for (question, value) in answers.iter().filter_map(|answer| answer.split_once('=')) {
        query = query.answer(question, value.parse()?);
    }
    let report = classifier.classify(&Image::open(picture)?, &query)?;

    // Decide by the fields, and show the sentences. The notice must stand wherever a result is shown.
    println!("{}\n{}: {}", report.summary, report.triage, report.advice);
    for reason in report.verdict.reasons() {
        println!("{}", reason.message);
    }
    for finding in &report.findings {
        println!("{:>5.1} %  {}", finding.probability * 100.0, finding.name);
    }
    println!("{}", report.notice);
    Ok(())
}
