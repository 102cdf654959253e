//! Eigenvalues and eigenvectors of symmetric matrices, by Jacobi's method with cyclic rotations (Golub and Van Loan,
//! Matrix Computations, 4th edition, section 8.5). Each eigenvalue is accurate to rounding of the largest, and the result
//! is the same on every platform.

use crate::statistics::Undefined;

/// The sum of squares off the diagonal is at most this share of all squares at the end.
const CONVERGED: f64 = 1e-32;
/// Convergence is quadratic, and takes some ten sweeps at most.
const MAX_SWEEPS: usize = 60;

/// An eigenvalue and its eigenvector of length 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Eigen {
    pub(super) value: f64,
    pub(super) vector: Vec<f64>,
}

/// The eigenvalues of a symmetric matrix of finite numbers, given by its rows, from the largest on.
///
/// # Errors
/// [`Undefined::NotConverged`].
pub(super) fn eigen(mut matrix: Vec<Vec<f64>>) -> Result<Vec<Eigen>, Undefined> {
    let size = matrix.len();
    let mut vectors: Vec<Vec<f64>> =
        (0..size).map(|at| (0..size).map(|k| f64::from(u8::from(k == at))).collect()).collect();
    let squares: f64 = matrix.iter().flatten().map(|a| a * a).sum();
    for _ in 0..MAX_SWEEPS {
        let off: f64 = matrix.iter().enumerate().flat_map(|(at, row)| &row[..at]).map(|a| a * a).sum();
        if 2.0 * off <= CONVERGED * squares {
            let values = matrix.iter().enumerate().map(|(at, row)| row[at]);
            let mut found: Vec<Eigen> = values.zip(vectors).map(|(value, vector)| Eigen { value, vector }).collect();
            found.sort_by(|a, b| b.value.total_cmp(&a.value));
            return Ok(found);
        }
        for p in 0..size {
            for q in p + 1..size {
                if matrix[p][q] != 0.0 {
                    rotate(&mut matrix, &mut vectors, p, q);
                }
            }
        }
    }
    Err(Undefined::NotConverged)
}

/// Makes the elements p, q and q, p of the matrix 0, where p < q.
fn rotate(matrix: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
    let tangent = libm::copysign(1.0, theta) / (theta.abs() + libm::sqrt(theta * theta + 1.0));
    let cosine = 1.0 / libm::sqrt(tangent * tangent + 1.0);
    let sine = tangent * cosine;
    let turned = |a: &mut f64, b: &mut f64| (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    for rows in [&mut *matrix, vectors] {
        let (upper, lower) = rows.split_at_mut(q);
        upper[p].iter_mut().zip(&mut lower[0]).for_each(|(a, b)| turned(a, b));
    }
    for row in matrix.iter_mut() {
        let (left, right) = row.split_at_mut(q);
        turned(&mut left[p], &mut right[0]);
    }
    (matrix[p][q], matrix[q][p]) = (0.0, 0.0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The eigenvalues of (2 1; 1 2) are 3 and 1, along the diagonals.
    #[test]
    fn eigen_of_two_by_two_by_hand() {
        let found = eigen(vec![vec![2.0, 1.0], vec![1.0, 2.0]]).expect("converges");
        for (eigen, value) in found.iter().zip([3.0, 1.0]) {
            assert!((eigen.value - value).abs() < 1e-14, "{found:?}");
            assert!(eigen.vector.iter().all(|v| (v.abs() - 0.5_f64.sqrt()).abs() < 1e-14), "{found:?}");
        }
        assert!(found[0].vector[0] * found[0].vector[1] > 0.0, "{found:?}");
    }

    #[test]
    fn eigen_of_zero_and_of_a_diagonal() {
        assert_eq!(eigen(vec![]), Ok(vec![]));
        let zero = eigen(vec![vec![0.0; 2]; 2]).expect("converges");
        assert_eq!(zero.iter().map(|eigen| eigen.value).collect::<Vec<_>>(), [0.0, 0.0]);
        let diagonal = eigen(vec![vec![-1.0, 0.0], vec![0.0, 4.0]]).expect("converges");
        assert_eq!(diagonal[0], Eigen { value: 4.0, vector: vec![0.0, 1.0] });
    }

    proptest! {
        /// A v = λ v, and vectors are orthonormal, for A = BᵀB of any B, equal rows included.
        #[test]
        fn eigen_solves_random_matrices(rows in prop::collection::vec(prop::collection::vec(-9.0..9.0_f64, 6), 1..9)) {
            let element = |i: usize, j: usize| rows.iter().map(|row| row[i] * row[j]).sum::<f64>();
            let matrix: Vec<Vec<f64>> = (0..6).map(|i| (0..6).map(|j| element(i, j)).collect()).collect();
            let found = eigen(matrix.clone()).expect("converges");
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
