//! The CSV files of `calibrate` and `evaluate`: what each picture shows, and the scores of pictures.
//!
//! Both files have a head, commas and UTF-8. Blanks around a value do not count. Rows are read one by one: what grows
//! with the number of rows is the list of names, by which a picture that is listed twice is found.
//!
//! # Labels
//!
//! | column | what it holds |
//! |---|---|
//! | `file` | the picture's path below the folder of pictures |
//! | `label` | for labels that exclude each other: one of the model's, or empty where it is not known |
//! | one column a label, by its name | in place of `label`: 1, 0, or empty where nobody looked for it |
//! | the group's column, if one is named | whose picture it is, such as the patient |
//! | the split's column, if one is named | rows of other splits are passed over |
//! | columns to report by, such as `age` or `sex` | any text, or empty where it is not known |
//!
//! # Scores
//!
//! `file`, and for each label a column `probability_LABEL`, or for each a column `logit_LABEL`. Where the columns are
//! called by the label alone, whoever reads must say what they hold. One file may be both: the prefixes keep truth and
//! score apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

/// How many problems and warnings are kept word by word. The others are counted.
const MAX_TEXTS: usize = 20;

/// The largest absolute value of a logit. A network gives tens: what is larger was divided by 0, or is of another column.
pub const MAX_LOGIT: f64 = 1000.0;

/// What is wrong in a table, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct TableError {
    /// The name of the file.
    pub table: String,
    /// The line on which the row begins, from 1 on. The head has no line.
    pub line: Option<u64>,
    /// The name of the column.
    pub column: Option<String>,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column \"{column}\"")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Texts that name rows: the first twenty, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// The first twenty.
    pub first: Vec<String>,
    /// The number of all.
    pub count: u64,
}

impl Texts {
    fn add(&mut self, text: String) {
        self.count += 1;
        if self.first.len() < MAX_TEXTS {
            self.first.push(text);
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// What a table of labels is read for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelOptions {
    /// The model's labels, in its order.
    pub labels: Vec<String>,
    /// Whether any number of the labels may hold. Otherwise they exclude each other.
    pub is_multi_label: bool,
    /// Names in the column `label` of what the model has no label for. None of its labels holds for such a picture.
    pub others: BTreeSet<String>,
    /// The column that says whose picture it is.
    pub group: Option<String>,
    /// The rows to read.
    pub split: Option<Split>,
    /// The columns to report by.
    pub by: Vec<String>,
}

/// A part of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The column.
    pub column: String,
    /// The value of the rows that are read.
    pub value: String,
}

/// What one picture shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRow {
    /// The line on which the row begins, from 1 on.
    pub line: u64,
    /// The picture's path, as it stands in the table: relative, and never out of its folder.
    pub file: String,
    /// For each label whether it holds; `None` where that is not known.
    pub truth: Vec<Option<bool>>,
    /// Whose picture it is; `None` without such a column, and where it is empty.
    pub group: Option<String>,
    /// The values of the columns to report by, in their order; `None` where they are empty.
    pub by: Vec<Option<String>>,
}

/// A table of labels, row by row.
///
/// ```
/// use bedside_tools::table::{LabelOptions, LabelTable};
///
/// let options = LabelOptions { labels: vec!["melanoma".into(), "nevus".into()], ..LabelOptions::default() };
/// let text = "file,label\na.jpg,nevus\nb.jpg,melanom\n";
/// let mut rows = LabelTable::new("labels.csv", text.as_bytes(), &options)?;
/// assert_eq!(rows.next().expect("a row")?.truth, [Some(false), Some(true)]);
/// let error = rows.next().expect("a row").expect_err("it is misspelt").to_string();
/// assert!(error.starts_with("labels.csv, line 3, column \"label\": \"melanom\" is not a label of the model"));
/// # Ok::<(), bedside_tools::table::TableError>(())
/// ```
pub struct LabelTable<R> {
    rows: Rows<R>,
    options: LabelOptions,
    truth: TruthColumns,
    group: Option<usize>,
    split: Option<usize>,
    by: Vec<usize>,
    /// The split in which a group was seen first, and where.
    splits: HashMap<String, (String, u64)>,
    warnings: Texts,
}

/// Where the truth stands.
#[derive(Debug)]
enum TruthColumns {
    Named(usize),
    Each(Vec<usize>),
}

impl LabelTable<File> {
    /// # Errors
    /// [`TableError`] where the file can't be read, or lacks a column.
    pub fn open(path: &Path, options: &LabelOptions) -> Result<Self, TableError> {
        Self::new(&path.display().to_string(), open(path)?, options)
    }
}

impl<R: Read> LabelTable<R> {
    /// `table` is the name that errors give the file.
    ///
    /// # Errors
    /// [`TableError`] where the head can't be read, or lacks a column.
    pub fn new(table: &str, text: R, options: &LabelOptions) -> Result<Self, TableError> {
        let rows = Rows::new(table, text)?;
        let truth = truth_columns(&rows, options)?;
        let group = options.group.as_deref().map(|name| rows.column(name)).transpose()?;
        let split = options.split.as_ref().map(|split| rows.column(&split.column)).transpose()?;
        let by = options.by.iter().map(|name| rows.column(name)).collect::<Result<_, _>>()?;
        let (splits, warnings) = (HashMap::new(), Texts::default());
        Ok(Self { rows, options: options.clone(), truth, group, split, by, splits, warnings })
    }

    /// What was strange in the rows read so far, and can be lived with.
    #[must_use]
    pub fn warnings(&self) -> &Texts {
        &self.warnings
    }

    /// The row, or `None` where it is of another split.
    fn read(&mut self, record: &Record) -> Result<Option<LabelRow>, TableError> {
        let group = self.group.map(|column| record.text(column).to_owned()).filter(|g| !g.is_empty());
        self.note_split(record, group.as_deref());
        if let (Some(column), Some(split)) = (self.split, &self.options.split)
            && record.text(column) != split.value
        {
            return Ok(None);
        }
        let file = self.rows.file(record)?;
        let truth = match &self.truth {
            TruthColumns::Named(column) => self.named(record, *column)?,
            TruthColumns::Each(columns) => self.each(record, columns)?,
        };
        if self.group.is_some() && group.is_none() {
            let name = self.options.group.as_deref().unwrap_or_default();
            let at = self.rows.error(Some(record.line), Some(name), "is empty: the picture counts as its own group");
            self.warnings.add(at.to_string());
        }
        let by = self.by.iter().map(|&c| Some(record.text(c).to_owned()).filter(|t| !t.is_empty())).collect();
        Ok(Some(LabelRow { line: record.line, file, truth, group, by }))
    }

    /// Warns where a group is in two splits: what was learnt or fitted on one part would be tested on the same patient.
    fn note_split(&mut self, record: &Record, group: Option<&str>) {
        let (Some(column), Some(group)) = (self.split, group) else { return };
        let split = record.text(column);
        let Some((first, line)) = self.splits.get(group) else {
            self.splits.insert(group.to_owned(), (split.to_owned(), record.line));
            return;
        };
        if first != split {
            let problem = format!("\"{group}\" is in the split \"{split}\", and on line {line} in \"{first}\"");
            let at = self.rows.error(Some(record.line), self.options.group.as_deref(), &problem);
            self.warnings.add(at.to_string());
        }
    }

    fn named(&self, record: &Record, column: usize) -> Result<Vec<Option<bool>>, TableError> {
        let (name, labels) = (record.text(column), &self.options.labels);
        if name.is_empty() {
            return Ok(vec![None; labels.len()]);
        }
        if !labels.iter().any(|l| l == name) && !self.options.others.contains(name) {
            let problem = format!(
                "\"{name}\" is not a label of the model, which has {}; correct it, or name it among the others",
                quoted(labels)
            );
            return Err(self.rows.error(Some(record.line), Some("label"), &problem));
        }
        Ok(labels.iter().map(|l| Some(l == name)).collect())
    }

    fn each(&self, record: &Record, columns: &[usize]) -> Result<Vec<Option<bool>>, TableError> {
        let at = |label: usize, problem: String| {
            self.rows.error(Some(record.line), Some(&self.options.labels[label]), &problem)
        };
        let read = |(label, &column): (usize, &usize)| match record.text(column) {
            "" => Ok(None),
            "0" => Ok(Some(false)),
            "1" => Ok(Some(true)),
            other => Err(at(label, format!("\"{other}\" is not 0, 1 or empty"))),
        };
        let truth: Vec<Option<bool>> = columns.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        if self.options.is_multi_label {
            return Ok(truth);
        }
        let mut holding = (0..truth.len()).filter(|&label| truth[label] == Some(true));
        let (first, second) = (holding.next(), holding.next());
        if let (Some(first), Some(second)) = (first, second) {
            let name = &self.options.labels[first];
            return Err(at(second, format!("is 1, and \"{name}\" too; labels of this model exclude each other")));
        }
        // Where one holds, the others do not, even if nobody wrote 0.
        Ok(if first.is_some() { truth.iter().map(|t| Some(*t == Some(true))).collect() } else { truth })
    }
}

impl<R: Read> Iterator for LabelTable<R> {
    type Item = Result<LabelRow, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let record = match self.rows.next()? {
                Ok(record) => record,
                Err(error) => return Some(Err(error)),
            };
            if let Some(row) = self.read(&record).transpose() {
                return Some(row);
            }
        }
    }
}

fn truth_columns<R: Read>(rows: &Rows<R>, options: &LabelOptions) -> Result<TruthColumns, TableError> {
    if rows.has("label") && !options.is_multi_label {
        return Ok(TruthColumns::Named(rows.column("label")?));
    }
    let found: Vec<Option<usize>> = options.labels.iter().map(|name| rows.position(name)).collect();
    if let Some(columns) = found.iter().copied().collect() {
        return Ok(TruthColumns::Each(columns));
    }
    let lacking: Vec<&String> =
        options.labels.iter().zip(&found).filter(|(_, f)| f.is_none()).map(|(l, _)| l).collect();
    let also = if options.is_multi_label { "" } else { "; or name the label of each picture in a column \"label\"" };
    let problem = format!("has no column {}; add one a label, with 1, 0 or nothing{also}", quoted(&lacking));
    Err(rows.error(None, None, &problem))
}

/// What a whole table holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The rows without a problem.
    pub rows: u64,
    /// How many groups they are of; a row without one is its own.
    pub groups: u64,
    /// For each label, for how many rows it holds, does not hold, and is not known.
    pub labels: Vec<LabelCount>,
    /// What must be corrected.
    pub problems: Texts,
    /// What can be lived with.
    pub warnings: Texts,
}

/// For how many rows a label holds, does not hold, and is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LabelCount {
    /// It holds.
    pub with: u64,
    /// It does not.
    pub without: u64,
    /// Nobody knows.
    pub unknown: u64,
}

/// Reads a whole table of labels, and says all that is wrong in it, so that hours of work do not end at its last row.
/// With a folder of pictures, each picture must be there.
pub fn check<R: Read>(mut table: LabelTable<R>, images: Option<&Path>) -> Summary {
    let mut summary = Summary { labels: vec![LabelCount::default(); table.options.labels.len()], ..Summary::default() };
    let mut groups = BTreeSet::new();
    while let Some(row) = table.next() {
        let row = match row.and_then(|row| table.rows.is_there(row, images)) {
            Ok(row) => row,
            Err(error) => {
                summary.problems.add(error.to_string());
                continue;
            }
        };
        summary.rows += 1;
        for (count, truth) in summary.labels.iter_mut().zip(&row.truth) {
            match truth {
                Some(true) => count.with += 1,
                Some(false) => count.without += 1,
                None => count.unknown += 1,
            }
        }
        match row.group {
            Some(group) => _ = groups.insert(group),
            None => summary.groups += 1,
        }
    }
    summary.groups += groups.len() as u64;
    summary.warnings = table.warnings;
    summary
}

/// What scores are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreKind {
    /// 0 to 1; of labels that exclude each other, they sum to 1.
    Probabilities,
    /// Numbers of at most [`MAX_LOGIT`], either way.
    Logits,
}

/// What a table of scores is read for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreOptions {
    /// The model's labels, in its order.
    pub labels: Vec<String>,
    /// Whether any number of the labels may hold. Otherwise they exclude each other.
    pub is_multi_label: bool,
    /// What columns hold that are called by the label alone.
    pub kind: Option<ScoreKind>,
}

/// The scores of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    /// The line on which the row begins, from 1 on.
    pub line: u64,
    /// The picture's path, as it stands in the table.
    pub file: String,
    /// One score a label.
    pub scores: Vec<f64>,
    /// What stands in the column `network`, where there is one.
    pub network: Option<String>,
}

/// The column that says which network gave the scores.
const NETWORK: &str = "network";

/// A table of scores, row by row. A column `network`, which need not be there, names the network that gave a row's scores.
///
/// ```
/// use bedside_tools::table::{ScoreKind, ScoreOptions, ScoreTable};
///
/// let options = ScoreOptions { labels: vec!["melanoma".into(), "nevus".into()], ..ScoreOptions::default() };
/// let text = "file,logit_melanoma,logit_nevus\na.jpg,1.5,-2\n";
/// let mut rows = ScoreTable::new("scores.csv", text.as_bytes(), &options)?;
/// assert_eq!(rows.kind(), ScoreKind::Logits);
/// assert_eq!(rows.next().expect("a row")?.scores, [1.5, -2.0]);
/// # Ok::<(), bedside_tools::table::TableError>(())
/// ```
pub struct ScoreTable<R> {
    rows: Rows<R>,
    options: ScoreOptions,
    kind: ScoreKind,
    columns: Vec<usize>,
    network: Option<usize>,
}

impl ScoreTable<File> {
    /// # Errors
    /// [`TableError`] where the file can't be read, or lacks a column.
    pub fn open(path: &Path, options: &ScoreOptions) -> Result<Self, TableError> {
        Self::new(&path.display().to_string(), open(path)?, options)
    }
}

impl<R: Read> ScoreTable<R> {
    /// `table` is the name that errors give the file.
    ///
    /// # Errors
    /// [`TableError`] where the head can't be read, or lacks a column, or does not say what scores are.
    pub fn new(table: &str, text: R, options: &ScoreOptions) -> Result<Self, TableError> {
        let rows = Rows::new(table, text)?;
        let all = |prefix: &str| -> Option<Vec<usize>> {
            options.labels.iter().map(|label| rows.position(&format!("{prefix}{label}"))).collect()
        };
        let found =
            [("probability_", Some(ScoreKind::Probabilities)), ("logit_", Some(ScoreKind::Logits)), ("", options.kind)];
        let found = found.into_iter().find_map(|(prefix, kind)| Some((kind, all(prefix)?)));
        let (kind, columns) = match found {
            Some((Some(kind), columns)) => (kind, columns),
            Some((None, _)) => {
                let problem = "does not say whether its scores are probabilities or logits; \
                               call the columns probability_LABEL or logit_LABEL";
                return Err(rows.error(None, None, problem));
            }
            None => {
                let problem = format!("lacks a column of scores; it needs one a label: {}", quoted(&options.labels));
                return Err(rows.error(None, None, &problem));
            }
        };
        let network = rows.position(NETWORK);
        Ok(Self { rows, options: options.clone(), kind, columns, network })
    }

    /// What the scores are.
    #[must_use]
    pub fn kind(&self) -> ScoreKind {
        self.kind
    }

    /// All scores by the picture's path.
    ///
    /// # Errors
    /// The first [`TableError`] of a row.
    pub fn by_file(self) -> Result<BTreeMap<String, ScoreRow>, TableError> {
        self.map(|row| row.map(|row| (row.file.clone(), row))).collect()
    }

    fn read(&mut self, record: &Record) -> Result<ScoreRow, TableError> {
        let file = self.rows.file(record)?;
        let scores: Vec<f64> =
            self.columns.iter().map(|&column| self.score(record, column)).collect::<Result<_, _>>()?;
        let sum: f64 = scores.iter().sum();
        // Each may have been rounded to two digits.
        let tolerance = 0.005 * scores.len() as f64 + 1e-6;
        if self.kind == ScoreKind::Probabilities && !self.options.is_multi_label && (sum - 1.0).abs() > tolerance {
            let problem = format!("probabilities of labels that exclude each other sum to 1, and these to {sum:.4}");
            return Err(self.rows.error(Some(record.line), None, &problem));
        }
        let network = self.network.map(|column| record.text(column).to_owned());
        if network.as_deref() == Some("") {
            let problem = "does not say which network gave these scores";
            return Err(self.rows.error(Some(record.line), Some(NETWORK), problem));
        }
        Ok(ScoreRow { line: record.line, file, scores, network })
    }

    fn score(&self, record: &Record, column: usize) -> Result<f64, TableError> {
        let (range, wanted) = match self.kind {
            ScoreKind::Logits => (-MAX_LOGIT..=MAX_LOGIT, format!("logit between -{MAX_LOGIT} and {MAX_LOGIT}")),
            ScoreKind::Probabilities => (0.0..=1.0, "probability between 0 and 1".to_owned()),
        };
        let text = record.text(column);
        text.parse().ok().filter(|score| range.contains(score)).ok_or_else(|| {
            let problem = format!("\"{text}\" is not a {wanted}; correct it, or remove the row");
            self.rows.error(Some(record.line), self.rows.head.get(column), &problem)
        })
    }
}

impl<R: Read> Iterator for ScoreTable<R> {
    type Item = Result<ScoreRow, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.rows.next()?.and_then(|record| self.read(&record)))
    }
}

/// Each row of labels with the scores of its picture.
///
/// An item is an error where the row is, or where `scores` lacks its picture.
pub fn with_scores<R: Read>(
    labels: LabelTable<R>,
    mut scores: BTreeMap<String, ScoreRow>,
) -> impl Iterator<Item = Result<(LabelRow, ScoreRow), TableError>> {
    let table = labels.rows.table.clone();
    labels.map(move |row| {
        let row = row?;
        let found = scores.remove(&row.file).ok_or_else(|| TableError {
            table: table.clone(),
            line: Some(row.line),
            column: Some("file".to_owned()),
            problem: format!("the table of scores has no row for \"{}\"", row.file),
        })?;
        Ok((row, found))
    })
}

/// The place of a picture below its folder.
///
/// # Errors
/// What is wrong with a path that is absolute, or that leads out of the folder.
pub fn below(images: &Path, file: &str) -> Result<PathBuf, String> {
    let is_plain = Path::new(file).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if is_plain {
        Ok(images.join(file))
    } else {
        Err(format!("\"{file}\" leads out of the folder of pictures; write its path below that folder"))
    }
}

fn open(path: &Path) -> Result<File, TableError> {
    File::open(path).map_err(|error| TableError {
        table: path.display().to_string(),
        line: None,
        column: None,
        problem: format!("can't be opened: {error}"),
    })
}

fn quoted<T: fmt::Display>(names: &[T]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// The rows of a CSV file with a column `file`, in which no file stands twice.
struct Rows<R> {
    table: String,
    head: csv::StringRecord,
    records: csv::StringRecordsIntoIter<LineFeeds<R>>,
    file: usize,
    /// Where each file was listed.
    lines: HashMap<String, u64>,
}

/// A row.
struct Record {
    line: u64,
    values: csv::StringRecord,
}

impl Record {
    /// A value; rows have as many as the head.
    fn text(&self, column: usize) -> &str {
        self.values.get(column).unwrap_or_default()
    }
}

impl<R: Read> Rows<R> {
    fn new(table: &str, text: R) -> Result<Self, TableError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(LineFeeds::new(text));
        let head = reader.headers().map_err(|error| csv_error(table, &error))?.clone();
        let mut rows =
            Self { table: table.to_owned(), head, records: reader.into_records(), file: 0, lines: HashMap::new() };
        rows.check_head()?;
        rows.file = rows.column("file")?;
        Ok(rows)
    }

    fn check_head(&self) -> Result<(), TableError> {
        if self.head.is_empty() {
            return Err(self.error(None, None, "is empty; its first line must name the columns"));
        }
        let is_apart = |mark: char| self.head.len() == 1 && self.head[0].contains(mark);
        if is_apart(';') || is_apart('\t') {
            return Err(self.error(None, None, "has no commas between its columns; save it with commas"));
        }
        let mut names = BTreeSet::new();
        match self.head.iter().find(|name| !names.insert(*name)) {
            Some(name) => Err(self.error(None, Some(name), "stands twice in the head; rename one")),
            None => Ok(()),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.head.iter().position(|column| column == name)
    }

    fn has(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    fn column(&self, name: &str) -> Result<usize, TableError> {
        let columns: Vec<&str> = self.head.iter().collect();
        self.position(name).ok_or_else(|| {
            self.error(None, None, &format!("has no column \"{name}\"; its columns are {}", quoted(&columns)))
        })
    }

    fn error(&self, line: Option<u64>, column: Option<&str>, problem: &str) -> TableError {
        TableError { table: self.table.clone(), line, column: column.map(str::to_owned), problem: problem.to_owned() }
    }

    fn next(&mut self) -> Option<Result<Record, TableError>> {
        let values = match self.records.next()? {
            Ok(values) => values,
            Err(error) => return Some(Err(csv_error(&self.table, &error))),
        };
        let line = values.position().map_or(0, csv::Position::line);
        Some(Ok(Record { line, values }))
    }

    /// The row's file, which no row before may have.
    fn file(&mut self, record: &Record) -> Result<String, TableError> {
        let file = record.text(self.file);
        let fail = |problem: &str| Err(self.error(Some(record.line), Some("file"), problem));
        if file.is_empty() {
            return fail("is empty; name the picture, or remove the row");
        }
        if let Err(problem) = below(Path::new(""), file) {
            return fail(&problem);
        }
        if let Some(line) = self.lines.get(file) {
            return fail(&format!("\"{file}\" stands on line {line} already; remove one of them"));
        }
        self.lines.insert(file.to_owned(), record.line);
        Ok(file.to_owned())
    }

    /// The row, if its picture is there.
    fn is_there(&self, row: LabelRow, images: Option<&Path>) -> Result<LabelRow, TableError> {
        let Some(images) = images else { return Ok(row) };
        let fail = |problem: String| Err(self.error(Some(row.line), Some("file"), &problem));
        match below(images, &row.file) {
            Ok(path) if path.is_file() => Ok(row),
            Ok(path) => fail(format!("there is no file {}; restore it, or remove the row", path.display())),
            Err(problem) => fail(problem),
        }
    }
}

/// Turns all ends of lines into line feeds: `csv` counts a line too few where they are of two bytes.
struct LineFeeds<R> {
    inner: R,
    /// Whether the last byte was a carriage return.
    is_after_return: bool,
}

impl<R> LineFeeds<R> {
    fn new(inner: R) -> Self {
        Self { inner, is_after_return: false }
    }
}

impl<R: Read> Read for LineFeeds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.inner.read(buffer)?;
            let mut kept = 0;
            for index in 0..count {
                let byte = buffer[index];
                if !(byte == b'\n' && self.is_after_return) {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
                self.is_after_return = byte == b'\r';
            }
            // None kept of some is not the end.
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}

/// An error of the reader in words.
fn csv_error(table: &str, error: &csv::Error) -> TableError {
    let line = error.position().map(csv::Position::line);
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} values, and the head {expected_len} columns; put values with commas in quotes")
        }
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8; save the table as UTF-8".to_owned(),
        _ => format!("can't be read: {error}"),
    };
    TableError { table: table.to_owned(), line, column: None, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(labels: &[&str]) -> LabelOptions {
        LabelOptions { labels: labels.iter().map(|l| (*l).to_owned()).collect(), ..LabelOptions::default() }
    }

    fn read(text: &str, options: &LabelOptions) -> Result<Vec<LabelRow>, TableError> {
        LabelTable::new("t.csv", text.as_bytes(), options)?.collect()
    }

    #[track_caller]
    fn fails(text: &str, options: &LabelOptions, message: &str) {
        let error = read(text, options).expect_err("it is wrong").to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn table_reads_named_labels_groups_and_subgroups() {
        let options = LabelOptions {
            group: Some("patient".into()),
            by: vec!["sex".into(), "age".into()],
            others: ["wart".to_owned()].into(),
            ..options(&["melanoma", "nevus"])
        };
        let text = "\u{feff}file, label ,patient,age,sex\r\n a/1.jpg ,nevus,p1,61,f\r\n2.jpg,,p1,,\r\n\"3,b.jpg\",wart,p2,7,m\r\n";
        let rows = read(text, &options).expect("it is whole");
        assert_eq!(rows[0].file, "a/1.jpg");
        assert_eq!(rows[0].truth, [Some(false), Some(true)]);
        assert_eq!(rows[0].group.as_deref(), Some("p1"));
        assert_eq!(rows[0].by, [Some("f".to_owned()), Some("61".to_owned())]);
        assert_eq!((rows[1].line, &rows[1].truth[..], &rows[1].by[..]), (3, &[None, None][..], &[None, None][..]));
        assert_eq!((&rows[2].file[..], &rows[2].truth[..]), ("3,b.jpg", &[Some(false), Some(false)][..]));
    }

    #[test]
    fn line_feeds_end_all_lines() {
        // One byte at a time, so that the two bytes of an end are apart.
        struct Bytes(&'static [u8]);
        impl Read for Bytes {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.0.len().min(buffer.len()).min(1);
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let mut text = String::new();
        LineFeeds::new(Bytes(b"a\r\nb\rc\n\r\n\nd")).read_to_string(&mut text).expect("it is UTF-8");
        assert_eq!(text, "a\nb\nc\n\n\nd");
    }

    #[test]
    fn table_reads_one_column_a_label() {
        let text = "file,effusion,nodule\n1.png,1,\n2.png,0,1\n";
        let multi = LabelOptions { is_multi_label: true, ..options(&["nodule", "effusion"]) };
        let rows = read(text, &multi).expect("it is whole");
        assert_eq!(rows[0].truth, [None, Some(true)]);
        assert_eq!(rows[1].truth, [Some(true), Some(false)]);
        // Of labels that exclude each other, the others do not hold where one does.
        let rows = read(text, &options(&["nodule", "effusion"])).expect("it is whole");
        assert_eq!(rows[0].truth, [Some(false), Some(true)]);
        fails("file,a,b\n1.png,1,1\n", &options(&["a", "b"]), "line 2, column \"b\": is 1, and \"a\" too");
        fails("file,a,b\n1.png,0,yes\n", &multi_of(&["a", "b"]), "line 2, column \"b\": \"yes\" is not 0, 1 or empty");
    }

    fn multi_of(labels: &[&str]) -> LabelOptions {
        LabelOptions { is_multi_label: true, ..options(labels) }
    }

    #[test]
    fn table_passes_over_other_splits_and_warns_of_groups_in_two() {
        let options = LabelOptions {
            group: Some("patient".into()),
            split: Some(Split { column: "split".into(), value: "test".into() }),
            ..options(&["a"])
        };
        let text = "file,label,patient,split\n1,a,p1,train\n2,a,p2,test\n3,unheard of,p1,val\n4,a,p1,test\n5,a,,test\n";
        let mut table = LabelTable::new("t.csv", text.as_bytes(), &options).expect("a head");
        let files: Vec<String> = table.by_ref().map(|row| row.expect("whole").file).collect();
        assert_eq!(files, ["2", "4", "5"]);
        let warnings = &table.warnings().first;
        assert_eq!(
            warnings[0],
            "t.csv, line 4, column \"patient\": \"p1\" is in the split \"val\", and on line 2 in \"train\""
        );
        assert_eq!(warnings[2], "t.csv, line 6, column \"patient\": is empty: the picture counts as its own group");
    }

    #[test]
    fn table_errors_name_row_and_column() {
        let ab = options(&["a", "b"]);
        fails("file,label\n1,a\n2,c\n", &ab, "t.csv, line 3, column \"label\": \"c\" is not a label");
        fails("file,label\n1,a\n1,b\n", &ab, "line 3, column \"file\": \"1\" stands on line 2 already");
        fails("file,label\n,a\n", &ab, "line 2, column \"file\": is empty");
        fails("file,label\n../x,a\n", &ab, "line 2, column \"file\": \"../x\" leads out");
        fails("file,label\n/etc/x,a\n", &ab, "line 2, column \"file\": \"/etc/x\" leads out");
        fails("file,label\n1,a,a\n", &ab, "line 2: has 3 values, and the head 2 columns");
        fails("file;label\n1;a\n", &ab, "has no commas between its columns");
        fails("file,a\n1,1\n", &ab, "has no column \"b\"; add one a label");
        fails("name,label\n1,a\n", &ab, "has no column \"file\"; its columns are \"name\", \"label\"");
        fails("file,label,label\n", &ab, "column \"label\": stands twice");
        fails("", &ab, "is empty");
        let error = LabelTable::new("t.csv", &b"file,label\n\xff,a\n"[..], &ab).expect("a head").next();
        assert!(error.expect("a row").expect_err("not UTF-8").to_string().contains("line 2: is not UTF-8"));
        let grouped = LabelOptions { group: Some("patient".into()), ..ab };
        fails("file,label\n1,a\n", &grouped, "has no column \"patient\"");
    }

    #[test]
    fn check_counts_all_that_is_wrong() {
        let folder = std::env::temp_dir().join(format!("bedside-table-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("1.png"), "").expect("a file");
        std::fs::write(folder.join("2.png"), "").expect("a file");
        let grouped = LabelOptions { group: Some("patient".into()), ..multi_of(&["a"]) };
        let text = "file,a,patient\n1.png,1,p\n2.png,,\n3.png,0,p\n1.png,1,p\n";
        let table = LabelTable::new("t.csv", text.as_bytes(), &grouped).expect("a head");
        let summary = check(table, Some(&folder));
        std::fs::remove_dir_all(&folder).expect("it was there");
        assert_eq!((summary.rows, summary.groups), (2, 2));
        assert_eq!(summary.labels, [LabelCount { with: 1, without: 0, unknown: 1 }]);
        assert_eq!((summary.problems.count, summary.warnings.count), (2, 1));
        assert!(summary.problems.first[0].contains("line 4, column \"file\": there is no file"));
        assert!(summary.problems.first[1].contains("line 5"));
    }

    #[test]
    fn texts_keep_the_first_and_count_all() {
        let mut texts = Texts::default();
        (0..30).for_each(|i| texts.add(i.to_string()));
        assert_eq!((texts.first.len(), texts.count, &texts.first[19][..]), (20, 30, "19"));
    }

    fn scores(text: &str, kind: Option<ScoreKind>) -> Result<Vec<ScoreRow>, TableError> {
        let options = ScoreOptions { labels: vec!["a".into(), "b".into()], is_multi_label: false, kind };
        ScoreTable::new("s.csv", text.as_bytes(), &options)?.collect()
    }

    #[test]
    fn scores_are_read_by_what_the_columns_say() {
        let rows = scores("b,file,probability_b,probability_a\n1,x,0.9,0.1\n", None).expect("whole");
        assert_eq!(rows[0].scores, [0.1, 0.9]);
        assert_eq!(scores("file,a,b\nx,-3,1e2\n", Some(ScoreKind::Logits)).expect("whole")[0].scores, [-3.0, 100.0]);
        let message = |text: &str| scores(text, None).expect_err("wrong").to_string();
        assert!(message("file,a,b\nx,0.1,0.9\n").contains("probabilities or logits"));
        assert!(message("file,a\nx,0.1\n").contains("lacks a column of scores"));
        for wrong in ["inf", "nan", "1000.1", "-1e300", "", "x"] {
            let found = message(&format!("file,logit_a,logit_b\nx,1000,-1000\ny,0,{wrong}\n"));
            let expected = format!("line 3, column \"logit_b\": \"{wrong}\" is not a logit between -1000 and 1000");
            assert!(found.contains(&expected), "{found}");
        }
        assert!(message("file,probability_a,probability_b\nx,0,1.5\n").contains("\"1.5\" is not a probability"));
        assert!(message("file,probability_a,probability_b\nx,0.5,0.6\n").contains("sum to 1, and these to 1.1000"));
    }

    #[test]
    fn network_of_scores_is_named_in_a_column_of_its_own() {
        let rows = scores("file,network,logit_a,logit_b\nx,model,0,1\ny,fold1,0,1\n", None).expect("whole");
        assert_eq!(rows.iter().map(|row| row.network.as_deref()).collect::<Vec<_>>(), [Some("model"), Some("fold1")]);
        assert_eq!(scores("file,logit_a,logit_b\nx,0,1\n", None).expect("whole")[0].network, None);
        let error = scores("file,network,logit_a,logit_b\nx, ,0,1\n", None).expect_err("no name").to_string();
        assert!(error.contains("line 2, column \"network\": does not say which network"), "{error}");
    }

    #[test]
    fn labels_meet_their_scores_by_file() {
        let labels = LabelTable::new("t.csv", &b"file,label\n1,a\n2,a\n"[..], &options(&["a"])).expect("a head");
        let scores = ScoreRow { line: 2, file: "1".to_owned(), scores: vec![0.25], network: None };
        let found: Vec<_> = with_scores(labels, BTreeMap::from([("1".to_owned(), scores.clone())])).collect();
        assert_eq!(found[0].as_ref().expect("both").1, scores);
        let error = found[1].as_ref().expect_err("no scores").to_string();
        assert_eq!(error, "t.csv, line 3, column \"file\": the table of scores has no row for \"2\"");
    }
}
