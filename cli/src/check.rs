//! `bedside check`: checks that a model loads and its golden sample passes, and lists what its manifest lacks.

use std::io::Write;
use std::path::PathBuf;

use bedside::manifest::{Activation, GoldenBy};
use bedside::{Classifier, Image, Manifest, Options};

use crate::output::{BOLD, Failure, complain, line};

#[derive(clap::Args)]
#[command(after_help = "\
Example:
  bedside check models/skin-lesion/model.onnx

Exit status: 0 where the model loads and its golden sample passes (warnings or not); else 1.")]
pub(crate) struct Arguments {
    /// The model
    model: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let classifier = Classifier::open(&arguments.model, Options::default())?;
    let mut out = anstream::stdout().lock();
    writeln!(out, "{BOLD}{}{BOLD:#}", arguments.model.display())?;
    line(&mut out, "loads", "yes")?;
    run_once(&classifier)?;
    line(&mut out, "runs", "yes")?;
    let manifest = classifier.manifest();
    match classifier.self_test()? {
        Some(passed) => {
            let by = passed.by.as_str();
            line(
                &mut out,
                "golden sample",
                format_args!("passes, scores by {by} within {:.4}", passed.max_difference),
            )?;
        }
        None => line(&mut out, "golden sample", "none")?,
    }
    let warnings = warnings(manifest);
    line(&mut out, "warnings", warnings.len())?;
    for warning in warnings {
        complain("warning", &warning);
    }
    Ok(())
}

/// Runs the model on a grey picture and reads its scores, so that a graph that fails or gives no numbers is found.
pub(crate) fn run_once(classifier: &Classifier) -> bedside::Result<()> {
    classifier.scores(&Image::gray8(1, 1, 1, vec![128])?).map(drop)
}

/// Warnings about fields that a complete manifest has and this one lacks.
fn warnings(manifest: &Manifest) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |missing: bool, text: &str| {
        if missing {
            warnings.push(text.to_owned());
        }
    };
    let golden = manifest.golden();
    warn(golden.is_none(), "no golden sample: nothing shows that this device gives the lab's scores");
    warn(
        golden.is_some_and(|g| g.by == GoldenBy::Itself),
        "the golden scores are Bedside's own: they show only that nothing changed since packing",
    );
    let calibration = manifest.calibration();
    warn(calibration.and_then(|c| c.temperature).is_none(), "no temperature: probabilities are not calibrated");
    warn(
        manifest.output().activation == Activation::Softmax && calibration.is_some_and(|c| c.prevalence.is_none()),
        "no calibration prevalence: findings can't be re-weighted to a population",
    );
    warn(manifest.intended_use().is_empty(), "`intended_use` is not stated");
    warn(manifest.not_for().is_empty(), "`not_for` is not stated");
    warn(manifest.scope().is_empty(), "no scope question: every picture is taken for one that the model was made for");
    let labels = manifest.labels();
    let without_point: Vec<&str> =
        labels.iter().filter(|l| l.operating_point.is_none()).map(|l| l.id.as_str()).collect();
    warn(!without_point.is_empty(), &format!("no operating point for {}: 0.5 is taken", without_point.join(", ")));
    warnings.extend(missing_names(manifest));
    warnings
}

/// Warnings about languages in which some labels have a name and others do not.
fn missing_names(manifest: &Manifest) -> Vec<String> {
    let labels = manifest.labels();
    let mut languages: Vec<&str> = labels.iter().flat_map(|l| l.name.languages()).collect();
    languages.sort_unstable();
    languages.dedup();
    let lacks = |language: &str| -> Vec<&str> {
        labels.iter().filter(|l| l.name.languages().all(|t| t != language)).map(|l| l.id.as_str()).collect()
    };
    languages
        .into_iter()
        .map(|language| (language, lacks(language)))
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(language, ids)| format!("no name in `{language}` for {}, which other labels have", ids.join(", ")))
        .collect()
}
