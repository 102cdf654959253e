//! Which method tells pictures unlike what a model was made for, and from which novelty on.
//!
//! Levels are quantiles of sound pictures' novelty, of each by statistics that were fitted without its patient: those of
//! the pictures that statistics were fitted on are too low. Where there are foreign pictures, the method is the one whose
//! worst source is accepted least at the level that 95 % of the sound pictures stay under; of equals, at the level that 99 %
//! stay under.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::novelty::{Fitted as Axes, first_by_hash, fit as axes_of, levels};
use crate::statistics::proportion::Proportion;
use crate::statistics::{Confidence, Interval, Undefined};

/// The quantile of sound pictures' novelty over which a picture is unusual.
pub const SOFT: f64 = 0.95;

/// The quantile over which it is refused.
pub const HARD: f64 = 0.99;

/// With fewer sound pictures nothing is fitted: one in a hundred is what `hard` is about.
pub const MIN_PICTURES: usize = 200;

/// The most sound pictures that statistics are fitted on, so that memory does not grow with their number.
pub const MAX_PICTURES: usize = 4_000;

/// The most pictures of a foreign source that a method is tried on.
pub const MAX_PICTURES_OF_SOURCE: usize = 1_000;

/// The nearest neighbour that counts, and the pictures among which it is looked for.
const NEIGHBORS: usize = 3;
const SAMPLE: usize = 1_000;
const SAMPLE_DIMENSIONS: usize = 48;

const FOLDS: usize = 5;

/// The bytes that tables may take before they are written in base64: 200 kB as they lie in the file, with room for names.
const MAX_BYTES: usize = 149_000;

/// What the graph said of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its path.
    pub file: String,
    /// Whose picture it is.
    pub patient: String,
    /// The network that looked: features of two networks are not compared.
    pub network: usize,
    /// Whether it is a copy of a sound picture that was saved again: statistics are fitted on it, and no levels.
    pub is_copy: bool,
    /// The means of the tapped tensors' channels; all pictures have as many.
    pub features: Vec<f64>,
    /// The logits; empty where the graph gives probabilities.
    pub logits: Vec<f64>,
}

/// A way to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// −ln Σ eᶻ of the logits z.
    Energy,
    /// The distance from the mean, in the reduced space.
    Mahalanobis,
    /// The distance to the third nearest picture of a sample.
    NearestNeighbors,
    /// The distance from the mean, and a multiple of the energy.
    Combined,
}

impl Method {
    /// Its name on the page.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Energy => "energy",
            Self::Mahalanobis => "Mahalanobis distance",
            Self::NearestNeighbors => "nearest neighbours",
            Self::Combined => "distance and energy",
        }
    }
}

/// What was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodTrial {
    /// The method.
    pub method: Method,
    /// Whether features are first replaced by their signed square roots.
    pub root: bool,
    /// For each foreign source, the pictures that are accepted where 95 % of the sound ones are.
    pub sources: Vec<SourceRate>,
    /// The largest share of them; none without foreign pictures.
    pub worst: Option<f64>,
    /// The same where 99 % of the sound ones are accepted.
    pub worst_under_hard: Option<f64>,
}

/// How many pictures of a foreign source are accepted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceRate {
    /// The source.
    pub source: String,
    /// Its pictures.
    pub pictures: u64,
    /// Those at or under the soft level.
    pub accepted: u64,
    /// The share's 95 % interval (Clopper and Pearson).
    pub interval: Interval,
}

/// The method, its tables and its levels. Tables are left out where it is written as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedNovelty {
    /// The method.
    pub method: Method,
    /// The axes; none for the energy.
    #[serde(skip)]
    pub axes: Option<Axes>,
    /// The sample's points in the reduced space, and which nearest counts.
    #[serde(skip)]
    pub sample: Option<(Vec<Vec<f64>>, usize)>,
    /// What the energy is multiplied by.
    pub weight: Option<f64>,
    /// The level over which a picture is unusual.
    pub soft: f64,
    /// The level over which it is refused.
    pub hard: f64,
    /// The held-out pictures, without copies.
    pub pictures: u64,
    /// Of held-out copies, how many are over which level; none without copies.
    pub resaved: Option<Resaved>,
    /// What was tried.
    pub trials: Vec<MethodTrial>,
}

/// Held-out copies that were saved again, by statistics of other patients' pictures and copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Resaved {
    /// How many there are.
    pub pictures: u64,
    /// Those over the soft level.
    pub over_soft: u64,
    /// Those over the hard level.
    pub over_hard: u64,
}

/// Fits a method on what the model said of sound pictures, and chooses it by foreign ones.
///
/// `held_out` are the pictures that levels are taken from, each seen by a network that did not learn from it: the same as
/// `sound` where that is the model. Levels of other networks hold for the model as far as it is like them.
///
/// # Errors
/// [`Undefined::TooFew`] for fewer than [`MIN_PICTURES`] sound pictures; as [`fit`](super::novelty::fit) where none of
/// the methods can be fitted.
pub fn fit(
    sound: &[Seen],
    held_out: &[Seen],
    foreign: &BTreeMap<String, Vec<Seen>>,
) -> Result<FittedNovelty, Undefined> {
    if originals(sound).min(originals(held_out)) < MIN_PICTURES {
        return Err(Undefined::TooFew);
    }
    let mut best: Option<(Option<[f64; 2]>, Judge)> = None;
    let (mut trials, mut failure) = (Vec::new(), Undefined::Empty);
    let parts = parts(held_out);
    let all = Part { out: Vec::new(), others: sound.iter().collect() };
    let spaces = [false, true].map(|root| Spaces::new(root, &parts, &all));
    for (method, root) in candidates(sound) {
        let judge = match of_method(method, &spaces[usize::from(root)], &parts, &all) {
            Ok(found) => found,
            Err(why) => {
                failure = why;
                continue;
            }
        };
        let sources = rates(&judge.tables, judge.levels[0], foreign)?;
        let share = |rate: &SourceRate| rate.accepted as f64 / rate.pictures as f64;
        let worst_of = |rates: &[SourceRate]| rates.iter().map(share).reduce(f64::max);
        let under_hard = worst_of(&rates(&judge.tables, judge.levels[1], foreign)?);
        let worst = worst_of(&sources).zip(under_hard).map(|(soft, hard)| [soft, hard]);
        if best.as_ref().is_none_or(|(before, _)| is_better(worst, *before)) {
            best = Some((worst, judge));
        }
        let [worst, worst_under_hard] = [0, 1].map(|level| worst.map(|worst| worst[level]));
        trials.push(MethodTrial { method, root, sources, worst, worst_under_hard });
    }
    let (_, Judge { tables, levels: [soft, hard], resaved }) = best.ok_or(failure)?;
    let Tables { method, axes, sample, weight } = tables;
    let sample = sample.map(|points| (points, NEIGHBORS));
    let pictures = originals(held_out) as u64;
    Ok(FittedNovelty { method, axes, sample, weight, soft, hard, pictures, resaved, trials })
}

/// Whether fewer foreign pictures are accepted under the first level, or as many under it and fewer under the second.
fn is_better(new: Option<[f64; 2]>, before: Option<[f64; 2]>) -> bool {
    new.zip(before).is_some_and(|(new, before)| new < before)
}

/// How many are no copies.
pub fn originals<'a>(all: impl IntoIterator<Item = &'a Seen>) -> usize {
    all.into_iter().filter(|seen| !seen.is_copy).count()
}

/// What is tried, the first of equals first: by features where there are some, and by the energy of logits.
fn candidates(sound: &[Seen]) -> Vec<(Method, bool)> {
    let all = [
        (Method::Mahalanobis, false),
        (Method::Mahalanobis, true),
        (Method::NearestNeighbors, true),
        (Method::Combined, false),
        (Method::Energy, false),
    ];
    let has_features = sound.first().is_some_and(|seen| !seen.features.is_empty());
    let has_logits = sound.first().is_some_and(|seen| !seen.logits.is_empty());
    let needs = |method: Method| match method {
        Method::Mahalanobis | Method::NearestNeighbors => has_features,
        Method::Combined => has_features && has_logits,
        Method::Energy => has_logits,
    };
    all.into_iter().filter(|(method, _)| needs(*method)).collect()
}

/// What a method computes with.
struct Tables {
    method: Method,
    axes: Option<Axes>,
    sample: Option<Vec<Vec<f64>>>,
    weight: Option<f64>,
}

impl Tables {
    fn new(method: Method, axes: Option<Axes>, sound: &[&Seen]) -> Self {
        let sample = axes.as_ref().filter(|_| method == Method::NearestNeighbors).map(|axes| {
            let files: Vec<&str> = sound.iter().map(|seen| seen.file.as_str()).collect();
            first_by_hash(&files, SAMPLE).into_iter().map(|at| axes.point(&sound[at].features)).collect()
        });
        let weight = axes.as_ref().filter(|_| method == Method::Combined).map(|axes| weight(axes, sound));
        Self { method, axes, sample, weight }
    }

    fn novelty(&self, seen: &Seen) -> f64 {
        let energy = || -log_sum_exp(&seen.logits);
        let Some(axes) = &self.axes else { return energy() };
        match (&self.sample, self.weight) {
            (Some(sample), _) => nearest(sample, &axes.point(&seen.features)),
            (None, Some(weight)) => axes.distance(&seen.features) + weight * energy(),
            (None, None) => axes.distance(&seen.features),
        }
    }
}

/// The dimensions that the pictures and the limit of bytes allow: mean and scale in f32, axes in f16, a sample in int8.
fn dimensions<'a>(method: Method, all: &Part<'a>, parts: &[Part<'a>]) -> usize {
    let features = all.others[0].features.len();
    let of_part = |part: &Part<'a>| originals(part.others.iter().copied());
    let pictures = parts.iter().map(of_part).min().unwrap_or_default();
    let left = MAX_BYTES.saturating_sub(8 * features);
    let (max, each) = match method {
        Method::NearestNeighbors => (SAMPLE_DIMENSIONS, 2 * features + 4 + SAMPLE),
        _ => (features, 2 * features),
    };
    // Ten pictures a dimension, so that the small axes are not noise.
    max.min(left.checked_div(each).unwrap_or_default()).min(pictures / 10).max(1)
}

/// The ratio of the deviations of distance and energy: both then count alike.
fn weight(axes: &Axes, sound: &[&Seen]) -> f64 {
    let deviation = |values: Vec<f64>| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        libm::sqrt(values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
    };
    let distance = deviation(sound.iter().map(|seen| axes.distance(&seen.features)).collect());
    let energy = deviation(sound.iter().map(|seen| log_sum_exp(&seen.logits)).collect());
    if energy > 0.0 && distance > 0.0 { distance / energy } else { 1.0 }
}

/// The distance to the third nearest, over the root of the dimensions.
fn nearest(sample: &[Vec<f64>], point: &[f64]) -> f64 {
    let square = |other: &Vec<f64>| other.iter().zip(point).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let mut squares: Vec<f64> = sample.iter().map(square).collect();
    let at = NEIGHBORS.min(squares.len()) - 1;
    let (_, third, _) = squares.select_nth_unstable_by(at, f64::total_cmp);
    libm::sqrt(*third / point.len() as f64)
}

/// Held-out pictures, and those of the same network that are of other patients.
struct Part<'a> {
    out: Vec<&'a Seen>,
    others: Vec<&'a Seen>,
}

/// The axes of the others of each part, and of all sound pictures, of as many dimensions as any method may take: it takes
/// the first of them, so that they are found once.
struct Spaces {
    of_parts: Vec<Axes>,
    of_all: Axes,
}

impl Spaces {
    fn new(root: bool, parts: &[Part<'_>], all: &Part<'_>) -> Result<Self, Undefined> {
        let widest = dimensions(Method::Mahalanobis, all, parts);
        let axes = |part: &Part<'_>| {
            let rows: Vec<&[f64]> = part.others.iter().map(|seen| seen.features.as_slice()).collect();
            axes_of(&rows, root, widest)
        };
        Ok(Self { of_parts: parts.iter().map(axes).collect::<Result<_, _>>()?, of_all: axes(all)? })
    }
}

/// The tables of all sound pictures, and the levels of held-out ones by the tables of other patients. All tables have as
/// many dimensions, unless pictures of a part vary in fewer, so that their distances can be compared.
fn of_method(
    method: Method,
    spaces: &Result<Spaces, Undefined>,
    parts: &[Part<'_>],
    all: &Part<'_>,
) -> Result<Judge, Undefined> {
    let spaces = if method == Method::Energy { None } else { Some(spaces.as_ref().map_err(Clone::clone)?) };
    let dimensions = dimensions(method, all, parts);
    let tables = |axes: Option<&Axes>, part: &Part<'_>| {
        Tables::new(method, axes.map(|axes| axes.truncated(dimensions)), &part.others)
    };
    let (mut values, mut of_copies) = (Vec::new(), Vec::new());
    for (at, part) in parts.iter().enumerate() {
        let tables = tables(spaces.map(|spaces| &spaces.of_parts[at]), part);
        for seen in &part.out {
            if seen.is_copy { &mut of_copies } else { &mut values }.push(tables.novelty(seen));
        }
    }
    let levels = levels(&values, SOFT, HARD)?;
    let over = |level: f64| of_copies.iter().filter(|novelty| **novelty > level).count() as u64;
    let [over_soft, over_hard] = levels.map(over);
    let resaved = Resaved { pictures: of_copies.len() as u64, over_soft, over_hard };
    let tables = tables(spaces.map(|spaces| &spaces.of_all), all);
    Ok(Judge { tables, levels, resaved: Some(resaved).filter(|resaved| resaved.pictures > 0) })
}

/// A method with its levels, and what they say of held-out copies.
struct Judge {
    tables: Tables,
    levels: [f64; 2],
    resaved: Option<Resaved>,
}

/// For each network, five parts of the patients, each with the pictures of the others. A part without pictures, or with
/// all, is left out.
fn parts(held_out: &[Seen]) -> Vec<Part<'_>> {
    let mut patients: BTreeMap<(usize, &str), usize> =
        held_out.iter().map(|seen| ((seen.network, seen.patient.as_str()), 0)).collect();
    patients.values_mut().enumerate().for_each(|(i, fold)| *fold = i % FOLDS);
    let networks: BTreeSet<usize> = held_out.iter().map(|seen| seen.network).collect();
    let mut parts = Vec::new();
    for (network, fold) in networks.into_iter().flat_map(|network| (0..FOLDS).map(move |fold| (network, fold))) {
        let of_network = held_out.iter().filter(|seen| seen.network == network);
        let (out, others): (Vec<&Seen>, Vec<&Seen>) =
            of_network.partition(|seen| patients[&(network, seen.patient.as_str())] == fold);
        if !(out.is_empty() || others.is_empty()) {
            parts.push(Part { out, others });
        }
    }
    parts
}

fn rates(tables: &Tables, soft: f64, foreign: &BTreeMap<String, Vec<Seen>>) -> Result<Vec<SourceRate>, Undefined> {
    let rate = |(source, pictures): (&String, &Vec<Seen>)| {
        let accepted = pictures.iter().filter(|seen| tables.novelty(seen) <= soft).count() as u64;
        let share = Proportion::new(accepted, pictures.len() as u64)?;
        let interval = share.clopper_pearson(Confidence::P95);
        Ok(SourceRate { source: source.clone(), pictures: share.cases(), accepted, interval })
    };
    foreign.iter().filter(|(_, pictures)| !pictures.is_empty()).map(rate).collect()
}

fn log_sum_exp(values: &[f64]) -> f64 {
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    max + libm::log(values.iter().map(|v| libm::exp(v - max)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number of −0.5 to 0.5, by `SplitMix64` (Steele, Lea and Flood 2014, OOPSLA).
    fn drawn(i: usize) -> f64 {
        let z = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    }

    /// Pictures with four features around `shift`, and logits that say nothing.
    fn pictures(count: usize, from: usize, shift: f64) -> Vec<Seen> {
        let seen = |i: usize| Seen {
            file: format!("{i}.jpg"),
            patient: format!("p{}", i / 2),
            network: 0,
            is_copy: false,
            features: (0..4).map(|f| shift + drawn(from + 4 * i + f)).collect(),
            logits: vec![drawn(from + i), 0.0],
        };
        (0..count).map(seen).collect()
    }

    #[test]
    fn method_is_the_one_whose_worst_source_has_the_lowest_rate() {
        let sound = pictures(400, 0, 1.0);
        let foreign = BTreeMap::from([("far".to_owned(), pictures(50, 9_000, 4.0))]);
        let found = fit(&sound, &sound, &foreign).expect("there are enough");
        // Far in features, and alike in logits: the energy accepts nearly all.
        assert_eq!((found.method, found.trials[0].worst), (Method::Mahalanobis, Some(0.0)));
        let energy = found.trials.iter().find(|trial| trial.method == Method::Energy).expect("it is tried");
        assert!(energy.worst.expect("there is a source") > 0.8, "{energy:?}");
        assert!(found.soft < found.hard && found.pictures == 400);
    }

    #[test]
    fn levels_hold_for_sound_pictures_that_were_not_fitted_on() {
        let sound = pictures(1_000, 0, 1.0);
        let found = fit(&sound, &sound, &BTreeMap::new()).expect("there are enough");
        let axes = found.axes.expect("it has features");
        let others = pictures(1_000, 50_000, 1.0);
        let over = |level: f64| others.iter().filter(|seen| axes.distance(&seen.features) > level).count();
        assert!((20..=80).contains(&over(found.soft)), "{}", over(found.soft));
        assert!((1..=30).contains(&over(found.hard)), "{}", over(found.hard));
        assert_eq!(found.trials[0].worst, None);
    }

    #[test]
    fn methods_that_are_equal_under_the_first_level_are_told_apart_by_the_second() {
        for (new, before, expected) in [
            ([0.1, 0.9], [0.2, 0.3], true),
            ([0.2, 0.3], [0.1, 0.9], false),
            ([0.0, 0.1], [0.0, 0.2], true),
            ([0.0, 0.2], [0.0, 0.1], false),
            ([0.0, 0.1], [0.0, 0.1], false),
        ] {
            assert_eq!(is_better(Some(new), Some(before)), expected, "{new:?} {before:?}");
        }
        assert!(!is_better(None, None));
    }

    /// Copies that lie elsewhere make the statistics wider, and no level: those are of the pictures as they come.
    #[test]
    fn copies_are_fitted_on_and_give_no_levels() {
        let sound = pictures(400, 0, 1.0);
        let copies = |shift: f64| {
            let copy = |seen: Seen| Seen { is_copy: true, ..seen };
            let all: Vec<Seen> =
                sound.iter().cloned().chain(pictures(400, 30_000, shift).into_iter().map(copy)).collect();
            let found = fit(&all, &all, &BTreeMap::new()).expect("there are enough");
            assert_eq!((found.pictures, found.resaved.expect("there are copies").pictures), (400, 400));
            found
        };
        let (near, far) = (copies(1.0), copies(3.0));
        let over = near.resaved.expect("there are copies");
        assert!((8..=40).contains(&over.over_soft) && (1..=16).contains(&over.over_hard), "{over:?}");
        let distance = |found: &FittedNovelty| found.axes.as_ref().expect("features").distance(&[3.0; 4]);
        assert!(distance(&near) > 3.0 && distance(&far) < 2.0, "{} {}", distance(&near), distance(&far));
        let few: Vec<Seen> = sound
            .iter()
            .take(150)
            .cloned()
            .chain(sound.iter().map(|seen| Seen { is_copy: true, ..seen.clone() }))
            .collect();
        assert_eq!(fit(&few, &few, &BTreeMap::new()).expect_err("150 are no copies"), Undefined::TooFew);
    }

    #[test]
    fn networks_are_not_compared_with_each_other() {
        // The second network's features lie elsewhere, and each is near its own.
        let second = |seen: Seen| Seen { network: 1, file: format!("second/{}", seen.file), ..seen };
        let held_out: Vec<Seen> =
            pictures(500, 0, 1.0).into_iter().chain(pictures(500, 70_000, 9.0).into_iter().map(second)).collect();
        let sound = pictures(500, 0, 1.0);
        let found = fit(&sound, &held_out, &BTreeMap::new()).expect("there are enough");
        // Four even features: no distance is over √3, and 95 % are under some 1.4.
        assert!((1.2..1.5).contains(&found.soft) && found.hard < 1.8, "{} {}", found.soft, found.hard);
    }

    #[test]
    fn few_pictures_are_refused_and_no_features_leave_the_energy() {
        let few = pictures(199, 0, 1.0);
        assert_eq!(fit(&few, &few, &BTreeMap::new()).expect_err("too few"), Undefined::TooFew);
        let bare: Vec<Seen> =
            pictures(300, 0, 1.0).into_iter().map(|seen| Seen { features: Vec::new(), ..seen }).collect();
        assert_eq!(fit(&bare, &bare, &BTreeMap::new()).expect("there are enough").method, Method::Energy);
    }
}
