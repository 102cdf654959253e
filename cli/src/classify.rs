//! `bedside classify`: pictures in, verdicts out.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use bedside::{Answer, Classifier, Error, Image, Manifest, NOTICE, Options, Query, Region, Report, Triage, Verdict};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::output::{BOLD, DIM, Failure, complain, line};
use crate::pictures;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  bedside classify lesion.jpg --model models/skin-lesion/model.onnx --answer dermatoscope=yes
  bedside classify photos/ --model model.onnx --answer dermatoscope=yes --json > results.jsonl
  bedside classify lesion.jpg --model model.onnx --region 0.25,0.25,0.5,0.5 --lang uk

Exit status: 0; 1 where a picture or the model failed; 2 for wrong usage.")]
pub(crate) struct Arguments {
    /// Pictures (JPEG, PNG, WebP, BMP, TIFF), or folders of them
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// The model
    #[arg(long, short, value_name = "FILE")]
    model: PathBuf,
    /// Show at most N findings
    #[arg(long, value_name = "N")]
    top_k: Option<usize>,
    /// Language of names and questions, such as `uk`
    #[arg(long, default_value = "en", value_name = "TAG")]
    lang: String,
    /// Look at this part only: LEFT,TOP,WIDTH,HEIGHT, each 0 to 1, in the upright picture
    #[arg(long, value_parser = parse_region, value_name = "L,T,W,H")]
    region: Option<Region>,
    /// The share of each label where the pictures were taken: all labels, summing to 1. Changes the findings only
    #[arg(long, value_delimiter = ',', value_parser = parse_share, value_name = "LABEL=SHARE")]
    prevalence: Vec<(String, f32)>,
    /// An answer to a question of the model: `yes`, `no` or a number. May be given several times
    #[arg(long = "answer", value_parser = parse_answer, value_name = "ID=VALUE")]
    answers: Vec<(String, Answer)>,
    /// Print one line of JSON a picture
    #[arg(long)]
    json: bool,
    /// How many threads one picture may use
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N")]
    threads: u16,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let classifier =
        Classifier::open(&arguments.model, Options { threads: arguments.threads.into(), ..Options::default() })?;
    let query = arguments.query();
    let (files, mut failed) = arguments.files();

    let bar = progress(files.len());
    let single = files.len() == 1;
    let width = files.iter().map(|f| f.display().to_string().chars().count()).max().unwrap_or(0);
    let mut out = anstream::stdout().lock();
    for file in &files {
        let outcome = Image::open(file).and_then(|image| classifier.classify(&image, &query));
        if let Err(error) = &outcome {
            // A query that does not fit the model fits no picture either.
            if matches!(error, Error::InvalidQuery(_)) {
                return Err(Failure::Usage(error.to_string()));
            }
            failed = true;
        }
        bar.suspend(|| match outcome {
            outcome if arguments.json => writeln!(out, "{}", json_line(file, outcome.as_ref())),
            Ok(report) if single => detailed(&mut out, file, &report, classifier.manifest()),
            Ok(report) => row(&mut out, file, width, &report),
            Err(error) => {
                complain("error", &error.to_string());
                Ok(())
            }
        })?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !arguments.json && !files.is_empty() {
        writeln!(out, "\n{DIM}{NOTICE}{DIM:#}")?;
    }
    if failed { Err(Failure::Reported) } else { Ok(()) }
}

impl Arguments {
    fn query(&self) -> Query {
        Query {
            max_results: self.top_k,
            language: self.lang.clone(),
            region: self.region,
            prevalence: self.prevalence.iter().cloned().collect(),
            answers: self.answers.iter().cloned().collect::<BTreeMap<_, _>>(),
            ..Query::default()
        }
    }

    /// The files meant, and whether an argument led to none.
    fn files(&self) -> (Vec<PathBuf>, bool) {
        let mut files = Vec::new();
        let mut failed = false;
        for given in &self.images {
            match pictures::find(given) {
                Ok(found) => files.extend(found),
                Err(message) => {
                    complain("error", &message);
                    failed = true;
                }
            }
        }
        (files, failed)
    }
}

/// A bar on standard error where that is a terminal and there is something to wait for.
fn progress(files: usize) -> ProgressBar {
    if files < 2 || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} pictures, {eta} left").expect("a fixed template");
    ProgressBar::new(files as u64).with_style(style)
}

fn json_line(file: &Path, outcome: Result<&Report, &Error>) -> String {
    let image = file.display().to_string();
    match outcome {
        Ok(report) => {
            // The picture's name comes first: it is what a reader looks for.
            let report = report.to_json();
            format!("{{\"image\":{},{}", json!(image), &report[1..])
        }
        Err(error) => {
            json!({"image": image, "error": {"kind": error.kind().as_str(), "message": error.to_string()}}).to_string()
        }
    }
}

/// One picture, at length.
fn detailed(out: &mut impl Write, file: &Path, report: &Report, manifest: &Manifest) -> std::io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}\n", file.display())?;
    line(out, "Verdict", verdict_words(report, manifest))?;
    for reason in report.verdict.reasons() {
        line(out, "", format_args!("{} (`{}`): {}", reason.question, reason.id, reason.message))?;
        if reason.kind == bedside::ReasonKind::ScopeUnanswered {
            line(out, "", format_args!("{DIM}give --answer {}=VALUE{DIM:#}", reason.id))?;
        }
    }
    let style = triage_style(report.triage);
    let word = report.triage.as_str().to_uppercase();
    line(out, "Triage", format_args!("{style}{word}{style:#}  {}", triage_words(report.triage)))?;
    if !report.findings.is_empty() {
        writeln!(out)?;
        findings(out, report, manifest)?;
    }
    let (t, ms) = (&report.timings, |d: std::time::Duration| d.as_secs_f64() * 1e3);
    writeln!(out)?;
    line(
        out,
        "Time",
        format_args!(
            "{:.1} ms (decode {:.1}, prepare {:.1}, engine {:.1})",
            ms(t.total),
            ms(t.decode),
            ms(t.prepare),
            ms(t.engine)
        ),
    )?;
    let (model, runtime) = (&report.model, &report.runtime);
    let graph = &model.graph_sha256[..12];
    line(
        out,
        "Model",
        format_args!("{} {} (graph {graph}), {} {}", model.name, model.version, runtime.name, runtime.version),
    )
}

fn findings(out: &mut impl Write, report: &Report, manifest: &Manifest) -> std::io::Result<()> {
    let width = report.findings.iter().map(|f| f.name.chars().count()).max().unwrap_or(0).max("Finding".len());
    writeln!(out, "  {DIM}{:<width$}  {:>11}  {:>15}{DIM:#}", "Finding", "Probability", "Operating point")?;
    for finding in &report.findings {
        let point = manifest
            .output
            .labels
            .iter()
            .find(|l| l.id == finding.label)
            .map_or(0.0, bedside::manifest::Label::operating_point);
        let reached = if finding.over_operating_point { "reached" } else { "" };
        let (probability, point) = (finding.probability * 100.0, point * 100.0);
        writeln!(out, "  {:<width$}  {probability:>9.1} %  {point:>13.1} %  {reached}", finding.name)?;
    }
    Ok(())
}

/// One picture of many, on one line.
fn row(out: &mut impl Write, file: &Path, width: usize, report: &Report) -> std::io::Result<()> {
    let style = triage_style(report.triage);
    let word = report.triage.as_str();
    let said = match &report.verdict {
        Verdict::Rejected(reasons) => {
            let kinds: Vec<String> = reasons.iter().map(|r| format!("{} {}", r.kind.as_str(), r.id)).collect();
            format!("no verdict: {}", kinds.join(", "))
        }
        Verdict::NoFinding => "no sign found; this does not exclude disease".into(),
        verdict => verdict.labels().join(", "),
    };
    let probabilities: Vec<String> =
        report.findings.iter().map(|f| format!("{} {:.1} %", f.label, f.probability * 100.0)).collect();
    let name = file.display().to_string();
    writeln!(out, "{name:<width$}  {style}{word:<7}{style:#}  {said}  {DIM}{}{DIM:#}", probabilities.join(", "))
}

fn verdict_words(report: &Report, manifest: &Manifest) -> String {
    let name = |id: &String| {
        let found = report.findings.iter().find(|f| &f.label == id).map(|f| f.name.clone());
        let label = manifest.output.labels.iter().find(|l| &l.id == id);
        found.or_else(|| label?.name.get("en").map(str::to_owned)).unwrap_or_else(|| id.clone())
    };
    let names = || report.verdict.labels().iter().map(name).collect::<Vec<_>>().join(", ");
    match &report.verdict {
        Verdict::NoFinding => "no sign found by this program; this does not exclude disease".into(),
        Verdict::Rejected(_) => "none: this model was not asked in the way it was made for".into(),
        _ => format!("can't be excluded: {}", names()),
    }
}

fn triage_words(triage: Triage) -> &'static str {
    match triage {
        Triage::Routine => "this program found no sign that asks for more; this does not exclude disease",
        Triage::Refer => "a clinician should look at it",
        Triage::Urgent => "a clinician should look at it soon",
        Triage::Repeat => "mend what stands above, then ask again",
    }
}

/// No colour reassures: routine has none.
fn triage_style(triage: Triage) -> Style {
    match triage {
        Triage::Routine => BOLD,
        Triage::Refer | Triage::Repeat => BOLD.fg_color(Some(AnsiColor::Yellow.into())),
        Triage::Urgent => BOLD.fg_color(Some(AnsiColor::Red.into())),
    }
}

fn parse_region(text: &str) -> Result<Region, String> {
    let parts: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match parts.as_deref() {
        Ok([left, top, width, height]) => Region::new(*left, *top, *width, *height).map_err(|error| error.to_string()),
        _ => Err("give LEFT,TOP,WIDTH,HEIGHT, four numbers from 0 to 1".into()),
    }
}

fn parse_share(text: &str) -> Result<(String, f32), String> {
    let (label, share) = text.split_once('=').ok_or("give LABEL=SHARE, such as melanoma=0.02")?;
    let share = share.trim().parse().map_err(|_| format!("\"{share}\" is no number"))?;
    Ok((label.trim().to_owned(), share))
}

fn parse_answer(text: &str) -> Result<(String, Answer), String> {
    let (id, value) = text.split_once('=').ok_or("give ID=VALUE, such as dermatoscope=yes")?;
    Ok((id.trim().to_owned(), value.parse().map_err(|error: Error| error.to_string())?))
}
