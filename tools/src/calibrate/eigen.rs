//! Eigenvalues and eigenvectors of symmetric matrices: Householder's reduction to a tridiagonal matrix, and the implicit QL
//! algorithm (Golub and Van Loan, Matrix Computations, 4th edition, section 8.3). Each eigenvalue is accurate to rounding
//! of the largest. All is added in one order, so that the result is the same on every platform.

use crate::statistics::Undefined;

/// An element beside the diagonal counts as 0 up to this share of the largest element.
const NEGLIGIBLE: f64 = f64::EPSILON;
/// Convergence is cubic, and takes two or three turns an eigenvalue.
const MAX_TURNS: usize = 60;

/// An eigenvalue and its eigenvector of length 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Eigen {
    pub(super) value: f64,
    pub(super) vector: Vec<f64>,
}

/// The largest eigenvalues of a symmetric matrix of finite numbers, given by its rows: at most `count`, the largest first.
///
/// # Errors
/// [`Undefined::NotConverged`].
pub(super) fn eigen(mut matrix: Vec<Vec<f64>>, count: usize) -> Result<Vec<Eigen>, Undefined> {
    let reflections = tridiagonalize(&mut matrix);
    let size = matrix.len();
    let mut diagonal: Vec<f64> = (0..size).map(|at| matrix[at][at]).collect();
    let mut beside: Vec<f64> = (1..size).map(|at| matrix[at][at - 1]).collect();
    let mut vectors: Vec<Vec<f64>> =
        (0..size).map(|at| (0..size).map(|k| f64::from(u8::from(k == at))).collect()).collect();
    diagonalize(&mut diagonal, &mut beside, &mut vectors)?;
    let mut found: Vec<Eigen> =
        diagonal.into_iter().zip(vectors).map(|(value, vector)| Eigen { value, vector }).collect();
    found.sort_by(|a, b| b.value.total_cmp(&a.value));
    found.truncate(count);
    for eigen in &mut found {
        reflections.iter().rev().for_each(|reflection| reflection.apply(&mut eigen.vector));
    }
    Ok(found)
}

/// The reflection I − β v vᵀ of the last elements of a vector, as many as v has.
struct Reflection {
    v: Vec<f64>,
    beta: f64,
}

impl Reflection {
    /// The one that takes x to a multiple of the first axis, and the element that is left there; none where x is one.
    fn of(x: &[f64]) -> Option<(Reflection, f64)> {
        let rest: f64 = x[1..].iter().map(|x| x * x).sum();
        if rest == 0.0 {
            return None;
        }
        let left = -libm::copysign(libm::sqrt(x[0] * x[0] + rest), x[0]);
        let mut v = x.to_vec();
        v[0] -= left;
        let beta = 2.0 / (v[0] * v[0] + rest);
        Some((Reflection { v, beta }, left))
    }

    fn apply(&self, vector: &mut [f64]) {
        let start = vector.len() - self.v.len();
        let last = &mut vector[start..];
        let product = self.beta * self.v.iter().zip(&*last).map(|(v, x)| v * x).sum::<f64>();
        add(last, -product, &self.v);
    }
}

/// Adds a multiple of a row to another.
fn add(to: &mut [f64], factor: f64, row: &[f64]) {
    to.iter_mut().zip(row).for_each(|(to, x)| *to += factor * x);
}

/// Makes all elements 0 but those of the diagonal and beside it, by reflections that are applied on both sides, and returns
/// those in their order. Above the diagonal what a reflection has made 0 is not written.
fn tridiagonalize(matrix: &mut [Vec<f64>]) -> Vec<Reflection> {
    let mut reflections = Vec::new();
    for at in 1..matrix.len().saturating_sub(1) {
        let column: Vec<f64> = matrix[at..].iter().map(|row| row[at - 1]).collect();
        let Some((reflection, left)) = Reflection::of(&column) else { continue };
        let Reflection { v, beta } = &reflection;
        matrix[at][at - 1] = left;
        // B − v wᵀ − w vᵀ with w = β B v − (β² vᵀB v / 2) v, for the part B that is left.
        let mut w = vec![0.0; v.len()];
        for (row, &v) in matrix[at..].iter().zip(v) {
            add(&mut w, beta * v, &row[at..]);
        }
        let half = beta / 2.0 * v.iter().zip(&w).map(|(v, w)| v * w).sum::<f64>();
        add(&mut w, -half, v);
        for (row, (v_row, w_row)) in matrix[at..].iter_mut().zip(v.iter().zip(&w)) {
            for (to, (v, w)) in row[at..].iter_mut().zip(v.iter().zip(&w)) {
                *to -= v_row * w + w_row * v;
            }
        }
        reflections.push(reflection);
    }
    reflections
}

/// Makes the elements beside the diagonal of a tridiagonal matrix 0 by rotations, which turn the rows of `vectors` too.
fn diagonalize(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut [Vec<f64>]) -> Result<(), Undefined> {
    let largest = diagonal.iter().chain(&*beside).fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let is_zero = |x: f64| x.abs() <= NEGLIGIBLE * largest;
    for first in 0..diagonal.len() {
        let mut turns = 0;
        loop {
            // The block from `first` to `last` does not fall apart.
            let last = (first..beside.len()).find(|&at| is_zero(beside[at])).unwrap_or(diagonal.len() - 1);
            if last == first {
                break;
            }
            turns += 1;
            if turns > MAX_TURNS {
                return Err(Undefined::NotConverged);
            }
            turn(diagonal, beside, vectors, first..last);
        }
    }
    Ok(())
}

/// One turn of the QL algorithm, from the last row of a block to its first, with Wilkinson's shift.
fn turn(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut [Vec<f64>], block: std::ops::Range<usize>) {
    let (first, last) = (block.start, block.end);
    let half = (diagonal[first + 1] - diagonal[first]) / (2.0 * beside[first]);
    let shift = diagonal[first] - beside[first] / (half + libm::copysign(libm::hypot(half, 1.0), half));
    let (mut cosine, mut sine) = (1.0, 1.0);
    let (mut x, mut moved) = (diagonal[last] - shift, 0.0);
    for at in block.rev() {
        let (far, near) = (sine * beside[at], cosine * beside[at]);
        let length = libm::hypot(x, far);
        if at + 1 < last {
            beside[at + 1] = length;
        }
        (cosine, sine) = if length == 0.0 { (1.0, 0.0) } else { (x / length, far / length) };
        let kept = diagonal[at + 1] - moved;
        let step = (diagonal[at] - kept) * sine + 2.0 * cosine * near;
        moved = sine * step;
        diagonal[at + 1] = kept + moved;
        x = cosine * step - near;
        let (upper, lower) = vectors.split_at_mut(at + 1);
        for (a, b) in upper[at].iter_mut().zip(&mut lower[0]) {
            (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
        }
    }
    diagonal[first] -= moved;
    beside[first] = x;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The eigenvalues of (2 1; 1 2) are 3 and 1, along the diagonals.
    #[test]
    fn eigen_of_two_by_two_by_hand() {
        let found = eigen(vec![vec![2.0, 1.0], vec![1.0, 2.0]], 2).expect("converges");
        for (eigen, value) in found.iter().zip([3.0, 1.0]) {
            assert!((eigen.value - value).abs() < 1e-14, "{found:?}");
            assert!(eigen.vector.iter().all(|v| (v.abs() - 0.5_f64.sqrt()).abs() < 1e-14), "{found:?}");
        }
        assert!(found[0].vector[0] * found[0].vector[1] > 0.0, "{found:?}");
    }

    #[test]
    fn eigen_of_zero_and_of_a_diagonal() {
        assert_eq!(eigen(vec![], 1), Ok(vec![]));
        let zero = eigen(vec![vec![0.0; 2]; 2], 2).expect("converges");
        assert_eq!(zero.iter().map(|eigen| eigen.value).collect::<Vec<_>>(), [0.0, 0.0]);
        let diagonal = eigen(vec![vec![-1.0, 0.0], vec![0.0, 4.0]], 1).expect("converges");
        assert_eq!(diagonal[0], Eigen { value: 4.0, vector: vec![0.0, 1.0] });
    }

    /// A v = λ v for a matrix of 150 rows and rank 40, most of whose eigenvalues are 0.
    #[test]
    fn eigen_solves_matrices_of_low_rank() {
        let drawn = |i: usize| libm::sin(i as f64 * 12.9898) * 43_758.545_3 % 1.0;
        let rows: Vec<Vec<f64>> = (0..40).map(|row| (0..150).map(|k| drawn(1 + row * 150 + k)).collect()).collect();
        let element = |i: usize, j: usize| rows.iter().map(|row| row[i] * row[j]).sum::<f64>();
        let matrix: Vec<Vec<f64>> = (0..150).map(|i| (0..150).map(|j| element(i, j)).collect()).collect();
        let found = eigen(matrix.clone(), 60).expect("converges");
        assert_eq!(found.len(), 60);
        assert!(found[39].value > 1.0 && found[40].value.abs() < 1e-11, "{} {}", found[39].value, found[40].value);
        for eigen in &found {
            for (row, v) in matrix.iter().zip(&eigen.vector) {
                let product: f64 = row.iter().zip(&eigen.vector).map(|(a, b)| a * b).sum();
                assert!((product - eigen.value * v).abs() < 1e-11, "{}", eigen.value);
            }
        }
        let trace: f64 = (0..150).map(|i| matrix[i][i]).sum();
        assert!((found.iter().map(|eigen| eigen.value).sum::<f64>() - trace).abs() < 1e-9);
    }

    proptest! {
        /// A v = λ v, and vectors are orthonormal, for A = BᵀB of any B, equal rows included.
        #[test]
        fn eigen_solves_random_matrices(rows in prop::collection::vec(prop::collection::vec(-9.0..9.0_f64, 6), 1..9)) {
            let element = |i: usize, j: usize| rows.iter().map(|row| row[i] * row[j]).sum::<f64>();
            let matrix: Vec<Vec<f64>> = (0..6).map(|i| (0..6).map(|j| element(i, j)).collect()).collect();
            let found = eigen(matrix.clone(), 6).expect("converges");
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let bound = 1e-12 * found[0].value.abs().max(1.0);
            for (at, one) in found.iter().enumerate() {
                for (row, v) in matrix.iter().zip(&one.vector) {
                    prop_assert!((dot(row, &one.vector) - one.value * v).abs() <= bound);
                }
                for (other, two) in found.iter().enumerate() {
                    let wanted = f64::from(u8::from(at == other));
                    prop_assert!((dot(&one.vector, &two.vector) - wanted).abs() < 1e-12);
                }
            }
        }
    }
}
