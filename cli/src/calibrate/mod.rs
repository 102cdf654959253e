//! `bedside calibrate`: fits a model's probabilities, thresholds and limits on pictures that it did not learn from.

mod cache;
mod gather;
mod held_out;
mod limits;
mod networks;
mod packed;
mod resaved;
mod spoiled;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use bedside::manifest::{Calibration, ColorMeant};
use bedside::tools::Binding;
use bedside::{Limits, Manifest, tools};
use bedside_engine::ModelFile;
use bedside_tools::calibrate::quality::Meant;
use bedside_tools::calibrate::{Fitted, Model, Options, Problem, Row, Scaling, calibration, check_options, fit, page};
use bedside_tools::evaluate::{Evaluation, html};
use bedside_tools::table::LabelRow;
use serde_json::{Value, json};

use crate::classes::{classes, labels};
use crate::classify::once;
use crate::evaluate::summary::write_figures;
use crate::labelled::SetArguments;
use crate::looks::{LookArguments, Looked, LookedSet};
use crate::measures::MeasureArguments;
use crate::output::{BOLD, DIM, Failure, line, plain, plain_lines};
use crate::pack::{check_writable, write_whole};
use crate::paths::{of_models, refuse_overwriting, refuse_replacing_in};
use crate::values::{parse_label_share, parse_partial_share};
use gather::Gathered;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  bedside calibrate model.onnx --images photos/ --labels labels.csv --group patient -o calibrated.onnx
  bedside calibrate model.onnx --scores scores.csv --miss melanoma=0.02 -o calibrated.onnx
  bedside calibrate model.onnx --folds fold1.onnx,fold2.onnx --images photos/ --labels labels.csv -o calibrated.onnx

Take pictures that the model did not learn from. Those whose SHA-256 begins with one of the 16 hex digits in the
manifest's `provenance.training_sha256` (a list) are refused.

Where the model learned from all pictures, networks that were trained without a part of them can stand in: --folds.
A column `fold` says which of them did not learn from a picture, from 1 on; without it, their own
`provenance.training_sha256` says so. What is promised is then promised of those networks, and of the model only as far
as it is like them. The model may be one of them.

--scores: a CSV file with `file`, a column `logit_LABEL` for each label (or `probability_LABEL`), as the graph gives
them, before any temperature; and the columns of --labels, unless that names another file.

What was measured is kept beside the output until it is written, in FILE.rows.jsonl: run the same command again to go on
after an interruption.

A calibration is a look at its pictures: of a test set, as `evaluate` tells them, it is written down as there, and
--why says what for.

Exit status: 0; 1 where the model or a table failed, or no picture is left; 2 for wrong usage. A picture that can't be
read is left out, and said.")]
pub(crate) struct Arguments {
    /// The model
    model: PathBuf,
    /// The folder of pictures
    #[arg(long, value_name = "DIR", requires = "labels", required_unless_present = "scores")]
    images: Option<PathBuf>,
    /// What the graph said of each picture, in place of --images
    #[arg(long, value_name = "CSV", conflicts_with_all = ["images", "folds", "foreign"])]
    scores: Option<PathBuf>,
    /// Networks that were trained without a part of the pictures each
    #[arg(long, value_delimiter = ',', value_name = "FILE,…")]
    folds: Vec<PathBuf>,
    #[command(flatten)]
    set: SetArguments,
    /// The tensors of the graph whose channels' means tell foreign pictures; by default those of the manifest's novelty, or
    /// else the one before the pooling of its linear head
    #[arg(long, value_delimiter = ',', conflicts_with = "scores", value_name = "TENSOR,…")]
    features: Vec<String>,
    /// The colours that the pictures are meant to have, `rgb` or `gray`: others are then refused. Those of the manifest unless
    /// given; where it has none, `rgb` if all sound pictures have colours
    #[arg(long, value_parser = parse_color, conflicts_with = "scores", value_name = "COLORS")]
    color: Option<ColorMeant>,
    /// Fit novelty on a copy of each picture that is resized and saved again, too: less is then taken for something else
    /// because of how it was saved
    #[arg(long, conflicts_with = "scores")]
    resaved: bool,
    /// The share of its patients that a class's threshold may miss: 0.02 for one that asks for `urgent`, else 0.1,
    /// unless given. May be given several times
    #[arg(long = "miss", value_delimiter = ',', value_parser = parse_label_share, value_name = "LABEL=SHARE")]
    misses: Vec<(String, f64)>,
    #[command(flatten)]
    measures: MeasureArguments,
    #[command(flatten)]
    look: LookArguments,
    /// What another network said of the same pictures, as in --scores: the page compares both
    #[arg(long, value_name = "CSV")]
    against: Option<PathBuf>,
    /// Write a page that stands by itself, of how well the pictures are judged by what was fitted on other patients
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// The share of the patients with an urgent class whom the threshold of those classes' sum may miss: the smallest of the
    /// classes' unless given, and no such threshold for 0
    #[arg(long, value_parser = parse_partial_share, value_name = "SHARE")]
    action: Option<f64>,
    /// Where to write the calibrated model
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// How many threads one picture may use
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N")]
    threads: u16,
}

/// The model that is calibrated.
struct Subject {
    file: ModelFile,
    manifest: Manifest,
    is_multi_label: bool,
    /// The name of the graph's output.
    output: String,
    /// The colours that its pictures are meant to have, where they are stated.
    color: Option<ColorMeant>,
}

impl Subject {
    fn open(path: &Path, color: Option<ColorMeant>) -> Result<Subject, Failure> {
        let in_file = |error| tools::in_file(error, path);
        let file = ModelFile::open(path, Limits::default().max_model_bytes)
            .map_err(|error| in_file(tools::engine_error(error)))?;
        let manifest = tools::manifest_of(&file, Some(path)).map_err(in_file)?;
        let binding = Binding::new(&manifest, &file).map_err(in_file)?;
        let output = binding.signature.outputs[0].clone();
        let color = color.or_else(|| stated_color(&manifest));
        Ok(Subject { file, manifest, is_multi_label: binding.multi_label, output, color })
    }

    /// What the model keeps of what it had, as it was not fitted anew.
    fn kept(&self, fitted: &Fitted) -> Option<String> {
        let before = self.manifest.calibration()?;
        let quality = (before.quality.is_some() && fitted.quality.is_none()).then_some("limits of quality");
        let novelty = (before.novelty.is_some() && fitted.novelty.is_none()).then_some("novelty");
        let kept: Vec<&str> = [quality, novelty].into_iter().flatten().collect();
        let kept = kept.join(" and ");
        (!kept.is_empty()).then(|| format!("new {kept}: the model keeps those that it had, of other pictures"))
    }

    fn model(&self, has_logits: bool) -> Model {
        Model {
            labels: labels(&self.manifest),
            is_multi_label: self.is_multi_label,
            classes: classes(&self.manifest),
            before: self.manifest.calibration().map_or(Scaling::NONE, before),
            has_logits,
        }
    }
}

/// The colours that the manifest states.
fn stated_color(manifest: &Manifest) -> Option<ColorMeant> {
    manifest.calibration()?.quality?.color
}

fn meant(color: ColorMeant) -> Meant {
    if color == ColorMeant::Gray { Meant::Gray } else { Meant::Rgb }
}

fn parse_color(text: &str) -> Result<ColorMeant, String> {
    match text {
        "rgb" => Ok(ColorMeant::Rgb),
        "gray" => Ok(ColorMeant::Gray),
        _ => Err("give rgb or gray".to_owned()),
    }
}

/// How a calibration makes probabilities of logits.
fn before(calibration: &Calibration) -> Scaling {
    let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
    match (&calibration.scale, &calibration.bias) {
        (None, None) => Scaling::Temperature(calibration.temperature.map_or(1.0, f64::from)),
        (scale, bias) => {
            let count = scale.as_ref().or(bias.as_ref()).map_or(0, Vec::len);
            let scale = scale.as_deref().map_or(vec![1.0; count], wide);
            Scaling::Labels { scale, bias: bias.as_deref().map_or(vec![0.0; count], wide) }
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let misses: BTreeMap<String, f64> = once("--miss", &arguments.misses)?;
    let subject = Subject::open(&arguments.model, arguments.color)?;
    let options = Options { misses, action: arguments.action };
    // What is wrong with these is said before any picture is measured.
    check_options(&subject.model(true), &options).map_err(failure)?;
    held_out::check(arguments, &subject)?;
    let set = arguments.set.looked(arguments.images.as_deref(), arguments.table())?;
    arguments.check_output(&set)?;
    let gathered = arguments.gather(&subject, &set)?;
    let model = subject.model(gathered.has_logits);
    let mut fitted = fit(&model, &gathered.rows, &options).map_err(failure)?;
    check_likelihood(&fitted)?;
    fitted.missing.extend(gathered.notes);
    if arguments.scores.is_none() {
        limits::fit(&gathered.observed, subject.color.map(meant), !arguments.folds.is_empty(), &mut fitted);
    }
    fitted.missing.extend(subject.kept(&fitted));
    let held_out = match held_out::too_few(&fitted) {
        Some(why) if arguments.asks_for_evaluation() => return Err(Failure::Failed(why)),
        // Too few patients can be fitted on, and not evaluated.
        Some(why) => {
            fitted.missing.push(format!("an evaluation on held-out patients: {why}"));
            None
        }
        None => Some(held_out::evaluation(arguments, &subject, &model, &gathered.rows, (&options, &fitted))?),
    };
    let fitted_on = arguments.fitted_on(&fitted);
    let fitted_to = subject.file.sha256();
    let mut fitted_fields = calibration(&fitted, &fitted_to, &fitted_on);
    if let Some(novelty) = &fitted.novelty {
        fitted_fields.insert("novelty".to_owned(), limits::novelty(novelty, &gathered.observed.tensors)?);
    }
    // First: figures of a look that is not in the list must not be on the disk.
    let (manifest, graph_sha256) = (&subject.manifest, fitted_to.as_str());
    let looked = Looked { name: manifest.name(), version: manifest.version(), graph_sha256 };
    arguments.look.write(&set, &looked)?;
    packed::write(subject.file, &subject.manifest, fitted_fields, &gathered.own, &arguments.output)?;
    if let (Some(path), Some(evaluation)) = (&arguments.html, &held_out) {
        write_whole(path, html(evaluation).as_bytes())?;
    }
    if arguments.images.is_some() {
        cache::remove(&arguments.output);
    }
    arguments.report(&model, &fitted, held_out.as_ref())
}

/// Fails where what was fitted says nothing of the pictures: such a calibration is not written.
fn check_likelihood(fitted: &Fitted) -> Result<(), Failure> {
    match fitted.scaling.trials.iter().find(|trial| !trial.nll.is_finite()) {
        Some(trial) => Err(Failure::Failed(format!(
            "the likelihood of the pictures is not finite ({}): look at the scores, and at the temperature, scale and bias \
             that the model has",
            trial.name
        ))),
        None => Ok(()),
    }
}

fn failure(problem: Problem) -> Failure {
    match problem {
        Problem::Option(_) => Failure::Usage(problem.to_string()),
        _ => Failure::Failed(problem.to_string()),
    }
}

impl Arguments {
    /// Fails where the output could not be written, or would replace a table, a network or the manifest beside one, or a file
    /// among the pictures. It may replace the model itself.
    fn check_output(&self, set: &LookedSet) -> Result<(), Failure> {
        let beside = self.model.with_file_name("model.json");
        let networks = of_models(&self.folds);
        let tables = [&self.set.labels, &self.scores, &self.against].into_iter().flatten();
        let inputs: Vec<&Path> = tables.chain(&networks).chain([&beside]).map(PathBuf::as_path).collect();
        self.look.check(set, &[&inputs[..], &[&self.model, &self.output]].concat())?;
        refuse_overwriting(&self.output, &inputs)?;
        refuse_overwriting(&cache::path_of(&self.output), &inputs)?;
        for folder in [&self.images, &self.set.foreign].into_iter().flatten() {
            refuse_replacing_in(folder, &self.output, Some(&self.model))?;
            self.html.as_ref().map_or(Ok(()), |page| refuse_replacing_in(folder, page, None))?;
        }
        if let Some(page) = &self.html {
            let model = [self.model.as_path(), &self.output];
            refuse_overwriting(page, &[&inputs[..], &model[..], self.look.log(set).as_slice()].concat())?;
            check_writable(page)?;
        }
        check_writable(&self.output)
    }

    fn gather(&self, subject: &Subject, set: &LookedSet) -> Result<Gathered, Failure> {
        match (&self.scores, &self.images) {
            (Some(scores), _) => gather::from_scores(self, subject, scores),
            (None, Some(images)) => gather::from_pictures(self, subject, images, set),
            (None, None) => unreachable!("clap requires one of them"),
        }
    }

    /// The table that says what pictures show.
    fn table(&self) -> &Path {
        self.set.labels.as_deref().or(self.scores.as_deref()).unwrap_or(Path::new(""))
    }

    /// Whether more is asked for than what is fitted.
    fn asks_for_evaluation(&self) -> bool {
        self.html.is_some() || self.against.is_some() || self.measures.is_asked()
    }

    /// What was fitted on, in a sentence for the manifest.
    fn fitted_on(&self, fitted: &Fitted) -> String {
        let table = self.table().file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let split = self.set.split.as_ref().map_or_else(String::new, |split| format!(", {split}"));
        let by = match self.folds.len() {
            0 => String::new(),
            n => format!(", each scored by one of {n} networks that did not learn from it"),
        };
        format!("{} pictures of {} patients ({table}{split}){by}", fitted.pictures, fitted.patients)
    }

    fn report(&self, model: &Model, fitted: &Fitted, held_out: Option<&Evaluation>) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        if self.json {
            let fitted = fitted_json(fitted);
            let json = json!({"model": self.output.display().to_string(), "fitted": fitted, "held_out": held_out});
            writeln!(out, "{json}")?;
            return Ok(());
        }
        let page_of_fit = plain_lines(&page(model, fitted));
        writeln!(out, "{BOLD}{}{BOLD:#}\n\n{page_of_fit}", plain(self.model.display()))?;
        if let Some(evaluation) = held_out {
            writeln!(
                out,
                "{BOLD}Held out{BOLD:#}: judged by what was fitted on other patients, without quality and novelty"
            )?;
            write_figures(&mut out, evaluation)?;
            writeln!(out)?;
        }
        line(&mut out, "written", self.output.display())?;
        if let Some(page) = &self.html {
            line(&mut out, "all figures", page.display())?;
        }
        writeln!(out, "\n{DIM}{}{DIM:#}", bedside::NOTICE)?;
        Ok(())
    }
}

/// What was fitted as JSON. `novelty.root` tells the method from those of its trials that have the same name.
fn fitted_json(fitted: &Fitted) -> Value {
    let mut json = json!(fitted);
    if let Some(novelty) = &fitted.novelty {
        json["novelty"]["root"] = novelty.axes.as_ref().is_some_and(|axes| axes.root).into();
    }
    json
}

/// A row of a picture that shows this.
fn row(labelled: LabelRow, logits: Vec<f64>, network: usize) -> Row {
    let LabelRow { file, group, truth, .. } = labelled;
    Row { file, group, logits, truth, network }
}
