//! `bedside check`: checks that a model loads and its golden sample passes, and lists what its manifest lacks.

use std::io::Write;
use std::path::PathBuf;

use bedside::manifest::{Activation, Calibration, GoldenBy, Label, Threshold};
use bedside::{Classifier, Image, Manifest, Options, Triage};

use crate::output::{BOLD, Failure, complain, line, plain};
use crate::provenance::{CALIBRATED_ON, LEARNED, calibrated_on, learned};

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
    let in_file = |problem: &str| Failure::Failed(format!("{}: {problem}", arguments.model.display()));
    check_triage(classifier.manifest()).map_err(|problem| in_file(&problem))?;
    check_calibration(classifier.manifest()).map_err(|problem| in_file(&problem))?;
    let mut out = anstream::stdout().lock();
    writeln!(out, "{BOLD}{}{BOLD:#}", plain(arguments.model.display()))?;
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

/// Refuses a model that has operating points, and so a triage, but no label that asks for a clinician.
fn check_triage(manifest: &Manifest) -> Result<(), String> {
    let labels = manifest.shown_labels();
    if has_triage(manifest) && labels.iter().all(|label| label.triage < Triage::Refer) {
        return Err("no label has the triage `refer` or `urgent`: the model could never ask for a clinician; give one a level, \
                    or leave out all operating points and thresholds"
            .to_owned());
    }
    Ok(())
}

/// Refuses a model that was calibrated on pictures that it learned from: it is surer of those than of any other.
fn check_calibration(manifest: &Manifest) -> Result<(), String> {
    let (learned, calibrated) = (learned(manifest)?, calibrated_on(manifest)?);
    match learned.intersection(&calibrated).count() {
        0 => Ok(()),
        both => Err(format!(
            "{both} of the {} pictures that it was calibrated on are among those that it learned from, so that its \
             probabilities and thresholds hold for no other: calibrate it on pictures that it did not learn from",
            calibrated.len()
        )),
    }
}

/// Whether the manifest states an operating point or a threshold, without which a report has no triage.
fn has_triage(manifest: &Manifest) -> bool {
    let output = manifest.output();
    output.labels.iter().any(|label| label.operating_point.is_some())
        || output.groups.iter().any(|group| group.operating_point.is_some())
        || manifest.calibration().is_some_and(|calibration| !calibration.thresholds.is_empty())
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
    warn(
        manifest.provenance().contains_key(CALIBRATED_ON) && !manifest.provenance().contains_key(LEARNED),
        "`provenance` does not list what it learned from: whether it was calibrated on that can't be checked",
    );
    let golden = manifest.golden();
    warn(golden.is_none(), "no golden sample: nothing shows that this device gives the lab's scores");
    warn(
        golden.is_some_and(|g| g.by == GoldenBy::Itself),
        "the golden scores are Bedside's own: they show only that nothing changed since packing",
    );
    let calibration = manifest.calibration();
    let rescales = |c: &Calibration| c.temperature.is_some() || c.scale.is_some() || c.bias.is_some();
    warn(!calibration.is_some_and(rescales), "no temperature, scale or bias: probabilities are not calibrated");
    warn(
        manifest.output().activation == Activation::Softmax && calibration.is_some_and(|c| c.prevalence.is_none()),
        "no calibration prevalence: findings can't be re-weighted to a population",
    );
    warn(manifest.intended_use().is_empty(), "`intended_use` is not stated");
    warn(manifest.not_for().is_empty(), "`not_for` is not stated");
    warn(manifest.scope().is_empty(), "no scope question: every picture is taken for one that the model was made for");
    let without_point = without_operating_point(manifest);
    if has_triage(manifest) {
        let listed = without_point.join(", ");
        warn(!without_point.is_empty(), &format!("no operating point for {listed}: 0.5 is taken"));
    } else {
        warn(true, "no operating point for any label: every picture ends as unassessed");
    }
    let always = always_in(manifest);
    warn(!always.is_empty(), &format!("always in the verdict: {}", always.join(", ")));
    let quality = calibration.is_some_and(|c| c.quality.is_some());
    warn(!quality, "no limits of quality: a blurred or dark picture is judged as any other");
    let novelty = calibration.is_some_and(|c| c.novelty.is_some());
    warn(!novelty, "no novelty: a picture of something else is judged as any other");
    warnings.extend(overstated(manifest));
    warnings.extend(understated_groups(manifest));
    warnings.extend(missing_names(manifest));
    warnings
}

/// Warnings about thresholds above 0 whose stated miss, of as many patients as are stated, allows nobody to be missed.
fn overstated(manifest: &Manifest) -> Vec<String> {
    let Some(calibration) = manifest.calibration() else { return Vec::new() };
    let is_overstated = |threshold: &Threshold| threshold.rank() == Some(0) && threshold.at > 0.0;
    let overstated = calibration.thresholds.iter().filter(|(_, threshold)| is_overstated(threshold));
    overstated
        .map(|(id, threshold)| {
            let (miss, count) = (threshold.miss.unwrap_or_default(), threshold.count.unwrap_or_default());
            format!("the threshold of {id} is above 0, and a miss of {miss} takes more patients than {count} for that")
        })
        .collect()
}

/// Warnings about groups that ask for less than one of their labels does.
fn understated_groups(manifest: &Manifest) -> Vec<String> {
    let groups = &manifest.output().groups;
    let of = |id: &String| manifest.labels().iter().find(|label| label.id == *id).map(|label| label.triage);
    groups
        .iter()
        .filter(|group| group.labels.iter().filter_map(of).any(|triage| triage > group.triage))
        .map(|group| format!("the group {} asks for less than one of its labels, whose triage is not used", group.id))
        .collect()
}

/// The ids of the shown labels for which nothing states an operating point.
fn without_operating_point(manifest: &Manifest) -> Vec<String> {
    let output = manifest.output();
    let thresholds = manifest.calibration().map(|calibration| &calibration.thresholds);
    let stated = |label: &Label| {
        let of_group = output.groups.iter().find(|group| group.id == label.id).map(|group| group.operating_point);
        let of_label =
            || output.labels.iter().find(|known| known.id == label.id).and_then(|known| known.operating_point);
        thresholds.is_some_and(|thresholds| thresholds.contains_key(&label.id))
            || of_group.unwrap_or_else(of_label).is_some()
    };
    manifest.shown_labels().into_iter().filter(|label| !stated(label)).map(|label| label.id).collect()
}

/// The ids of the shown labels that are in every verdict: their operating point is 0, which is what a threshold of too few
/// patients for its stated miss has.
fn always_in(manifest: &Manifest) -> Vec<String> {
    let is_zero = |label: &Label| label.operating_point.is_some_and(|point| point <= 0.0);
    manifest.shown_labels().into_iter().filter(is_zero).map(|label| label.id).collect()
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
