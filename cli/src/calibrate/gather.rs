//! The rows that a model is fitted on, from pictures or from a table of scores.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;

use bedside::manifest::{Activation, ColorMeant};
use bedside::tools::{self, in_file, io_error, observe};
use bedside::{Image, Quality};
use bedside_engine::read_bounded;
use bedside_tools::calibrate::method::{MAX_PICTURES, MAX_PICTURES_OF_SOURCE, Seen};
use bedside_tools::calibrate::novelty::first_by_hash;
use bedside_tools::calibrate::quality::{Meant, Measures, meant};
use bedside_tools::calibrate::{Row, logits_of};
use bedside_tools::table::{LabelRow, LabelTable, ScoreKind, ScoreOptions, ScoreTable, below, with_scores};

use super::cache::{self, Cache, Measured, Outcome, stamp};
use super::networks::{Network, Networks, Which};
use super::{Arguments, Subject, resaved, row, spoiled};
use crate::classes::labels;
use crate::classify::progress;
use crate::labelled::{self, Foreign, Net, failed, place, readable};
use crate::looks::LookedSet;
use crate::output::{Failure, complain};
use crate::provenance::{MAX_FILE_BYTES, prefix};

/// The column that says which network did not learn from a picture.
const FOLD: &str = "fold";

/// What a model is fitted on.
pub(super) struct Gathered {
    pub(super) rows: Vec<Row>,
    /// Whether rows have the graph's own logits.
    pub(super) has_logits: bool,
    /// What foreign pictures are told from.
    pub(super) observed: Observed,
    /// The first 16 hex digits of the SHA-256 of each picture that the model itself scored, in their order.
    pub(super) own: BTreeSet<String>,
    /// What whoever reads the page should know, in sentences.
    pub(super) notes: Vec<String>,
}

/// The rows of a table of scores.
pub(super) fn from_scores(arguments: &Arguments, subject: &Subject, scores: &Path) -> Result<Gathered, Failure> {
    let manifest = &subject.manifest;
    let options = arguments.set.options(manifest, subject.is_multi_label, Vec::new());
    let table = arguments.set.labels.as_deref().unwrap_or(scores);
    labelled::check(table, None, &options)?;
    let score_options = ScoreOptions { labels: labels(manifest), is_multi_label: subject.is_multi_label, kind: None };
    let found = ScoreTable::open(scores, &score_options).map_err(failed)?;
    let kind = found.kind();
    let found = found.by_file().map_err(failed)?;
    let truth = LabelTable::open(table, &options).map_err(failed)?;
    let mut names = Names::default();
    let rows = with_scores(truth, found).map(|found| {
        let (truth, found) = found.map_err(failed)?;
        let network = names.of(found.network.as_deref());
        Ok(row(truth, logits(found.scores, kind, subject.is_multi_label), network))
    });
    Ok(Gathered {
        rows: rows.collect::<Result<_, Failure>>()?,
        has_logits: kind == ScoreKind::Logits,
        observed: Observed::default(),
        own: BTreeSet::new(),
        notes: vec![
            "novelty and quality need pictures".to_owned(),
            "that the model did not learn from these pictures can't be checked on a table of scores".to_owned(),
        ],
    })
}

/// The logits of scores.
pub(super) fn logits(scores: Vec<f64>, kind: ScoreKind, is_multi_label: bool) -> Vec<f64> {
    match kind {
        ScoreKind::Logits => scores,
        ScoreKind::Probabilities => logits_of(&scores, is_multi_label),
    }
}

/// The networks that a table of scores names, by the order in which they first stand there.
#[derive(Default)]
pub(super) struct Names(Vec<String>);

/// The name of the model itself in the column `network`.
const MODEL: &str = "model";

impl Names {
    /// The number of a network: 0 for the model, of which a table that names none is too.
    pub(super) fn of(&mut self, name: Option<&str>) -> usize {
        let Some(name) = name.filter(|name| *name != MODEL) else { return 0 };
        let place = self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        });
        place + 1
    }
}

/// The rows of labelled pictures.
pub(super) fn from_pictures(
    arguments: &Arguments,
    subject: &Subject,
    images: &Path,
    set: &LookedSet,
) -> Result<Gathered, Failure> {
    let Some(table) = arguments.set.labels.as_deref() else { unreachable!("clap requires it with --images") };
    let has_fold = || readable(table).is_some_and(|(head, _)| place(&head, FOLD).is_some());
    let has_column = !arguments.folds.is_empty() && has_fold();
    let by = if has_column { vec![FOLD.to_owned()] } else { Vec::new() };
    let options = arguments.set.options(&subject.manifest, subject.is_multi_label, by);
    let summary = labelled::check(table, Some(images), &options)?;
    let foreign = arguments.set.foreign.as_deref().map(labelled::foreign).transpose()?.unwrap_or_default();
    let written = [Some(arguments.output.as_path()), arguments.html.as_deref(), arguments.look.log(set)];
    let outputs: Vec<&Path> = written.into_iter().flatten().collect();
    labelled::refuse_replacing_pictures(&outputs, images, table, &options, &foreign)?;
    let tensors = tensors(arguments, subject);
    let networks = Networks::open(arguments, subject, &tensors, has_column)?;
    let of_network = |network: &Network| {
        let classifier = &network.net.classifier;
        (classifier.identity().graph_sha256.clone(), classifier.manifest().input().clone())
    };
    let graphs = networks.all.iter().map(of_network).collect();
    let mut cache = Cache::open(&arguments.output, graphs, tensors.clone(), subject.color)?;
    if cache.len() > 0 {
        complain("note", &format!("{} pictures were measured before the last run ended", cache.len()));
    }
    let observed = Observed { tensors, ..Observed::default() };
    let mut gathering = Gathering {
        networks: &networks,
        cache: &mut cache,
        is_multi_label: subject.is_multi_label,
        color: subject.color,
        are_resaved: arguments.resaved,
        rows: Vec::new(),
        table,
        known: HashMap::new(),
        labelled: HashSet::new(),
        of_foreign: HashSet::new(),
        observed,
        own: BTreeSet::new(),
        lost: Lost::default(),
    };
    let bar = progress(summary.rows as usize + foreign.len());
    for found in LabelTable::open(table, &options).map_err(failed)? {
        gathering.labelled(images, found.map_err(failed)?)?;
        bar.inc(1);
    }
    for picture in &foreign {
        gathering.foreign(picture)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let Gathering { rows, mut observed, own, lost, .. } = gathering;
    if rows.is_empty() {
        return Err(Failure::Failed(format!("no picture is left to fit on: {}", lost.words())));
    }
    observed.add_copies(networks.model(), images, &rows, subject.color)?;
    let has_logits = subject.manifest.output().activation != Activation::None;
    Ok(Gathered { rows, has_logits, observed, own, notes: notes(&networks, &lost) })
}

/// The tensors that features are means of: those that are given, those of the novelty that the manifest has, or else the
/// one before the pooling of its linear head.
fn tensors(arguments: &Arguments, subject: &Subject) -> Vec<String> {
    if !arguments.features.is_empty() {
        return arguments.features.clone();
    }
    let novelty = subject.manifest.calibration().and_then(|calibration| calibration.novelty.as_ref());
    let before = novelty.map(|novelty| novelty.features.clone()).filter(|features| !features.is_empty());
    let head = || subject.file.head(&subject.output).ok().map(|head| vec![head.features]);
    before.or_else(head).unwrap_or_default()
}

/// What limits of quality are fitted on, and what foreign pictures are told from.
#[derive(Default)]
pub(super) struct Observed {
    /// The measures of all sound pictures.
    pub(super) sound: Vec<Measures>,
    /// What the model said of sound pictures: of at most [`MAX_PICTURES`] and their copies, those whose
    /// hashes are lowest.
    seen: BySha256,
    /// What fold networks said of those that they did not learn from.
    by_folds: BySha256,
    /// The measures of spoiled copies of some of them, by how they were spoiled.
    pub(super) copies: Vec<(String, Vec<Measures>)>,
    /// What it said of foreign ones, by source: of at most [`MAX_PICTURES_OF_SOURCE`] each.
    foreign: BTreeMap<String, BySha256>,
    /// The tensors that features are means of.
    pub(super) tensors: Vec<String>,
}

impl Observed {
    /// What the model said of sound pictures.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.values().cloned().collect()
    }

    /// The same by networks that did not learn from the picture.
    pub(super) fn held_out(&self) -> Vec<Seen> {
        let held_out = if self.by_folds.is_empty() { &self.seen } else { &self.by_folds };
        held_out.values().cloned().collect()
    }

    /// What the model said of foreign pictures, by source.
    pub(super) fn foreign(&self) -> BTreeMap<String, Vec<Seen>> {
        self.foreign.iter().map(|(source, all)| (source.clone(), all.values().cloned().collect())).collect()
    }

    /// Measures spoiled copies of [`SPOILED`] sound pictures, those whose names have the lowest hashes.
    fn add_copies(
        &mut self,
        net: &Net,
        images: &Path,
        rows: &[Row],
        stated: Option<ColorMeant>,
    ) -> Result<(), Failure> {
        let meant = colors(meant(&self.sound, stated.map(super::meant)));
        let files: Vec<&str> = rows.iter().map(|row| row.file.as_str()).collect();
        for at in first_by_hash(&files, SPOILED) {
            let image = Image::open(below(images, files[at]).map_err(Failure::Failed)?)?;
            for (name, quality) in spoiled::copies(&net.classifier, &image, meant)? {
                let measures = measures(&quality);
                match self.copies.iter_mut().find(|(known, _)| known == name) {
                    Some((_, all)) => all.push(measures),
                    None => self.copies.push((name.to_owned(), vec![measures])),
                }
            }
        }
        Ok(())
    }
}

fn colors(meant: Option<Meant>) -> Option<ColorMeant> {
    meant.map(|meant| if meant == Meant::Gray { ColorMeant::Gray } else { ColorMeant::Rgb })
}

/// Of how many sound pictures spoiled copies are measured.
const SPOILED: usize = 100;

/// Pictures by their hash, each beside its copy.
type BySha256 = BTreeMap<(String, String, bool), Seen>;

/// Adds a picture. Of more than `max` those with the lowest hashes stay.
fn add(all: &mut BySha256, max: usize, sha256: &str, seen: Seen) {
    all.insert((sha256.to_owned(), seen.file.clone(), seen.is_copy), seen);
    if all.len() > max {
        all.pop_last();
    }
}

/// Pictures that nothing is fitted on.
#[derive(Default)]
struct Lost {
    learned: u64,
    unreadable: u64,
    copies: u64,
    /// Foreign pictures that are others of them again.
    foreign_copies: u64,
    /// Foreign pictures that are labelled ones.
    foreign_labelled: u64,
}

impl Lost {
    fn words(&self) -> String {
        let mut text = format!("{} were refused, as the model learned from them", self.learned);
        // Writing to a string can't fail.
        let (unreadable, copies) = (self.unreadable, self.copies);
        let _ = write!(text, ", {unreadable} could not be read, and {copies} are others of them again, byte for byte");
        text
    }
}

/// The sources in the cache of what the model itself said of a labelled picture that fold networks look at too, and of
/// copies that were saved again. No folder is called so.
const OWN: &str = "/";
const RESAVED: &str = "/resaved";
const OWN_RESAVED: &str = "/resaved/own";

fn is_resaved(source: Option<&str>) -> bool {
    matches!(source, Some(RESAVED | OWN_RESAVED))
}

/// What a network said of a picture.
#[derive(Clone)]
struct Look {
    /// The first 16 hex digits of the SHA-256 of the file.
    sha256: String,
    network: usize,
    seen: cache::Seen,
}

struct Gathering<'a> {
    networks: &'a Networks,
    cache: &'a mut Cache,
    is_multi_label: bool,
    /// The colours that the pictures are meant to have.
    color: Option<ColorMeant>,
    /// Whether novelty is fitted on copies that are saved again, too.
    are_resaved: bool,
    rows: Vec<Row>,
    /// The table of labels.
    table: &'a Path,
    /// For each hash of a picture its row, and what stands in the column `fold`.
    known: HashMap<String, (usize, Vec<Option<String>>)>,
    /// The hashes of all labelled pictures, those that nothing is fitted on too.
    labelled: HashSet<String>,
    /// The hashes of the foreign pictures so far.
    of_foreign: HashSet<String>,
    observed: Observed,
    /// The hashes of the pictures that the model itself looked at, with nobody standing in.
    own: BTreeSet<String>,
    lost: Lost,
}

impl Gathering<'_> {
    fn labelled(&mut self, images: &Path, labelled: LabelRow) -> Result<(), Failure> {
        let which = self.fold(&labelled)?;
        let path = below(images, &labelled.file).map_err(Failure::Failed)?;
        let Some(found) = self.look(None, &labelled.file, &path, which)? else { return Ok(()) };
        if self.is_known(&labelled, &found.sha256)? {
            return Ok(());
        }
        self.observed.sound.push(measures(&found.seen.quality));
        let patient = labelled.group.as_deref().unwrap_or(&labelled.file);
        for (source, which) in self.asked(which) {
            let look =
                if source.is_none() { Some(found.clone()) } else { self.look(source, &labelled.file, &path, which)? };
            let Some(look) = look else { continue };
            let seen = Seen { is_copy: is_resaved(source), ..self.seen(&labelled.file, patient, &look) };
            // A picture and its copy count as two.
            let max = if self.are_resaved { 2 * MAX_PICTURES } else { MAX_PICTURES };
            let is_of_fold = self.networks.are_folds && which != Which::Model;
            let all = if is_of_fold { &mut self.observed.by_folds } else { &mut self.observed.seen };
            add(all, max, &look.sha256, seen);
        }
        if self.networks.is_model(found.network) {
            self.own.insert(found.sha256.clone());
        }
        let logits = self.logits(&found.seen);
        // The model is the first, whichever place it has among the networks.
        let network = if self.networks.is_model(found.network) { 0 } else { found.network + 1 };
        self.rows.push(row(labelled, logits, network));
        Ok(())
    }

    /// What is asked of a labelled picture: the source in the cache, and the network.
    fn asked(&self, which: Which) -> Vec<(Option<&'static str>, Which)> {
        let mut asked = vec![(None, which)];
        if self.networks.are_folds {
            // The model has learned from it, and its tables may be of such pictures: levels come from the others.
            asked.push((Some(OWN), Which::Model));
        }
        if self.are_resaved {
            asked.push((Some(RESAVED), which));
        }
        if self.are_resaved && self.networks.are_folds {
            asked.push((Some(OWN_RESAVED), Which::Model));
        }
        asked
    }

    /// Whether a picture stood in the table before, by another path. It counts once. What else is said of it must be the same:
    /// what it shows, whose it is, and which network did not learn from it.
    fn is_known(&mut self, labelled: &LabelRow, sha256: &str) -> Result<bool, Failure> {
        let Some((at, fold)) = self.known.get(sha256) else {
            self.known.insert(sha256.to_owned(), (self.rows.len(), labelled.by.clone()));
            return Ok(false);
        };
        let Row { file, truth, group, .. } = &self.rows[*at];
        if *truth != labelled.truth || *group != labelled.group || *fold != labelled.by {
            let (table, line, other) = (self.table.display(), labelled.line, &labelled.file);
            return Err(Failure::Failed(format!(
                "{table}: line {line}: {other} is {file} again, byte for byte, and is said to show something else, or to be of \
                 another patient or fold; correct one"
            )));
        }
        self.lost.copies += 1;
        Ok(true)
    }

    fn foreign(&mut self, picture: &Foreign) -> Result<(), Failure> {
        let found = self.look(Some(&picture.source), &picture.file, &picture.path, Which::Model)?;
        let Some(found) = found else { return Ok(()) };
        if self.labelled.contains(&found.sha256) {
            self.lost.foreign_labelled += 1;
        } else if !self.of_foreign.insert(found.sha256.clone()) {
            self.lost.foreign_copies += 1;
        } else {
            let seen = self.seen(&picture.file, &picture.file, &found);
            let source = self.observed.foreign.entry(picture.source.clone()).or_default();
            add(source, MAX_PICTURES_OF_SOURCE, &found.sha256, seen);
        }
        Ok(())
    }

    /// What a network says of a picture; none where nothing is fitted on it.
    fn look(&mut self, source: Option<&str>, file: &str, path: &Path, which: Which) -> Result<Option<Look>, Failure> {
        let known = self.cache.take(source, file, stamp(path));
        // Another column `fold`, or another list of pictures that were learned from, may have been written since.
        let known = known.filter(|known| known.network == self.networks.of(&known.sha256, which));
        let measured = if let Some(known) = known {
            known
        } else {
            let measured = self.measure(source, file, path, which);
            // What could not be read is tried again.
            if !matches!(measured.outcome, Outcome::Unreadable(_)) {
                self.cache.add(&measured)?;
            }
            measured
        };
        if source.is_none() {
            self.labelled.insert(measured.sha256.clone());
        }
        match measured.outcome {
            Outcome::Seen(seen) => {
                let (sha256, network) = (measured.sha256, measured.network.unwrap_or_default());
                return Ok(Some(Look { sha256, network, seen }));
            }
            // A picture is lost once, whatever else was asked of it.
            _ if source.is_some_and(|source| source.starts_with('/')) => {}
            Outcome::Learned => self.lost.learned += 1,
            Outcome::Unreadable(problem) => {
                complain("warning", &problem);
                self.lost.unreadable += 1;
            }
        }
        Ok(None)
    }

    /// Without logits where the graph gives probabilities: they have no energy.
    fn seen(&self, file: &str, patient: &str, found: &Look) -> Seen {
        let features = found.seen.features.iter().map(|&value| f64::from(value)).collect();
        let logits = if self.networks.gives_logits() { self.logits(&found.seen) } else { Vec::new() };
        let (file, patient) = (file.to_owned(), patient.to_owned());
        Seen { file, patient, network: found.network, is_copy: false, features, logits }
    }

    fn logits(&self, found: &cache::Seen) -> Vec<f64> {
        let values: Vec<f64> = found.values.iter().map(|&value| f64::from(value)).collect();
        if self.networks.gives_logits() { values } else { logits_of(&values, self.is_multi_label) }
    }

    /// The network that the column `fold` names.
    fn fold(&self, labelled: &LabelRow) -> Result<Which, Failure> {
        let Some(text) = labelled.by.first() else { return Ok(Which::HeldOut) };
        let count = self.networks.held_out().len();
        let fold = text.as_ref().and_then(|text| text.parse().ok()).filter(|fold| (1..=count).contains(fold));
        let wrong = || {
            let found = text.as_deref().unwrap_or_default();
            let (table, line) = (self.table.display(), labelled.line);
            Failure::Failed(format!("{table}: line {line}: the column `fold` has \"{found}\"; give 1 to {count}"))
        };
        fold.map(|fold: usize| Which::Fold(fold - 1)).ok_or_else(wrong)
    }

    fn measure(&self, source: Option<&str>, file: &str, path: &Path, which: Which) -> Measured {
        let (bytes, modified) = stamp(path);
        let mut measured = Measured {
            file: file.to_owned(),
            source: source.map(str::to_owned),
            bytes,
            modified,
            sha256: String::new(),
            network: None,
            outcome: Outcome::Learned,
        };
        let encoded = match read_bounded(path, MAX_FILE_BYTES) {
            Ok(encoded) => encoded,
            Err(error) => {
                return Measured { outcome: Outcome::Unreadable(io_error(path, error).to_string()), ..measured };
            }
        };
        measured.sha256 = prefix(&encoded);
        measured.network = self.networks.of(&measured.sha256, which);
        if let Some(network) = measured.network {
            let net = &self.networks.all[network].net;
            let image = Image::from_bytes(encoded);
            let copy = is_resaved(source).then(|| resaved::resaved(&net.classifier, &image, file)).transpose();
            let found =
                copy.and_then(|copy| observe(&net.classifier, &copy.map_or(image, Image::from_bytes), self.color));
            measured.outcome = match found {
                Ok(found) => {
                    let tools::Observation { values, quality, features, .. } = found;
                    Outcome::Seen(cache::Seen { values, quality, features })
                }
                Err(error) => Outcome::Unreadable(in_file(error, path).to_string()),
            };
        }
        measured
    }
}

fn measures(quality: &Quality) -> Measures {
    let Quality { focus, dark, bright, contrast, size, color, .. } = *quality;
    let [focus, dark, bright, contrast, size, color] = [focus, dark, bright, contrast, size, color].map(f64::from);
    Measures { focus, dark, bright, contrast, size, color }
}

fn notes(networks: &Networks, lost: &Lost) -> Vec<String> {
    let mut notes = Vec::new();
    if networks.are_folds {
        let count = networks.held_out().len();
        let is_one = (0..count).any(|network| networks.is_model(network));
        notes.push(format!(
            "the guarantee is approximate: the scores are those of {count} networks, each of pictures that it did not learn \
             from, and the model is {}",
            if is_one { "one of them" } else { "another network" }
        ));
    } else if networks.held_out().iter().all(|network| network.learned.is_empty()) {
        notes.push(
            "the manifest's `provenance.training_sha256` does not say what the model learned from: that these pictures \
             are none of those was not checked"
                .to_owned(),
        );
    }
    if lost.learned + lost.unreadable + lost.copies > 0 {
        notes.push(format!("of the pictures {}", lost.words()));
    }
    let (copies, labelled) = (lost.foreign_copies, lost.foreign_labelled);
    if copies + labelled > 0 {
        notes.push(format!(
            "left out of the foreign pictures: {copies} that are others of them again, byte for byte, and {labelled} that \
             are labelled pictures, too"
        ));
    }
    notes
}
