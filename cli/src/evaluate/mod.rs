//! `bedside evaluate`: measures a model on labelled pictures.

mod cases;
mod copies;
pub(crate) mod summary;
mod thumbnails;

use std::path::{Path, PathBuf};

use bedside::Answer;
use bedside_tools::evaluate::{Against, Case, Evaluation, Options, Problem, evaluate, html, html_with_pictures};

use crate::classify::parse_answer;
use crate::labelled::{self, Net, SetArguments};
use crate::looks::{self, LookArguments, Looked};
use crate::measures::MeasureArguments;
use crate::output::Failure;
use crate::pack::{check_writable, write_whole};
use crate::paths::{of_models, refuse_overwriting};

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

Each look at a set named `test` (by --split, or by the name of the folder of pictures) is written down in a file: date,
model, set, commit, and why. Questions of the model are answered in scope unless --answer says otherwise.

Exit status: 0; 1 where the model or a table failed; 2 for wrong usage. A picture that can't be read is counted.")]
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
    /// side cut off, and enlarged so that it is decoded at a reduced scale. Takes five times as long
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
    let set = arguments.set_name();
    arguments.check_outputs(&set)?;
    let net = Net::open(&arguments.model, &arguments.answers, arguments.threads)?;
    let other = arguments.against.as_deref().map(|path| Net::open(path, &arguments.answers, arguments.threads));
    let other = other.transpose()?;
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
    /// The name of the set: its split, or else its folder's.
    fn set_name(&self) -> String {
        self.set.name(Some(&self.images))
    }

    /// Fails where an output could not be written, or would replace a model or a table.
    fn check_outputs(&self, set: &str) -> Result<(), Failure> {
        let models: Vec<&PathBuf> = [Some(&self.model), self.against.as_ref()].into_iter().flatten().collect();
        let inputs = of_models(models.iter().copied());
        let inputs: Vec<&Path> = inputs.iter().chain(&self.set.labels).map(PathBuf::as_path).collect();
        if let Some(page) = &self.html {
            refuse_overwriting(page, &inputs)?;
            refuse_overwriting(page, self.look.log(set).as_slice())?;
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

    fn evaluation(&self, net: &Net, other: Option<&Net>, set: &str) -> Result<Evaluation, Failure> {
        let contrasts = self.measures.contrasts(&net.classes, net.is_multi_label)?;
        let cases = self.cases(net, set, self.copies)?;
        let model = |net: &Net| cases::model(net, contrasts.clone());
        let others = other.map(|net| Ok::<_, Failure>((model(net), self.cases(net, set, false)?))).transpose()?;
        let model = model(net);
        let against = others.as_ref().map(|(model, cases)| Against { model, cases });
        evaluate(&model, &cases, against, &self.options(net, set)).map_err(|problem| match problem {
            Problem::Option(_) => Failure::Usage(problem.to_string()),
            Problem::Case { .. } => Failure::Failed(problem.to_string()),
        })
    }

    fn cases(&self, net: &Net, set: &str, has_copies: bool) -> Result<Vec<Case>, Failure> {
        let by: Vec<String> = self.measures.by.iter().map(|column| column.name.clone()).collect();
        let options = self.set.options(net.classifier.manifest(), net.is_multi_label, by);
        let Some(labels) = &self.set.labels else { unreachable!("clap requires it with --images") };
        let summary = labelled::check(labels, Some(&self.images), &options)?;
        let foreign = self.set.foreign.as_deref().map(labelled::foreign).transpose()?.unwrap_or_default();
        let outputs: Vec<&Path> = [self.html.as_deref(), self.look.log(set)].into_iter().flatten().collect();
        labelled::refuse_replacing_pictures(&outputs, &self.images, labels, &options, &foreign)?;
        let source =
            cases::Source { images: &self.images, labels, options: &options, by: &self.measures.by, has_copies };
        cases::gather(net, &source, summary.rows as usize, &foreign)
    }

    fn options(&self, net: &Net, set: &str) -> Options {
        let identity = net.classifier.identity();
        let mut about = vec![
            ("date".to_owned(), looks::today()),
            ("graph SHA-256".to_owned(), identity.graph_sha256.clone()),
            ("pictures".to_owned(), self.images.display().to_string()),
            ("labels".to_owned(), self.set.labels.as_deref().unwrap_or(Path::new("")).display().to_string()),
        ];
        about.extend(looks::commit().map(|commit| ("commit".to_owned(), commit)));
        if !net.answers().is_empty() {
            about.push(("questions".to_owned(), net.answers()));
        }
        about.extend(self.look.why.clone().map(|why| ("why".to_owned(), why)));
        Options {
            title: format!("{} {}", identity.name, identity.version),
            set: format!("Set {set}"),
            about,
            by: self.measures.by.clone(),
            prevalences: self.measures.prevalence.clone(),
            ..Options::default()
        }
    }
}
