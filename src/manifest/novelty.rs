//! Novelty: how far a picture is from those that a model was made for, as the manifest has it
//! (`calibration.novelty`). The tables are checked and decoded here; `verdict/novelty.rs` applies them, and tools fit them.

mod half;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::check::ensure;
use super::draft::{Activation, Output};
use crate::Result;
use half::{f16_to_f64, f64_to_f16};

/// The maximum length of [`NoveltyModel::statistics`], in bytes of base64: 200 kB.
pub const MAX_STATISTICS_BYTES: usize = 200_000;

/// The maximum number of tensors in [`NoveltyModel::features`], half of the inner tensors that one run can return.
const MAX_FEATURES: usize = 8;

/// The formula that tells pictures unlike those that the model was made for, and its two levels.
///
/// All formulas are computed in float64 from the picture's *features* `x` (the mean over height and width of each channel
/// of the tensors [`features`](NoveltyModel::features), joined in that order) and from the graph's logits `v`:
///
/// - first, where [`root`](NoveltyModel::root) is set, each `x` becomes `sign(x) · √|x|`;
/// - `p = ((x − mean) / scale) · axes`, of [`dimensions`](NoveltyModel::dimensions) `d`;
/// - the Mahalanobis distance is `√(Σ p² / d)`;
/// - the distance to the nearest neighbours is `√(Σ (p − q)² / d)` of the `neighbors`-th nearest `q` of the sample;
/// - the energy is `−ln Σ exp(v)` (Liu et al. 2020, with temperature 1).
///
/// A picture whose novelty is over `soft` gets at least the triage `refer`. One whose novelty is over `hard` is rejected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NoveltyModel {
    /// The formula.
    pub method: NoveltyMethod,
    /// The names of the tensors in the graph whose channels' means are the features: one to eight, in the order of the
    /// statistics. Empty with [`NoveltyMethod::Energy`], which has no features.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Whether each feature is first replaced by its signed square root; `false` by default.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub root: bool,
    /// The tables, in base64 with padding, at most [`MAX_STATISTICS_BYTES`] long. For `n` features and `d` dimensions,
    /// all little-endian: the mean as `float32[n]`, the scale as `float32[n]` (above 0), the axes as `float16[n][d]`, and where
    /// there is a sample of `m` pictures, its scales as `float32[d]` (not below 0) and its points as `int8[m][d]`. `n` follows
    /// from the length. Empty with [`NoveltyMethod::Energy`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub statistics: String,
    /// The number of dimensions `d`, from 1 to the number of features. 0 with [`NoveltyMethod::Energy`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dimensions: u32,
    /// Which of the nearest pictures of the sample counts, from 1 to `sample`. Given where `sample` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbors: Option<u32>,
    /// The number of pictures in the sample. Given with [`NoveltyMethod::NearestNeighbors`], and with
    /// [`NoveltyMethod::Combined`] where its distance is that to the nearest neighbours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<u32>,
    /// With [`NoveltyMethod::Combined`] only: what the energy is multiplied by, above 0. An energy that was standardized
    /// before it was weighed needs no more than this: the weight is divided by its deviation, and its mean goes into the
    /// levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f32>,
    /// The novelty above which a picture gets at least the triage `refer`; at most `hard`.
    pub soft: f32,
    /// The novelty above which a picture is rejected.
    pub hard: f32,
}

/// The formula of novelty. [`NoveltyModel`] has its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoveltyMethod {
    /// The energy of the logits. It takes no features, and the graph's output must be logits.
    Energy,
    /// The Mahalanobis distance.
    Mahalanobis,
    /// The distance to the nearest neighbours in a sample.
    NearestNeighbors,
    /// A distance (to the nearest neighbours where there is a sample, else Mahalanobis), and `weight` times the energy.
    Combined,
}

impl NoveltyMethod {
    /// The name that the manifest uses.
    ///
    /// ```
    /// assert_eq!(bedside::manifest::NoveltyMethod::NearestNeighbors.as_str(), "nearest_neighbors");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            NoveltyMethod::Energy => "energy",
            NoveltyMethod::Mahalanobis => "mahalanobis",
            NoveltyMethod::NearestNeighbors => "nearest_neighbors",
            NoveltyMethod::Combined => "combined",
        }
    }

    /// Whether the formula has the energy of the logits in it.
    #[must_use]
    pub fn has_energy(self) -> bool {
        matches!(self, NoveltyMethod::Energy | NoveltyMethod::Combined)
    }
}

/// The tables of a distance between features, in float64. [`NoveltyModel::new`] rounds them to what a manifest stores.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NoveltyTables {
    /// The mean of each of `n` features.
    pub mean: Vec<f64>,
    /// What the difference of each feature from its mean is divided by, above 0.
    pub scale: Vec<f64>,
    /// The axes, `n` rows of `d` values.
    pub axes: Vec<f64>,
    /// The sample of pictures, where the distance is to its nearest.
    pub sample: Option<NoveltySample>,
}

/// Points of pictures that a model was made for: point × scale, dimension by dimension.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NoveltySample {
    /// Which of the nearest points counts, from 1 to the number of points.
    pub neighbors: u32,
    /// The scale of each of `d` dimensions, not below 0.
    pub scales: Vec<f64>,
    /// The points, rows of `d` values.
    pub points: Vec<i8>,
}

impl NoveltyTables {
    /// Tables without a sample.
    ///
    /// ```
    /// use bedside::manifest::{NoveltyMethod, NoveltyModel, NoveltySample, NoveltyTables};
    ///
    /// // Two features, one dimension.
    /// let mut tables = NoveltyTables::new(vec![1.0, 2.0], vec![0.5, 0.5], vec![1.0, 0.25]);
    /// tables.sample = Some(NoveltySample::new(1, 1, &[0.0, 2.0, -1.0]));
    /// let method = NoveltyMethod::NearestNeighbors;
    /// let novelty = NoveltyModel::new(method, vec!["tensor".into()], &tables, [1.2, 1.4])?;
    /// assert_eq!((novelty.dimensions, novelty.neighbors, novelty.sample), (1, Some(1), Some(3)));
    /// assert_eq!(novelty.tables()?.expect("of features").axes, [1.0, 0.25]);
    /// # Ok::<(), bedside::Error>(())
    /// ```
    #[must_use]
    pub fn new(mean: Vec<f64>, scale: Vec<f64>, axes: Vec<f64>) -> NoveltyTables {
        NoveltyTables { mean, scale, axes, sample: None }
    }
}

impl NoveltySample {
    /// The points of a sample, in rows of `dimensions` values, in int8: the scale of a dimension is its largest magnitude
    /// over 127, as float32, and a value is rounded to the nearest multiple of it, ties to even.
    ///
    /// # Panics
    /// Where `dimensions` is 0.
    #[must_use]
    pub fn new(neighbors: u32, dimensions: usize, points: &[f64]) -> NoveltySample {
        let largest = |dimension: usize| {
            points.iter().skip(dimension).step_by(dimensions).fold(0.0_f64, |largest, value| largest.max(value.abs()))
        };
        let scales: Vec<f64> =
            (0..dimensions).map(|dimension| f64::from((largest(dimension) / 127.0) as f32)).collect();
        let byte =
            |value: f64, scale: f64| if scale > 0.0 { libm::rint(value / scale).clamp(-127.0, 127.0) as i8 } else { 0 };
        let bytes = points
            .chunks(dimensions)
            .flat_map(|row| row.iter().zip(&scales).map(|(&value, &scale)| byte(value, scale)));
        NoveltySample { neighbors, points: bytes.collect(), scales }
    }
}

impl NoveltyModel {
    /// The energy of the logits, with its levels `[soft, hard]`.
    ///
    /// ```
    /// let novelty = bedside::manifest::NoveltyModel::energy([-2.0, -1.0]);
    /// assert!(novelty.features.is_empty() && novelty.hard == -1.0);
    /// ```
    #[must_use]
    pub fn energy([soft, hard]: [f32; 2]) -> NoveltyModel {
        NoveltyModel {
            method: NoveltyMethod::Energy,
            features: Vec::new(),
            root: false,
            statistics: String::new(),
            dimensions: 0,
            neighbors: None,
            sample: None,
            weight: None,
            soft,
            hard,
        }
    }

    /// A distance between features, with its levels `[soft, hard]`. Mean and scale are rounded to float32, the axes to
    /// float16, all to the nearest, ties to even. `root` and, for [`NoveltyMethod::Combined`], `weight` remain to be set.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidManifest`](crate::ErrorKind::InvalidManifest) where the tables do not fit each other or are
    /// too large, or a number is none or too large for what it is rounded to. Features, levels and the weight are checked
    /// with the manifest.
    pub fn new(
        method: NoveltyMethod,
        features: Vec<String>,
        tables: &NoveltyTables,
        levels: [f32; 2],
    ) -> Result<NoveltyModel> {
        let (n, dimensions) = (tables.mean.len(), tables.axes.len() / tables.mean.len().max(1));
        ensure(
            n > 0 && dimensions > 0 && tables.scale.len() == n && tables.axes.len() == n * dimensions,
            STATISTICS,
            &format!(
                "can't be made of {n} means, {} scales and {} values of axes",
                tables.scale.len(),
                tables.axes.len()
            ),
        )?;
        let as_f32 = |values: &[f64]| values.iter().flat_map(|&value| (value as f32).to_le_bytes()).collect::<Vec<_>>();
        let mut bytes = [as_f32(&tables.mean), as_f32(&tables.scale)].concat();
        bytes.extend(tables.axes.iter().flat_map(|&value| f64_to_f16(value).to_le_bytes()));
        let mut model = NoveltyModel { method, features, ..NoveltyModel::energy(levels) };
        model.dimensions = dimensions as u32;
        if let Some(sample) = &tables.sample {
            let points = sample.points.len() / dimensions;
            ensure(
                sample.scales.len() == dimensions && sample.points.len() == points * dimensions,
                STATISTICS,
                &format!("can't be made of {} bytes of points in {dimensions} dimensions", sample.points.len()),
            )?;
            bytes.extend(as_f32(&sample.scales));
            bytes.extend(sample.points.iter().map(|&byte| byte as u8));
            (model.neighbors, model.sample) = (Some(sample.neighbors), Some(points as u32));
        }
        model.statistics = BASE64.encode(bytes);
        model.tables()?;
        Ok(model)
    }

    /// The tables; `None` with [`NoveltyMethod::Energy`], which has none.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidManifest`](crate::ErrorKind::InvalidManifest), whose text names the field, where the
    /// statistics are too long, no base64, of another length than `dimensions` and `sample` ask for, or hold a number
    /// that can't be.
    pub fn tables(&self) -> Result<Option<NoveltyTables>> {
        let is_short = self.statistics.len() <= MAX_STATISTICS_BYTES;
        ensure(
            is_short,
            STATISTICS,
            &format!("has {} bytes; at most {MAX_STATISTICS_BYTES} are taken", self.statistics.len()),
        )?;
        if self.method == NoveltyMethod::Energy {
            return Ok(None);
        }
        let bytes = match BASE64.decode(&self.statistics) {
            Ok(bytes) => bytes,
            Err(error) => return ensure(false, STATISTICS, &format!("is not base64: {error}")).map(|()| None),
        };
        ensure(self.dimensions > 0, DIMENSIONS, "is 0; give at least 1")?;
        let (dimensions, sample) = (u64::from(self.dimensions), self.sample.map(u64::from));
        // The bytes of a feature, and those of the sample.
        let (feature, sample_bytes) =
            (8 + 2 * dimensions, sample.map_or(0, |points| dimensions.saturating_mul(4 + points)));
        let features = (bytes.len() as u64)
            .checked_sub(sample_bytes)
            .filter(|left| left % feature == 0)
            .map(|left| left / feature);
        let Some(n) = features.filter(|&n| n > 0) else {
            let sample = sample.map_or(String::new(), |points| format!(", and {sample_bytes} of a sample of {points}"));
            let problem = format!(
                "has {} bytes, which is no length of tables of {dimensions} dimensions: {feature} bytes a feature{sample}",
                bytes.len()
            );
            return ensure(false, STATISTICS, &problem).map(|()| None);
        };
        ensure(dimensions <= n, DIMENSIONS, &format!("is {dimensions}, but the statistics are of {n} features"))?;
        self.decoded(&bytes, n as usize).map(Some)
    }

    /// The tables of `n` features in bytes of the right length.
    fn decoded(&self, bytes: &[u8], n: usize) -> Result<NoveltyTables> {
        let dimensions = self.dimensions as usize;
        let (mean, bytes) = bytes.split_at(4 * n);
        let (scale, bytes) = bytes.split_at(4 * n);
        let (axes, bytes) = bytes.split_at(2 * n * dimensions);
        let (mean, scale) = (floats(mean), floats(scale));
        let axes: Vec<f64> = axes.as_chunks().0.iter().map(|&half| f16_to_f64(u16::from_le_bytes(half))).collect();
        ensure(mean.iter().chain(&axes).all(|value| value.is_finite()), STATISTICS, "has a number that is not finite")?;
        ensure(
            scale.iter().all(|&s| s.is_finite() && s > 0.0),
            STATISTICS,
            "has a scale that is not a number above 0",
        )?;
        if self.sample.is_none() {
            return Ok(NoveltyTables { mean, scale, axes, sample: None });
        }
        let (scales, points) = bytes.split_at(4 * dimensions);
        let (scales, points) = (floats(scales), points.iter().map(|&byte| byte as i8).collect());
        let sound = scales.iter().all(|&s| s.is_finite() && s >= 0.0);
        ensure(sound, STATISTICS, "has a scale of the sample that is not a number from 0 on")?;
        let sample = Some(NoveltySample { neighbors: self.neighbors.unwrap_or(1), scales, points });
        Ok(NoveltyTables { mean, scale, axes, sample })
    }

    /// Checks all values, for a graph with this output.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidManifest`](crate::ErrorKind::InvalidManifest), whose text names the field.
    pub(super) fn check(&self, output: &Output) -> Result<()> {
        let (method, name) = (self.method, self.method.as_str());
        for (field, level) in [("calibration.novelty.soft", self.soft), ("calibration.novelty.hard", self.hard)] {
            ensure(level.is_finite(), field, "is not a finite number")?;
        }
        let (soft, hard) = (self.soft, self.hard);
        ensure(soft <= hard, "calibration.novelty.soft", &format!("is {soft}, above `hard`, which is {hard}"))?;
        ensure(
            !method.has_energy() || output.activation != Activation::None,
            "calibration.novelty.method",
            &format!(
                "is `{name}`, which needs logits, but the graph gives probabilities (`output.activation` is `none`)"
            ),
        )?;
        let is_weighed = method == NoveltyMethod::Combined;
        let (weight, field) = (self.weight, "calibration.novelty.weight");
        ensure(weight.is_some() == is_weighed, field, "goes with the method `combined`, and with no other")?;
        ensure(weight.is_none_or(|w| w.is_finite() && w > 0.0), field, "is not a number above 0")?;
        if method == NoveltyMethod::Energy {
            let is_plain = self.features.is_empty() && self.statistics.is_empty() && self.dimensions == 0;
            let is_plain = is_plain && !self.root && self.neighbors.is_none() && self.sample.is_none();
            return ensure(is_plain, "calibration.novelty", "has fields that the method `energy` does not take");
        }
        self.check_features()?;
        self.check_sample()?;
        self.tables().map(drop)
    }

    fn check_features(&self) -> Result<()> {
        let (features, field) = (&self.features, "calibration.novelty.features");
        ensure(!features.is_empty(), field, "is empty; name the tensors that the statistics are of")?;
        let count = features.len();
        ensure(count <= MAX_FEATURES, field, &format!("names {count} tensors; at most {MAX_FEATURES} are taken"))?;
        for (i, name) in features.iter().enumerate() {
            ensure(!name.is_empty(), field, "has an empty name")?;
            ensure(!features[..i].contains(name), field, &format!("names \"{name}\" twice"))?;
        }
        Ok(())
    }

    fn check_sample(&self) -> Result<()> {
        let (field, name) = ("calibration.novelty.sample", self.method.as_str());
        let (must, may) = (self.method == NoveltyMethod::NearestNeighbors, self.method == NoveltyMethod::Combined);
        ensure(!must || self.sample.is_some(), field, "is missing; the method `nearest_neighbors` needs it")?;
        ensure(must || may || self.sample.is_none(), field, &format!("does not go with the method `{name}`"))?;
        ensure(self.sample != Some(0), field, "is 0; give at least 1")?;
        let (sample, neighbors) = (self.sample.unwrap_or(0), self.neighbors);
        ensure(
            neighbors.is_some() == self.sample.is_some() && neighbors.is_none_or(|k| (1..=sample).contains(&k)),
            "calibration.novelty.neighbors",
            &format!("must be 1 to `sample` ({sample}), and goes with it only"),
        )
    }
}

const STATISTICS: &str = "calibration.novelty.statistics";
const DIMENSIONS: &str = "calibration.novelty.dimensions";

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Numbers of float32 in little-endian order.
fn floats(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks().0.iter().map(|&float| f64::from(f32::from_le_bytes(float))).collect()
}

#[cfg(test)]
mod tests;
