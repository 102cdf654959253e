//! `bedside evaluate`: measures a model on labelled pictures.

mod cases;
mod copies;
mod known;
pub(crate) mod summary;
mod thumbnails;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bedside::Answer;
use bedside_tools::evaluate::{
    Against, Case, Evaluation, Options, Outcome, Problem, evaluate, html, html_with_pictures,
};
use bedside_tools::table::below;

use crate::classify::parse_answer;
use crate::labelled::{self, Net, SetArguments};
use crate::looks::{self, LookArguments, Looked, LookedSet};
use crate::measures::MeasureArguments;
use crate::output::{Failure, complain};
use crate::pack::{check_writable, write_whole};
use crate::paths::{of_models, refuse_overwriting, refuse_replacing_in};
use known::Lists;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  bedside evaluate model.onnx --images photos/ --labels labels.csv --html report.html
  bedside evaluate model.onnx --images photos/ --labels labels.csv --html report.html --pictures
  bedside evaluate model.onnx --images photos/ --labels labels.csv --group patient --by sex,age:18:65 --foreign others/
  bedside evaluate model.onnx --images photos/ --labels labels.csv --contrast cancer=melanoma,carcinoma
  bedside evaluate new.onnx --images photos/ --labels labels.csv --against old.onnx --json > report.json
  bedside evaluate model.onnx --images photos/ --labels labels.csv --split test --why \"figures of the card\"

With --pictures the page holds pictures of patients: keep it as those pictures are kept. Without, it holds none.

Each look at a test set is written down in a file: date, model, set, commit, and why. A test set is one whose split or
folder of pictures is named `test`, and one with a picture in a folder `test` or, in the column of --split-column, with a
row of the split `test`. Questions of the model are answered in scope unless --answer says otherwise.

Pictures that the model learned from, or was calibrated on, by the lists in its manifest's `provenance`, are counted, and
said.

Exit status: 0; 1 where the model or a table failed, or no labelled picture can be read; 2 for wrong usage. A picture that
can't be read is counted, and said.")]
pub(crate) struct Arguments {
    /// The model
    model: PathBuf,
    /// The folder of pictures
    #[arg(long, value_name = "DIR", requires = "labels")]
    images: PathBuf,
    #[command(flatten)]
    set: SetArguments,
    #[command(flatten)]
    measures: MeasureArguments,
    /// Another model of the same labels, on the same pictures
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// An answer to a question of the model, for all pictures. May be given several times
    #[arg(long = "answer", value_parser = parse_answer, value_name = "ID=VALUE")]
    answers: Vec<(String, Answer)>,
    #[command(flatten)]
    look: LookArguments,
    /// Judge copies of each picture, too, that show the same: saved again as a JPEG of quality 75, with a twentieth of each
    /// side cut off, and enlarged so that it is decoded at a reduced scale. Takes about 45 times the processor time: the
    /// enlarged copy has 64 times the input's pixels, or more
    #[arg(long)]
    copies: bool,
    /// Write a page that stands by itself
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Show the pictures of the worst errors and of the urgent misses on the page, at most 128 pixels a side, each with the
    /// heatmap of the label that was missed or wrongly named. Such a page holds pictures of patients
    #[arg(long, requires = "html")]
    pictures: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// How many threads one picture may use
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N")]
    threads: u16,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let set = arguments.set.looked(Some(&arguments.images), arguments.labels())?;
    arguments.check_outputs(&set)?;
    let net = Net::open(&arguments.model, &arguments.answers, arguments.threads)?;
    let other = arguments.against.as_deref().map(|path| Net::open(path, &arguments.answers, arguments.threads));
    let other = other.transpose()?;
    arguments.check_other(&net, other.as_ref())?;
    let evaluation = arguments.evaluation(&net, other.as_ref(), &set)?;
    let identity = net.classifier.identity();
    let (name, version, graph_sha256) = (&identity.name, &identity.version, &identity.graph_sha256);
    arguments.look.write(&set, &Looked { name, version, graph_sha256 })?;
    if let Some(path) = &arguments.html {
        write_whole(path, arguments.page(&net, &evaluation).as_bytes())?;
    }
    summary::write(&evaluation, arguments.json, arguments.html.as_deref())
}

impl Arguments {
    /// The table of labels.
    fn labels(&self) -> &Path {
        let Some(labels) = &self.set.labels else { unreachable!("clap requires it with --images") };
        labels
    }

    /// Fails where the model of --against has other labels.
    fn check_other(&self, net: &Net, other: Option<&Net>) -> Result<(), Failure> {
        let (Some(path), Some(other)) = (&self.against, other) else { return Ok(()) };
        let labels = |net: &Net| net.classes.iter().map(|class| class.id.clone()).collect::<Vec<_>>();
        let (own, others) = (labels(net), labels(other));
        if own == others {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "--against {}: its labels differ from the model's: {} in place of {}; compare models of the same labels",
            path.display(),
            others.join(", "),
            own.join(", ")
        )))
    }

    /// Fails where an output could not be written, or would replace a model, a table or a file among the pictures.
    fn check_outputs(&self, set: &LookedSet) -> Result<(), Failure> {
        let models: Vec<&PathBuf> = [Some(&self.model), self.against.as_ref()].into_iter().flatten().collect();
        let inputs = of_models(models.iter().copied());
        let inputs: Vec<&Path> = inputs.iter().chain(&self.set.labels).map(PathBuf::as_path).collect();
        if let Some(page) = &self.html {
            refuse_overwriting(page, &inputs)?;
            refuse_overwriting(page, self.look.log(set).as_slice())?;
            for folder in [Some(&self.images), self.set.foreign.as_ref()].into_iter().flatten() {
                refuse_replacing_in(folder, page, None)?;
            }
            check_writable(page)?;
        }
        self.look.check(set, &inputs)
    }

    /// The page, with small pictures where they are asked for.
    fn page(&self, net: &Net, evaluation: &Evaluation) -> String {
        if self.pictures {
            html_with_pictures(evaluation, &thumbnails::of(net, &self.images, evaluation))
        } else {
            html(evaluation)
        }
    }

    fn evaluation(&self, net: &Net, other: Option<&Net>, set: &LookedSet) -> Result<Evaluation, Failure> {
        let contrasts = self.measures.contrasts(&net.classes, net.is_multi_label)?;
        let lists = listed(net, &self.model)?;
        let lists_of_other = self.against.as_deref().zip(other).map(|(path, net)| listed(net, path)).transpose()?;
        let cases = self.cases(net, set, self.copies)?;
        warn_of_unreadable(&cases, &BTreeSet::new());
        self.check_readable(&cases)?;
        let mut options = self.options(net, set);
        options.about.extend(self.known("the model", &lists, &cases));
        let model = |net: &Net| cases::model(net, contrasts.clone());
        let others = other.map(|net| Ok::<_, Failure>((model(net), self.cases(net, set, false)?))).transpose()?;
        if let Some((lists, (_, others))) = lists_of_other.zip(others.as_ref()) {
            warn_of_unreadable(others, &unreadable(&cases).map(|(place, _)| place).collect());
            options.about.extend(self.known("the other model", &lists, others));
        }
        let model = model(net);
        let against = others.as_ref().map(|(model, cases)| Against { model, cases });
        evaluate(&model, &cases, against, &options).map_err(|problem| match problem {
            Problem::Option(_) => Failure::Usage(problem.to_string()),
            Problem::Case { .. } => Failure::Failed(problem.to_string()),
        })
    }

    /// Fails where no labelled picture could be read: there is nothing to measure, and nothing was looked at.
    fn check_readable(&self, cases: &[Case]) -> Result<(), Failure> {
        let own = cases.iter().filter(|case| case.foreign.is_none());
        if own.clone().any(|case| !matches!(case.outcome, Outcome::Unreadable { .. })) {
            return Ok(());
        }
        let (images, count) = (self.images.display(), own.count());
        Err(Failure::Failed(format!("{images}: none of the {count} labelled pictures can be read; see the warnings")))
    }

    /// What is said of the pictures that a model knows already, with a warning; none where it knows none of them.
    fn known(&self, whose: &str, lists: &Lists, cases: &[Case]) -> Option<(String, String)> {
        let own = cases.iter().filter(|case| case.foreign.is_none());
        let words = lists.count(own.filter_map(|case| below(&self.images, &case.file).ok())).words(whose)?;
        complain("warning", &words);
        Some((format!("pictures known to {whose}"), words))
    }

    fn cases(&self, net: &Net, set: &LookedSet, has_copies: bool) -> Result<Vec<Case>, Failure> {
        let by: Vec<String> = self.measures.by.iter().map(|column| column.name.clone()).collect();
        let options = self.set.options(net.classifier.manifest(), net.is_multi_label, by);
        let labels = self.labels();
        let summary = labelled::check(labels, Some(&self.images), &options)?;
        let foreign = self.set.foreign.as_deref().map(labelled::foreign).transpose()?.unwrap_or_default();
        let outputs: Vec<&Path> = [self.html.as_deref(), self.look.log(set)].into_iter().flatten().collect();
        labelled::refuse_replacing_pictures(&outputs, &self.images, labels, &options, &foreign)?;
        let source =
            cases::Source { images: &self.images, labels, options: &options, by: &self.measures.by, has_copies };
        cases::gather(net, &source, summary.rows as usize, &foreign)
    }

    fn options(&self, net: &Net, set: &LookedSet) -> Options {
        let identity = net.classifier.identity();
        let mut about = vec![
            ("date".to_owned(), looks::today()),
            ("graph SHA-256".to_owned(), identity.graph_sha256.clone()),
            ("pictures".to_owned(), self.images.display().to_string()),
            ("labels".to_owned(), self.labels().display().to_string()),
        ];
        about.extend(looks::commit().map(|commit| ("commit".to_owned(), commit)));
        if !net.answers().is_empty() {
            about.push(("questions".to_owned(), net.answers()));
        }
        about.extend(self.look.why.clone().map(|why| ("why".to_owned(), why)));
        Options {
            title: format!("{} {}", identity.name, identity.version),
            set: format!("Set {}", set.name),
            about,
            by: self.measures.by.clone(),
            prevalences: self.measures.prevalence.clone(),
            ..Options::default()
        }
    }
}

/// The pictures that a model's manifest lists.
fn listed(net: &Net, path: &Path) -> Result<Lists, Failure> {
    let wrong = |problem: String| Failure::Failed(format!("{}: {problem}", path.display()));
    Lists::of(net.classifier.manifest()).map_err(wrong)
}

/// The pictures that could not be read: their places among the cases, and why.
fn unreadable(cases: &[Case]) -> impl Iterator<Item = (usize, &str)> {
    cases.iter().enumerate().filter_map(|(place, case)| match &case.outcome {
        Outcome::Unreadable { error } => Some((place, error.as_str())),
        _ => None,
    })
}

/// Names each picture that could not be read, but those at `known` places.
fn warn_of_unreadable(cases: &[Case], known: &BTreeSet<usize>) {
    for (_, error) in unreadable(cases).filter(|(place, _)| !known.contains(place)) {
        complain("warning", error);
    }
}
