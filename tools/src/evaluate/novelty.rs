//! How well foreign pictures are told from those of the set.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ranking::varying;
use super::{Case, Measure, Options, Ranged, Rate};
use crate::statistics::Undefined;
use crate::statistics::auc::{ClassScores, logit_interval};
use crate::statistics::bootstrap::{Groups, percentile_interval, quantile};

/// The share of the set's pictures that the compared threshold accepts.
const ACCEPTED: f64 = 0.95;
/// The bins of the histograms.
const BINS: usize = 40;

/// Novelty of the set and of each foreign source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Novelty {
    /// The pictures of the set that have a novelty.
    pub pictures: u64,
    /// The novelty that at least 95 % of the set's pictures are at or under, an order statistic.
    pub threshold: Measure<f64>,
    /// The ends of the histograms. What is beyond is in the first or last bin.
    pub range: Option<(f64, f64)>,
    /// The set's pictures in each bin, from the lowest novelty on.
    pub counts: Vec<u64>,
    /// Each foreign source, by its name.
    pub sources: Vec<Source>,
}

/// The novelty of a foreign source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// The share of pairs in which the foreign picture has the higher novelty.
    pub auroc: Measure<Ranged>,
    /// The share of its pictures that are accepted where 95 % of the set's are: at or under the threshold ("FPR at 95 %
    /// TPR", not interpolated).
    pub accepted: Rate,
    /// Its pictures in each bin.
    pub counts: Vec<u64>,
}

/// The cases of one source that have a novelty.
#[derive(Default)]
struct Values<'a> {
    novelty: Vec<f64>,
    patients: Vec<&'a str>,
}

pub(super) fn measure(cases: &[Case], options: &Options) -> Novelty {
    let mut sources: BTreeMap<Option<&str>, Values<'_>> = BTreeMap::new();
    for case in cases {
        if let Some(novelty) = case.novelty() {
            let values = sources.entry(case.foreign.as_deref()).or_default();
            values.novelty.push(novelty);
            values.patients.push(case.patient());
        }
    }
    let own = sources.remove(&None).unwrap_or_default();
    let range = range(&own, sources.values());
    let threshold = threshold(&own.novelty);
    let source = |(name, values): (Option<&str>, &Values<'_>)| Source {
        name: name.unwrap_or_default().to_owned(),
        auroc: area(&own, values, options).into(),
        accepted: accepted(values, threshold, options),
        counts: histogram(&values.novelty, range),
    };
    Novelty {
        pictures: own.novelty.len() as u64,
        threshold: threshold.into(),
        range,
        counts: histogram(&own.novelty, range),
        sources: sources.iter().map(|(name, values)| source((*name, values))).collect(),
    }
}

/// The smallest novelty of the set that at least 95 % of the set are at or under.
fn threshold(own: &[f64]) -> Result<f64, Undefined> {
    if own.is_empty() {
        return Err(Undefined::Empty);
    }
    let mut ascending = own.to_vec();
    ascending.sort_by(f64::total_cmp);
    let count = own.len();
    // Quotients are compared: products are not exact.
    let index = (1..count).position(|k| k as f64 / count as f64 >= ACCEPTED).unwrap_or(count - 1);
    Ok(ascending[index])
}

fn accepted(values: &Values<'_>, threshold: Result<f64, Undefined>, options: &Options) -> Rate {
    let at = threshold.unwrap_or(f64::NEG_INFINITY);
    let mut rate = Rate::of(
        values.patients.iter().zip(&values.novelty).map(|(patient, novelty)| (*patient, *novelty <= at)),
        options.confidence,
    );
    if let Err(why) = threshold {
        rate.share = Measure::Undefined(why);
    }
    rate
}

fn area(own: &Values<'_>, foreign: &Values<'_>, options: &Options) -> Result<Ranged, Undefined> {
    let novelty = [&own.novelty[..], &foreign.novelty].concat();
    let is_foreign: Vec<bool> = (0..novelty.len()).map(|index| index >= own.novelty.len()).collect();
    let scores = ClassScores::new(&novelty, &is_foreign)?;
    let value = scores.auc();
    // A name may stand in both, for two people.
    let patients: Vec<(bool, &str)> =
        is_foreign.iter().copied().zip(own.patients.iter().chain(&foreign.patients).copied()).collect();
    let groups = Groups::new(&patients)?;
    let interval = if groups.count() == groups.cases() {
        scores.delong().and_then(|estimate| logit_interval(estimate, options.confidence))
    } else {
        let of_drawn = |drawn: &[usize]| {
            let novelty: Vec<f64> = drawn.iter().map(|&i| novelty[i]).collect();
            let is_foreign: Vec<bool> = drawn.iter().map(|&i| is_foreign[i]).collect();
            Ok(ClassScores::new(&novelty, &is_foreign)?.auc())
        };
        percentile_interval(&groups, options.bootstrap(), of_drawn).and_then(|found| varying(found.interval))
    };
    Ok(Ranged { value, interval: interval.into() })
}

/// The middle 99 % of all values, so that a few do not press the others together.
fn range<'a>(own: &Values<'_>, foreign: impl Iterator<Item = &'a Values<'a>>) -> Option<(f64, f64)> {
    let foreign = foreign.flat_map(|values| &values.novelty);
    let all: Vec<f64> = own.novelty.iter().chain(foreign).copied().filter(|v| v.is_finite()).collect();
    Some((quantile(&all, 0.005).ok()?, quantile(&all, 0.995).ok()?)).filter(|(min, max)| min < max)
}

fn histogram(values: &[f64], range: Option<(f64, f64)>) -> Vec<u64> {
    let Some((min, max)) = range else { return Vec::new() };
    let mut counts = vec![0; BINS];
    for value in values {
        let bin = ((value - min) / (max - min) * BINS as f64).clamp(0.0, (BINS - 1) as f64);
        counts[bin as usize] += 1;
    }
    counts
}
