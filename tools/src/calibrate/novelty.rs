//! Fitting the tables of novelty: how far a picture's features are from those of the pictures that a model was made for.
//!
//! A feature is the mean over space of a channel of an inner tensor. [`fit`] makes the mean, the scale and the axes of
//! rows of features; [`Fitted::point`] takes a picture to the reduced space; [`first_by_hash`] draws the sample of the
//! nearest neighbours; [`levels`] gives the two levels. The crate `bedside` rounds the tables and applies them.

use sha2::{Digest, Sha256};

use super::eigen::eigen;
use crate::statistics::Undefined;
use crate::statistics::bootstrap::quantile;

/// A feature's scale is its standard deviation and this share of the mean deviation of all, so that a feature that hardly
/// varies does not outweigh the others.
const SCALE_FLOOR: f64 = 0.05;
/// Directions whose variance is at most this share of the largest are left out: they are noise of rounding.
const MIN_VARIANCE: f64 = 1e-6;

/// Where the features of the pictures that a model was made for lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Whether each feature is first replaced by its signed square root.
    pub root: bool,
    /// The mean of each of `n` features.
    pub mean: Vec<f64>,
    /// What the difference of each feature from its mean is divided by, above 0.
    pub scale: Vec<f64>,
    /// The axes, `n` rows of `dimensions` values: along each the rows that were fitted have variance 1. The axis of the
    /// largest variance comes first, and the first of the largest magnitudes of each is positive.
    pub axes: Vec<f64>,
    /// The number of dimensions, at least 1.
    pub dimensions: usize,
}

/// Fits mean, scale and axes of at most `dimensions` dimensions to rows of features, a picture each. With `root` each
/// feature is first replaced by its signed square root.
///
/// With the deviations σ (divisor: the number of rows) the scales are σ and a twentieth of the mean of σ. The axes are the
/// eigenvectors of the scaled features' second moments, each over the root of its eigenvalue. Directions of at most a
/// millionth of the largest eigenvalue are left out.
///
/// # Errors
/// [`Undefined::Empty`] without rows or features; [`Undefined::Lengths`] where rows differ in length;
/// [`Undefined::OutOfRange`] where `dimensions` is 0 or a feature is not finite; [`Undefined::NoVariation`] where all rows
/// are equal; [`Undefined::NotConverged`] where the eigenvalues are not found.
///
/// ```
/// use bedside_tools::calibrate::novelty::fit;
///
/// // Both features have deviation 1, and scale 1.05. They do not go together, so that both axes have length 1.05.
/// let fitted = fit(&[[1.0, 1.0], [1.0, 3.0], [3.0, 1.0], [3.0, 3.0]], false, 2)?;
/// assert_eq!((fitted.mean.as_slice(), fitted.dimensions), (&[2.0, 2.0][..], 2));
/// let point = fitted.point(&[3.0, 3.0]);
/// assert!((point[0].hypot(point[1]) - 2_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn fit(rows: &[impl AsRef<[f64]>], root: bool, dimensions: usize) -> Result<Fitted, Undefined> {
    let features = rows.first().map_or(0, |row| row.as_ref().len());
    if features == 0 {
        return Err(Undefined::Empty);
    }
    if dimensions == 0 {
        return Err(Undefined::OutOfRange("dimensions"));
    }
    if rows.iter().any(|row| row.as_ref().len() != features) {
        return Err(Undefined::Lengths);
    }
    if rows.iter().flat_map(AsRef::as_ref).any(|value| !value.is_finite()) {
        return Err(Undefined::OutOfRange("feature"));
    }
    let count = rows.len() as f64;
    let values = |row: &[f64]| row.iter().map(|&x| prepared(x, root)).collect::<Vec<f64>>();
    let mut mean = vec![0.0; features];
    for row in rows {
        mean.iter_mut().zip(values(row.as_ref())).for_each(|(sum, x)| *sum += x / count);
    }
    let mut variance = vec![0.0; features];
    for row in rows {
        let differences = values(row.as_ref()).into_iter().zip(&mean).map(|(x, mean)| x - mean);
        variance.iter_mut().zip(differences).for_each(|(sum, difference)| *sum += difference * difference / count);
    }
    let deviations: Vec<f64> = variance.into_iter().map(libm::sqrt).collect();
    let floor = SCALE_FLOOR * deviations.iter().sum::<f64>() / features as f64;
    if floor <= 0.0 {
        return Err(Undefined::NoVariation);
    }
    let scale: Vec<f64> = deviations.iter().map(|deviation| deviation + floor).collect();

    let mut moments = vec![vec![0.0; features]; features];
    for row in rows {
        let standards = mean.iter().zip(&scale);
        let z: Vec<f64> =
            values(row.as_ref()).iter().zip(standards).map(|(x, (mean, scale))| (x - mean) / scale).collect();
        for (line, a) in moments.iter_mut().zip(&z) {
            line.iter_mut().zip(&z).for_each(|(sum, b)| *sum += a * b / count);
        }
    }
    let (axes, dimensions) = axes(moments, dimensions)?;
    Ok(Fitted { root, mean, scale, axes, dimensions })
}

/// The axes of second moments, at most `dimensions`, and their number.
fn axes(moments: Vec<Vec<f64>>, dimensions: usize) -> Result<(Vec<f64>, usize), Undefined> {
    let features = moments.len();
    let mut found = eigen(moments, dimensions)?;
    let largest = found[0].value;
    found.retain(|eigen| eigen.value > MIN_VARIANCE * largest);
    if found.is_empty() {
        // Features so large that their squares are no numbers.
        return Err(Undefined::NotConverged);
    }
    let mut axes = vec![0.0; features * found.len()];
    for (axis, eigen) in found.iter().enumerate() {
        let longest =
            eigen.vector.iter().copied().fold(0.0, |longest: f64, v| if v.abs() > longest.abs() { v } else { longest });
        let unit = libm::copysign(libm::sqrt(eigen.value), longest);
        for (feature, value) in eigen.vector.iter().enumerate() {
            axes[feature * found.len() + axis] = value / unit;
        }
    }
    Ok((axes, found.len()))
}

/// A feature, or its signed square root.
fn prepared(x: f64, root: bool) -> f64 {
    if root { libm::copysign(libm::sqrt(x.abs()), x) } else { x }
}

impl Fitted {
    /// The same with its first dimensions only, where it has more.
    #[must_use]
    pub fn truncated(&self, dimensions: usize) -> Fitted {
        let kept = dimensions.min(self.dimensions);
        let axes = self.axes.chunks_exact(self.dimensions).flat_map(|axes| &axes[..kept]).copied().collect();
        Fitted { axes, dimensions: kept, ..self.clone() }
    }

    /// The point of a picture with these features in the reduced space. Its length over the root of the dimensions is the
    /// Mahalanobis distance.
    ///
    /// # Panics
    /// Where the number of features is not that of the rows that were fitted.
    #[must_use]
    pub fn point(&self, features: &[f64]) -> Vec<f64> {
        assert_eq!(features.len(), self.mean.len(), "other features than those that were fitted");
        let mut point = vec![0.0; self.dimensions];
        let standards = self.mean.iter().zip(&self.scale);
        for ((&x, (mean, scale)), axes) in features.iter().zip(standards).zip(self.axes.chunks_exact(self.dimensions)) {
            let z = (prepared(x, self.root) - mean) / scale;
            point.iter_mut().zip(axes).for_each(|(sum, axis)| *sum += z * axis);
        }
        point
    }

    /// The Mahalanobis distance of a picture with these features.
    ///
    /// # Panics
    /// As [`point`](Fitted::point).
    #[must_use]
    pub fn distance(&self, features: &[f64]) -> f64 {
        let square: f64 = self.point(features).iter().map(|p| p * p).sum();
        libm::sqrt(square / self.dimensions as f64)
    }
}

/// The indices of the `count` names whose SHA-256 comes first, in that order; of all, where there are fewer. A draw
/// without a regard to labels, which anybody can repeat. Equal names keep their order.
///
/// ```
/// use bedside_tools::calibrate::novelty::first_by_hash;
///
/// // By `sha256sum`: of "a" ca978112…, of "b" 3e23e816…, of "c" 2e7d2c03….
/// assert_eq!(first_by_hash(&["a", "b", "c"], 2), [2, 1]);
/// ```
#[must_use]
pub fn first_by_hash(names: &[impl AsRef<str>], count: usize) -> Vec<usize> {
    let hashes: Vec<_> = names.iter().map(|name| Sha256::digest(name.as_ref())).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|&a, &b| hashes[a].cmp(&hashes[b]));
    order.truncate(count);
    order
}

/// The two levels: the quantiles `soft` and `hard` (by default 0.95 and 0.99) of the novelty of sound pictures that neither
/// the statistics nor the network have seen, interpolated as numpy does.
///
/// # Errors
/// [`Undefined::Empty`]; [`Undefined::OutOfRange`] where a value is NaN, a quantile is not 0…1, or `soft` is above `hard`.
pub fn levels(values: &[f64], soft: f64, hard: f64) -> Result<[f64; 2], Undefined> {
    if soft > hard {
        return Err(Undefined::OutOfRange("soft"));
    }
    Ok([quantile(values, soft)?, quantile(values, hard)?])
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// `tests/golden/novelty/make.py` wrote it with numpy.
    fn golden() -> Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/novelty/cases.json");
        serde_json::from_slice(&std::fs::read(path).expect("committed")).expect("JSON")
    }

    fn numbers(value: &Value) -> Vec<f64> {
        value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
    }

    fn table(value: &Value) -> Vec<Vec<f64>> {
        value.as_array().expect("rows").iter().map(numbers).collect()
    }

    /// Within 1e-9 of the largest magnitude.
    fn assert_close(found: &[f64], wanted: &[f64], what: &str) {
        assert_eq!(found.len(), wanted.len(), "{what}");
        let largest = wanted.iter().fold(0.0_f64, |largest, v| largest.max(v.abs()));
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() <= 1e-9 * largest, "{what}: {found} instead of {wanted}");
        }
    }

    #[test]
    fn fit_equals_numpy() {
        let golden = golden();
        let cases = golden["fit"].as_array().expect("cases");
        assert_eq!(cases.len(), 3);
        for case in cases {
            let (rows, root) = (table(&case["rows"]), case["root"].as_bool().expect("a flag"));
            let fitted = fit(&rows, root, case["dimensions"].as_u64().expect("a number") as usize).expect("varies");
            assert_close(&fitted.mean, &numbers(&case["mean"]), "mean");
            assert_close(&fitted.scale, &numbers(&case["scale"]), "scale");
            assert_close(&fitted.axes, &table(&case["axes"]).concat(), "axes");
            let points: Vec<f64> = rows.iter().flat_map(|row| fitted.point(row)).collect();
            assert_close(&points, &table(&case["points"]).concat(), "points");
            let distances: Vec<f64> = rows.iter().map(|row| fitted.distance(row)).collect();
            assert_close(&distances, &numbers(&case["values"]), "distances");
            assert_close(&levels(&distances, 0.95, 0.99).expect("sound"), &numbers(&case["levels"]), "levels");
        }
        let rows = table(&cases[0]["rows"]);
        let [whole, two] = [9, 2].map(|dimensions| fit(&rows, false, dimensions).expect("varies"));
        assert!(whole.dimensions > 2 && whole.truncated(2) == two && whole.truncated(9) == whole);
        // One feature of the last is constant.
        assert_eq!(cases[2]["rows"][0].as_array().map(Vec::len), Some(5));
        assert_eq!(fit(&table(&cases[2]["rows"]), false, 5).expect("varies").dimensions, 4);
    }

    #[test]
    fn first_by_hash_equals_hashlib() {
        let golden = golden();
        let names: Vec<&str> =
            golden["order"]["names"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
        let wanted: Vec<usize> = numbers(&golden["order"]["first"]).into_iter().map(|index| index as usize).collect();
        assert_eq!(first_by_hash(&names, 5), wanted);
        assert_eq!(first_by_hash(&names, 100).len(), names.len());
    }

    #[test]
    fn fit_refuses_rows_without_a_distance() {
        let of = |rows: &[Vec<f64>], dimensions| fit(rows, false, dimensions);
        assert_eq!(of(&[], 1), Err(Undefined::Empty));
        assert_eq!(of(&[vec![]], 1), Err(Undefined::Empty));
        assert_eq!(of(&[vec![1.0], vec![1.0, 2.0]], 1), Err(Undefined::Lengths));
        assert_eq!(of(&[vec![1.0], vec![f64::NAN]], 1), Err(Undefined::OutOfRange("feature")));
        assert_eq!(of(&[vec![1.0], vec![2.0]], 0), Err(Undefined::OutOfRange("dimensions")));
        assert_eq!(of(&[vec![1.0, 2.0], vec![1.0, 2.0]], 1), Err(Undefined::NoVariation));
        assert_eq!(of(&[vec![1e200], vec![-1e200]], 1), Err(Undefined::NotConverged));
    }

    #[test]
    fn levels_refuse_what_is_no_order() {
        assert_eq!(levels(&[1.0, 2.0], 0.99, 0.95), Err(Undefined::OutOfRange("soft")));
        assert_eq!(levels(&[], 0.95, 0.99), Err(Undefined::Empty));
    }
}
