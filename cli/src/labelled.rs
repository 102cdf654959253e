//! A set of labelled pictures: a folder and a table of what its pictures show; and folders of foreign pictures.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use bedside::manifest::{Activation, ScopeQuestion};
use bedside::tools::{self, Binding};
use bedside::{Answer, Classifier, Explain, Image, Limits, Manifest, Options, Query, Report};
use bedside_engine::ModelFile;
use bedside_tools::calibrate::Class;
use bedside_tools::table::{self, LabelOptions, LabelTable, Split, Summary, TableError, below};

use crate::classes::{classes, labels};
use crate::classify::once;
use crate::looks::{LookedSet, is_test};
use crate::output::{Failure, complain};
use crate::paths::refuse_overwriting;
use crate::pictures::{self, Missing};

/// What a table of labels has, and which of its rows are meant.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SetArguments {
    /// What each picture shows: a CSV file with the columns `file` and `label`, or one column a label with 1, 0 or nothing
    #[arg(long, value_name = "CSV")]
    pub(crate) labels: Option<PathBuf>,
    /// The column that says whose picture it is, such as `patient`
    #[arg(long, value_name = "COLUMN")]
    pub(crate) group: Option<String>,
    /// Only the rows with this value in the column of --split-column
    #[arg(long, value_name = "NAME")]
    pub(crate) split: Option<String>,
    /// The column of --split
    #[arg(long, default_value = "split", value_name = "COLUMN")]
    pub(crate) split_column: String,
    /// Names in the column `label` that the model has no label for: none of its labels holds
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    pub(crate) other: Vec<String>,
    /// A folder of pictures that show none of what the model was made for; each of its folders is a source
    #[arg(long, value_name = "DIR")]
    pub(crate) foreign: Option<PathBuf>,
}

impl SetArguments {
    /// The set that is meant, by the name of its split, or else of the folder of its pictures, or of its table. It is a test
    /// set where its split or that folder is named `test`, and where one of its rows is of a split `test` or of a picture in
    /// a folder `test`.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a table from a pipe.
    pub(crate) fn looked(&self, images: Option<&Path>, table: &Path) -> Result<LookedSet, Failure> {
        refuse_pipe(table)?;
        let folder = images.and_then(name_of);
        let name = self.split.clone().or_else(|| folder.clone()).or_else(|| name_of(table)).unwrap_or_default();
        let is_named = is_test(&name);
        let why = match folder {
            _ if is_named => None,
            Some(folder) if is_test(&folder) => Some("of the folder test"),
            _ => self.of_test(table),
        };
        let name = why.map_or(name.clone(), |why| format!("{name}, {why}"));
        Ok(LookedSet { name, is_test: is_named || why.is_some() })
    }

    /// How the first row that is of a test set is so.
    fn of_test(&self, table: &Path) -> Option<&'static str> {
        let (head, rows) = readable(table)?;
        let (file, split) = (place(&head, "file"), place(&head, &self.split_column));
        let is_meant = |row: &csv::StringRecord| self.split.is_none() || self.split.as_deref() == value(row, split);
        rows.filter(is_meant).find_map(|row| {
            let folders = Path::new(value(&row, file).unwrap_or_default()).parent().into_iter().flat_map(Path::iter);
            if value(&row, split).is_some_and(is_test) {
                Some("with pictures of the split test")
            } else if folders.filter_map(OsStr::to_str).any(is_test) {
                Some("with pictures of a folder test")
            } else {
                None
            }
        })
    }

    /// How the table is read for a model, with these columns beside.
    pub(crate) fn options(&self, manifest: &Manifest, is_multi_label: bool, by: Vec<String>) -> LabelOptions {
        LabelOptions {
            labels: labels(manifest),
            is_multi_label,
            others: self.other.iter().cloned().collect::<BTreeSet<_>>(),
            group: self.group.clone(),
            split: self.split.clone().map(|value| Split { column: self.split_column.clone(), value }),
            by,
        }
    }
}

/// The last part of a path, without links.
fn name_of(path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// The head of a table, and those of its rows that can be read: whoever reads it for a model says what is wrong with the
/// others.
pub(crate) fn readable(table: &Path) -> Option<(csv::StringRecord, impl Iterator<Item = csv::StringRecord>)> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(table).ok()?;
    let head = reader.headers().ok()?.clone();
    Some((head, reader.into_records().filter_map(Result::ok)))
}

/// The place of a column.
pub(crate) fn place(head: &csv::StringRecord, name: &str) -> Option<usize> {
    head.iter().position(|column| column == name)
}

fn value(row: &csv::StringRecord, column: Option<usize>) -> Option<&str> {
    row.get(column?)
}

/// Fails for a table from a pipe, because its rows are read a second time.
fn refuse_pipe(table: &Path) -> Result<(), Failure> {
    if fs::metadata(table).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Err(Failure::Usage(format!(
            "{}: this is a pipe or a device, and the table is read twice; write it into a file, and give that",
            table.display()
        )));
    }
    Ok(())
}

/// Fails where one of --other is a label of the model, or stands in no row: it may be misspelt.
fn check_others(table: &Path, options: &LabelOptions) -> Result<(), Failure> {
    if let Some(name) = options.others.iter().find(|name| options.labels.contains(name)) {
        let problem = "is a label of the model; name what the model has no label for";
        return Err(Failure::Usage(format!("--other {name}: {problem}")));
    }
    let mut missing = options.others.clone();
    if let Some((head, rows)) = readable(table).filter(|_| !missing.is_empty()) {
        let label = place(&head, "label");
        rows.for_each(|row| _ = value(&row, label).map(|name| missing.remove(name)));
    }
    match missing.first() {
        Some(name) => Err(Failure::Usage(format!(
            "--other {name}: no row of {} has it in a column `label`; correct it, or leave it out",
            table.display()
        ))),
        None => Ok(()),
    }
}

/// Reads a whole table, so that work does not end at its last row, and prints what is strange in it, and all that is wrong.
///
/// # Errors
/// [`Failure::Reported`] where something is wrong, and [`Failure::Failed`] where no row is left; [`Failure::Usage`] for
/// names of --other that can't be meant.
pub(crate) fn check(path: &Path, images: Option<&Path>, options: &LabelOptions) -> Result<Summary, Failure> {
    let table = LabelTable::open(path, options).map_err(failed)?;
    check_others(path, options)?;
    let summary = table::check(table, images);
    for warning in &summary.warnings.first {
        complain("warning", warning);
    }
    if summary.problems.count > 0 {
        summary.problems.first.iter().for_each(|problem| complain("error", problem));
        let more = summary.problems.count - summary.problems.first.len() as u64;
        if more > 0 {
            complain("error", &format!("{}: {more} more rows are wrong", path.display()));
        }
        return Err(Failure::Reported);
    }
    if summary.rows == 0 {
        return Err(Failure::Failed(format!("{}: no row is meant; see --split", path.display())));
    }
    Ok(summary)
}

/// Fails where an output would replace a picture: of the whole table, of other splits too, or a foreign one.
pub(crate) fn refuse_replacing_pictures(
    outputs: &[&Path],
    images: &Path,
    labels: &Path,
    options: &LabelOptions,
    foreign: &[Foreign],
) -> Result<(), Failure> {
    let options = LabelOptions { split: None, ..options.clone() };
    // Rows of other splits may be wrong in what is not read of them.
    let rows = LabelTable::open(labels, &options).map_err(failed)?.flatten();
    let own: Vec<PathBuf> = rows.filter_map(|row| below(images, &row.file).ok()).collect();
    let pictures = own.iter().chain(foreign.iter().map(|picture| &picture.path));
    let pictures: Vec<&Path> = pictures.map(PathBuf::as_path).collect();
    outputs.iter().try_for_each(|output| refuse_overwriting(output, &pictures))
}

pub(crate) fn failed(error: TableError) -> Failure {
    Failure::Failed(error.to_string())
}

/// A foreign picture.
pub(crate) struct Foreign {
    /// The name of its folder.
    pub(crate) source: String,
    /// Its path below the folder of foreign pictures.
    pub(crate) file: String,
    pub(crate) path: PathBuf,
}

/// The pictures of a folder whose folders are sources, in the order of their paths.
///
/// # Errors
/// [`Failure::Failed`] where a folder can't be listed, a picture lies beside the sources, or there is none.
pub(crate) fn foreign(folder: &Path) -> Result<Vec<Foreign>, Failure> {
    let wrong = |problem: &str| Failure::Failed(format!("{}: {problem}", folder.display()));
    if !fs::metadata(folder).is_ok_and(|found| found.is_dir()) {
        return Err(wrong("there is no such folder"));
    }
    let mut all = Vec::new();
    for found in pictures::find(folder) {
        let path =
            found.map_err(|Missing { path, problem }| Failure::Failed(format!("{}: {problem}", path.display())))?;
        let below = path.strip_prefix(folder).unwrap_or(&path);
        let mut parts = below.components();
        let source = parts.next().map(|part| part.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
        if parts.next().is_none() {
            return Err(Failure::Failed(format!(
                "{}: lies beside the folders of sources; put it into one",
                path.display()
            )));
        }
        all.push(Foreign { source, file: below.display().to_string(), path });
    }
    Ok(all)
}

/// A model that is opened to look at labelled pictures.
pub(crate) struct Net {
    pub(crate) classifier: Classifier,
    pub(crate) classes: Vec<Class>,
    pub(crate) is_multi_label: bool,
    query: Query,
}

impl Net {
    /// Opens a model. Scope questions without an answer in `answers` are answered in scope.
    pub(crate) fn open(path: &Path, answers: &[(String, Answer)], threads: u16) -> Result<Net, Failure> {
        Net::open_observing(path, &[], answers, threads)
    }

    /// The same, to observe these tensors too.
    pub(crate) fn open_observing(
        path: &Path,
        tensors: &[String],
        answers: &[(String, Answer)],
        threads: u16,
    ) -> Result<Net, Failure> {
        let classifier = tools::open_observing(path, tensors, Options::new().threads(threads.into()))?;
        let manifest = classifier.manifest();
        let is_multi_label = is_multi_label(path, manifest)?;
        let given = once("--answer", answers)?;
        let in_scope = manifest.scope().iter().map(|question| (&question.id, tools::in_scope_answer(question)));
        let mut query = Query::new().answers(in_scope);
        query.answers.extend(given);
        classifier.check(&query)?;
        Ok(Net { classes: classes(manifest), classifier, is_multi_label, query })
    }

    /// The report of a picture, or why there is none.
    pub(crate) fn report(&self, path: &Path) -> Result<Report, String> {
        let report = Image::open(path).and_then(|image| self.of(&image));
        report.map_err(|error| tools::in_file(error, path).to_string())
    }

    /// The report of a picture in memory.
    pub(crate) fn of(&self, image: &Image<'_>) -> bedside::Result<Report> {
        self.classifier.classify(image, &self.query)
    }

    /// Why there are no class activation maps; `None` where the model has them.
    pub(crate) fn no_heatmaps(&self) -> Option<String> {
        let manifest = self.classifier.manifest();
        manifest.explanation().is_none().then(|| {
            format!(
                "the manifest of {} has no `explanation`, which a class activation map needs; `bedside pack` writes it \
                 where the graph ends in a mean over height and width and one linear layer",
                manifest.name()
            )
        })
    }

    /// The report of a picture with the class activation map of a class.
    pub(crate) fn explained(&self, image: &Image<'_>, class: &str) -> bedside::Result<Report> {
        let query = self.query.clone().explain(Explain::new().label(class));
        self.classifier.classify(image, &query)
    }

    /// The novelty of a picture that was rejected before it was computed; none where the model doesn't tell.
    pub(crate) fn novelty(&self, path: &Path) -> Option<f64> {
        self.classifier.manifest().calibration()?.novelty.as_ref()?;
        let found = Image::open(path).and_then(|image| tools::observe(&self.classifier, &image, None)).ok()?;
        found.novelty.map(|novelty| f64::from(novelty.value))
    }

    /// What was answered, in words.
    pub(crate) fn answers(&self) -> String {
        let answer = |question: &ScopeQuestion| {
            let given = self.query.answers.get(&question.id);
            let words = match given {
                Some(Answer::Yes) => "yes".to_owned(),
                Some(Answer::No) => "no".to_owned(),
                Some(Answer::Number(number)) => number.to_string(),
                _ => "left open".to_owned(),
            };
            format!("{}: {words}", question.id)
        };
        self.classifier.manifest().scope().iter().map(answer).collect::<Vec<_>>().join(", ")
    }
}

/// Whether any number of the model's labels may hold.
fn is_multi_label(path: &Path, manifest: &Manifest) -> Result<bool, Failure> {
    match manifest.output().activation {
        Activation::Softmax => Ok(false),
        Activation::Sigmoid => Ok(true),
        _ => {
            let in_file = |error| tools::in_file(error, path);
            let file = ModelFile::open(path, Limits::default().max_model_bytes)
                .map_err(|error| in_file(tools::engine_error(error)))?;
            Ok(Binding::new(manifest, &file).map_err(in_file)?.multi_label)
        }
    }
}
