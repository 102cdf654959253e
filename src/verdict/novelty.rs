//! Novelty: how unlike the pictures that a model was made for a picture is, and what follows for the verdict.
//!
//! The arithmetic is in f64 with the functions of `libm`, each sum in one order, so that the same features give the same
//! novelty on all platforms.

use serde::{Deserialize, Serialize};

use super::{Reason, ReasonKind};
use crate::manifest::{NoveltyMethod, NoveltyModel, NoveltyTables};
use crate::words::words;
use crate::{Error, ErrorKind, Result};

/// How unlike the pictures that the model was made for a picture is, and the two levels that it is compared with. The
/// manifest says by which formula: [`NoveltyModel`](crate::manifest::NoveltyModel) has them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Novelty {
    /// The novelty, without a unit: the larger, the more unlike. A distance is near 1 for pictures like those that the
    /// model was made for. One with an energy in it may be below 0.
    pub value: f32,
    /// The novelty above which the triage is at least [`Triage::Refer`](crate::Triage::Refer).
    pub soft: f32,
    /// The novelty above which the picture is rejected.
    pub hard: f32,
}

/// What computes novelty from features and logits: the manifest's formula, with its tables laid out for that.
#[derive(Debug)]
pub(crate) struct NoveltyMeter {
    method: NoveltyMethod,
    root: bool,
    weight: f64,
    levels: [f32; 2],
    tables: Option<Distance>,
}

/// The tables of a distance.
#[derive(Debug)]
struct Distance {
    mean: Vec<f64>,
    scale: Vec<f64>,
    /// For each feature, its part of each dimension.
    axes: Vec<f64>,
    /// The number of dimensions, at least 1.
    dimensions: usize,
    sample: Option<Sample>,
}

/// A sample of pictures, dimension after dimension: all points of the first, then all of the second.
#[derive(Debug)]
struct Sample {
    scales: Vec<f64>,
    points: Vec<i8>,
    /// The number of points.
    count: usize,
    /// The index of the point that counts, from the nearest on; less than `count`.
    neighbor: usize,
}

impl Novelty {
    /// Whether the picture is unlike those that the model was made for.
    pub(crate) fn is_over_hard(&self) -> bool {
        self.value > self.hard
    }

    /// Whether the picture differs from most of those that the model was made for.
    pub(crate) fn is_over_soft(&self) -> bool {
        self.value > self.soft
    }

    /// The reason to reject a picture over the hard level.
    pub(crate) fn reason(language: &str) -> Reason {
        let message = words(language).reason_novel.to_owned();
        Reason { kind: ReasonKind::Novel, id: None, question: None, message }
    }
}

impl NoveltyMeter {
    /// The formula of a manifest's novelty.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidManifest`], as [`NoveltyModel::tables`].
    pub(crate) fn new(model: &NoveltyModel) -> Result<NoveltyMeter> {
        Ok(NoveltyMeter {
            method: model.method,
            root: model.root,
            weight: f64::from(model.weight.unwrap_or(0.0)),
            levels: [model.soft, model.hard],
            tables: model.tables()?.map(Distance::new),
        })
    }

    /// The novelty of a picture with these features, as many as the tables have means, and these logits. `numbers` is
    /// memory.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedModel`] where a feature or a logit is not finite, or the novelty has no float32.
    pub(crate) fn measure(&self, features: &[f32], logits: &[f32], numbers: &mut Vec<f64>) -> Result<Novelty> {
        let value = self.value(features, logits, numbers)?;
        let [soft, hard] = self.levels;
        let novelty = Novelty { value: value as f32, soft, hard };
        if novelty.value.is_finite() {
            return Ok(novelty);
        }
        Err(Error::new(
            ErrorKind::UnsupportedModel,
            format!("the graph's features give a novelty of {value:e}, which no picture has; the model is unsound"),
        ))
    }

    /// As [`measure`](NoveltyMeter::measure), the novelty in float64.
    fn value(&self, features: &[f32], logits: &[f32], numbers: &mut Vec<f64>) -> Result<f64> {
        let energy = || finite("score", logits).map(energy);
        let mut distance = || {
            let distance = self.tables.as_ref().filter(|tables| tables.mean.len() == features.len());
            let distance = distance.ok_or_else(|| {
                Error::new(ErrorKind::Internal, format!("{} features for novelty's statistics", features.len()))
            })?;
            finite("feature", features).map(|features| distance.of(features, self.root, numbers))
        };
        Ok(match self.method {
            NoveltyMethod::Energy => energy()?,
            NoveltyMethod::Mahalanobis | NoveltyMethod::NearestNeighbors => distance()?,
            NoveltyMethod::Combined => distance()? + self.weight * energy()?,
        })
    }
}

/// The values, where all are finite.
fn finite<'a>(what: &str, values: &'a [f32]) -> Result<&'a [f32]> {
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(values),
        Some(value) => Err(Error::new(
            ErrorKind::UnsupportedModel,
            format!("the graph gave {value} as a {what}, so that there is no novelty; the model is unsound"),
        )),
    }
}

/// Minus the logarithm of the sum of the exponentials of the logits: Liu, Wang, Owens, Li 2020, equation 4, with
/// temperature 1.
fn energy(logits: &[f32]) -> f64 {
    // Without the maximum, the exponentials of large logits would overflow.
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum = logits.iter().fold(0.0, |sum, &logit| sum + libm::exp(f64::from(logit) - f64::from(max)));
    -(f64::from(max) + libm::log(sum))
}

impl Distance {
    fn new(tables: NoveltyTables) -> Distance {
        let NoveltyTables { mean, scale, axes, sample } = tables;
        let dimensions = axes.len() / mean.len();
        let sample = sample.map(|sample| {
            let count = sample.points.len() / dimensions;
            let by_dimension = (0..dimensions).flat_map(|at| sample.points.iter().skip(at).step_by(dimensions));
            let points = by_dimension.copied().collect();
            Sample { scales: sample.scales, points, count, neighbor: sample.neighbors as usize - 1 }
        });
        Distance { mean, scale, axes, dimensions, sample }
    }

    /// The distance of finite features, as many as means. It is finite: no float32 less another, divided by a third and
    /// multiplied by a float16, is beyond 10^89, and squares of sums of these are far below the largest float64.
    ///
    /// `point` is memory for the features' projections.
    fn of(&self, features: &[f32], root: bool, point: &mut Vec<f64>) -> f64 {
        point.clear();
        point.resize(self.dimensions, 0.0);
        let standards = self.mean.iter().zip(&self.scale);
        for ((&x, (&mean, &scale)), axes) in features.iter().zip(standards).zip(self.axes.chunks_exact(self.dimensions))
        {
            let x = f64::from(x);
            let x = if root { libm::copysign(libm::sqrt(x.abs()), x) } else { x };
            let z = (x - mean) / scale;
            for (sum, &axis) in point.iter_mut().zip(axes) {
                *sum += z * axis;
            }
        }
        let square = match &self.sample {
            None => point.iter().fold(0.0, |sum, p| sum + p * p),
            Some(sample) => sample.nearest(point),
        };
        libm::sqrt(square / self.dimensions as f64)
    }
}

impl Sample {
    /// The square of the distance between a point and the sample's neighbour that counts.
    fn nearest(&self, point: &[f64]) -> f64 {
        let mut squares = vec![0.0; self.count];
        for ((&p, &scale), points) in point.iter().zip(&self.scales).zip(self.points.chunks_exact(self.count)) {
            for (square, &q) in squares.iter_mut().zip(points) {
                let difference = p - f64::from(q) * scale;
                *square += difference * difference;
            }
        }
        *squares.select_nth_unstable_by(self.neighbor, f64::total_cmp).1
    }
}

#[cfg(test)]
mod tests;
