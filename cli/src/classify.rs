//! `bedside classify`: classifies pictures and prints verdicts.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use bedside::{
    Answer, Classifier, Error, ErrorKind, Image, Options, Query, ReasonKind, Region, Report, Source, Triage, Verdict,
    notice, tools,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::frames::Frames;
use crate::output::{BOLD, DIM, Failure, complain, line, plain, plain_lines, styled_line};
use crate::pictures::{self, Found, Missing};

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  bedside classify lesion.jpg --model models/skin-lesion/model.onnx --answer dermatoscope=yes --answer mole_like=yes
  bedside classify photos/ --model model.onnx --answer dermatoscope=yes --json > results.jsonl
  bedside classify lesion.jpg --model model.onnx --region 0.25,0.25,0.5,0.5 --lang uk
  bedside classify loop.dcm --model model.onnx --frames all

Exit status: 0; 1 where a picture or the model failed; 2 for wrong usage.")]
pub(crate) struct Arguments {
    /// Pictures (JPEG, PNG, WebP, BMP, TIFF, DICOM), or folders of them
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// The model
    #[arg(long, short, value_name = "FILE")]
    model: PathBuf,
    /// Show at most N findings
    #[arg(long, value_name = "N")]
    top_k: Option<u32>,
    /// Language of the report's sentences, names and questions, such as `uk`
    #[arg(long, default_value = "en", value_name = "TAG")]
    lang: String,
    /// Look at this part only: LEFT,TOP,WIDTH,HEIGHT, each 0 to 1, in the upright picture
    #[arg(long, value_parser = parse_region, value_name = "L,T,W,H")]
    region: Option<Region>,
    /// How common each label is where the pictures were taken: the share of every label, summing to 1. Changes the
    /// probabilities of findings, not the verdict
    #[arg(long, value_delimiter = ',', value_parser = parse_prevalence, value_name = "LABEL=SHARE")]
    prevalence: Vec<(String, f32)>,
    #[command(flatten)]
    frames: Frames,
    /// An answer to a question of the model: `yes`, `no` or a number. May be given several times
    #[arg(long = "answer", value_parser = parse_answer, value_name = "ID=VALUE")]
    answers: Vec<(String, Answer)>,
    /// Where the pictures came from: `camera`, just now, or `file`
    #[arg(long, value_parser = parse_source, value_name = "SOURCE")]
    source: Option<Source>,
    /// How many earlier pictures of the same case were refused for their quality
    #[arg(long, default_value_t = 0, value_name = "N")]
    refusals: u32,
    /// Print one line of JSON for each picture
    #[arg(long)]
    json: bool,
    /// How many threads one picture may use
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N")]
    threads: u16,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let classifier = Classifier::open(&arguments.model, Options::new().threads(arguments.threads.into()))?;
    let query = arguments.query()?;
    classifier.check(&query)?;
    let found: Vec<Found> = arguments.images.iter().flat_map(|given| pictures::find(given)).collect();
    let pictures = found.iter().filter(|found| found.is_ok()).count();
    let bar = progress(pictures);
    let width = found.iter().flatten().map(|f| plain(f.display()).chars().count()).max().unwrap_or(0);
    // A space and a frame's number follow the name.
    let width = (width + if arguments.frames.are_all() { 5 } else { 0 }).min(tools::MAX_WIDTH);
    let mut out = anstream::stdout().lock();
    let is_table = (pictures > 1 || arguments.frames.are_all()) && !arguments.json;
    if is_table {
        writeln!(out, "{DIM}{:<width$}  {:<10}  Can't be excluded{DIM:#}", "Picture", "Triage")?;
    }
    let mut failed = false;
    let mut warnings = BTreeSet::new();
    let mut write = |looked: &Looked<'_>, outcome: Result<&Report, &(&str, String)>| {
        failed |= outcome.is_err();
        bar.suspend(|| match outcome {
            outcome if arguments.json => writeln!(out, "{}", json_line(looked, outcome)),
            Ok(report) if is_table => {
                let file = looked.file.display();
                warnings.extend(report.warnings.iter().map(|warning| format!("{file}: {}", warning.message)));
                write_row(&mut out, looked, width, report)
            }
            Ok(report) => write_detailed(&mut out, looked.file, report),
            Err((_, message)) => {
                complain("error", message);
                Ok(())
            }
        })
    };
    for found in found {
        match found {
            Ok(file) => {
                let failure = |error| {
                    let error = tools::in_file(error, &file);
                    (error.kind().as_str(), error.to_string())
                };
                let frames = Image::open(&file).and_then(|image| Ok((arguments.frames.of(&image)?, image)));
                match frames {
                    Err(error) => write(&Looked { file: &file, frame: None }, Err(&failure(error)))?,
                    Ok((frames, image)) => {
                        for number in frames {
                            let shown = arguments.frames.shown.of(image.borrowed()).frame(number);
                            let outcome = classifier.classify(&shown, &query).map_err(&failure);
                            let frame = arguments.frames.are_all().then_some(number);
                            write(&Looked { file: &file, frame }, outcome.as_ref())?;
                        }
                    }
                }
            }
            Err(Missing { path, problem }) => {
                let message = format!("{}: {problem}", path.display());
                write(&Looked { file: &path, frame: None }, Err(&(ErrorKind::Io.as_str(), message)))?;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !arguments.json && pictures > 0 {
        if is_table {
            for (place, warning) in warnings.iter().enumerate() {
                writeln!(out, "{}{}", if place == 0 { "\n" } else { "" }, plain(warning))?;
            }
            writeln!(out)?;
            for &triage in Triage::ALL.iter().rev() {
                let advice = classifier.manifest().advice(triage, &arguments.lang);
                writeln!(out, "{DIM}{:<10}  {}{DIM:#}", word(triage), plain(advice))?;
            }
        }
        writeln!(out, "\n{DIM}{}{DIM:#}", notice(&arguments.lang))?;
    }
    if failed { Err(Failure::Reported) } else { Ok(()) }
}

impl Arguments {
    /// The query that the options make.
    ///
    /// # Errors
    /// [`Failure::Usage`] where an answer or a prevalence is given twice; the last would win silently otherwise.
    fn query(&self) -> Result<Query, Failure> {
        let mut query = Query::new().language(&self.lang);
        query.max_results = self.top_k;
        query.region = self.region;
        query.prevalence = once("--prevalence", &self.prevalence)?;
        query.answers = once("--answer", &self.answers)?;
        (query.source, query.refusals) = (self.source, self.refusals);
        Ok(query)
    }
}

/// The pairs as a map. A name that is given twice is wrong usage of `option`.
pub(crate) fn once<T: Copy>(option: &str, pairs: &[(String, T)]) -> Result<BTreeMap<String, T>, Failure> {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        if map.insert(name.clone(), *value).is_some() {
            return Err(Failure::Usage(format!("{option}: `{name}` is given twice")));
        }
    }
    Ok(map)
}

/// A progress bar on standard error, hidden where that is no terminal or there are fewer than two files.
pub(crate) fn progress(files: usize) -> ProgressBar {
    if files < 2 || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} pictures, {eta} left").expect("a fixed template");
    ProgressBar::new(files as u64).with_style(style)
}

/// What a report is of.
pub(crate) struct Looked<'a> {
    pub(crate) file: &'a Path,
    /// The frame's number, where all are looked at.
    pub(crate) frame: Option<u32>,
}

/// The line of JSON for a picture: its name first, its frame where all are looked at, then the report or the error.
pub(crate) fn json_line(looked: &Looked<'_>, outcome: Result<&Report, &(&str, String)>) -> String {
    let image = json!(looked.file.display().to_string());
    let frame = looked.frame.map(|number| format!("\"frame\":{number},")).unwrap_or_default();
    match outcome {
        Ok(report) => format!("{{\"image\":{image},{frame}{}", &report.to_json()[1..]),
        Err((kind, message)) => {
            format!("{{\"image\":{image},{frame}\"error\":{}}}", json!({"kind": kind, "message": message}))
        }
    }
}

/// Writes the report of a single picture, without the notice: what `Display` of a report gives, in colours, and with the
/// option that answers an open question.
pub(crate) fn write_detailed(out: &mut impl Write, file: &Path, report: &Report) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}\n", plain(file.display()))?;
    line(out, "Verdict", &report.summary)?;
    for reason in report.verdict.reasons() {
        line(out, "", &reason.message)?;
    }
    let style = triage_style(report.triage);
    let (word, advice) = (word(report.triage).to_uppercase(), plain(&report.advice));
    styled_line(out, "Triage", format_args!("{style}{word}{style:#}  {advice}"))?;
    line(out, "Decided by", report.decided_by.as_str().replace('_', " "))?;
    for sign in &report.danger {
        line(out, "Danger sign", format_args!("{}  yes", sign.question))?;
    }
    for warning in &report.warnings {
        line(out, "Warning", &warning.message)?;
    }
    if let [heading, rows @ ..] = &tools::findings_table(&report.findings)[..] {
        writeln!(out, "\n{DIM}{heading}{DIM:#}\n{}", plain_lines(&rows.join("\n")))?;
    }
    let (times, ms) = (&report.timings, |duration: Duration| duration.as_secs_f64() * 1e3);
    let [decode, preprocess, engine] = [times.decode, times.preprocess, times.engine].map(ms);
    let parts = format_args!("(decode {decode:.1}, preprocess {preprocess:.1}, engine {engine:.1})");
    writeln!(out)?;
    line(out, "Time", format_args!("{:.1} ms {parts}", ms(times.total)))?;
    let (model, runtime) = (&report.model, &report.runtime);
    let graph = tools::abbreviated(&model.graph_sha256);
    let of_runtime = format_args!("{} {}", runtime.name, runtime.version);
    line(out, "Model", format_args!("{} {} (graph {graph}), {of_runtime}", model.name, model.version))?;
    let open = report.verdict.reasons().iter().filter(|reason| reason.kind == ReasonKind::ScopeUnanswered);
    let missing: Vec<_> = open.filter_map(|reason| Some(format!("--answer {}=VALUE", reason.id.as_deref()?))).collect();
    if !missing.is_empty() {
        writeln!(out, "\n{DIM}give {}{DIM:#}", plain(missing.join(" ")))?;
    }
    Ok(())
}

/// A triage level in a word or two.
fn word(triage: Triage) -> String {
    triage.as_str().replace('_', " ")
}

/// Writes the report of one of many pictures, on one line. `width` is the column of names, in characters.
fn write_row(out: &mut impl Write, looked: &Looked<'_>, width: usize, report: &Report) -> io::Result<()> {
    let style = triage_style(report.triage);
    let summary = match &report.verdict {
        Verdict::Rejected(reasons) => reasons.iter().map(|r| r.message.as_str()).collect::<Vec<_>>().join(" "),
        Verdict::Undecided => report.summary.clone(),
        verdict => verdict.labels().iter().map(|label| label.name.as_str()).collect::<Vec<_>>().join(", "),
    };
    let name = match looked.frame {
        Some(number) => format!("{} {number:>4}", plain(looked.file.display())),
        None => plain(looked.file.display()),
    };
    let word = word(report.triage);
    write!(out, "{name:<width$}  {style}{word:<10}{style:#}  {}", plain(summary))?;
    let probabilities: Vec<String> =
        report.findings.iter().map(|f| format!("{} {:.1} %", f.name, f.probability * 100.0)).collect();
    if !probabilities.is_empty() {
        write!(out, "  {DIM}({}){DIM:#}", plain(probabilities.join(", ")))?;
    }
    writeln!(out)
}

/// The style of a triage. `no_sign` has no colour, because a colour could reassure.
fn triage_style(triage: Triage) -> Style {
    match triage {
        Triage::NoSign => BOLD,
        Triage::Refer | Triage::Unassessed => BOLD.fg_color(Some(AnsiColor::Yellow.into())),
        Triage::Urgent => BOLD.fg_color(Some(AnsiColor::Red.into())),
    }
}

pub(crate) fn parse_region(text: &str) -> Result<Region, String> {
    let parts: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match parts.as_deref() {
        Ok([left, top, width, height]) => Region::new(*left, *top, *width, *height).map_err(|error| error.to_string()),
        _ => Err("give LEFT,TOP,WIDTH,HEIGHT, four numbers from 0 to 1".into()),
    }
}

fn parse_prevalence(text: &str) -> Result<(String, f32), String> {
    let (label, value) = text.split_once('=').ok_or("give LABEL=SHARE, such as melanoma=0.02")?;
    let value = value.trim().parse().map_err(|_| format!("\"{value}\" is no number"))?;
    Ok((label.trim().to_owned(), value))
}

fn parse_source(text: &str) -> Result<Source, String> {
    let known = Source::ALL.iter().find(|source| source.as_str() == text);
    known.copied().ok_or_else(|| "give `camera` or `file`".into())
}

pub(crate) fn parse_answer(text: &str) -> Result<(String, Answer), String> {
    let (id, value) = text.split_once('=').ok_or("give ID=VALUE, such as dermatoscope=yes")?;
    Ok((id.trim().to_owned(), value.parse().map_err(|error: Error| error.to_string())?))
}
