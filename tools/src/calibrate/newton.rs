//! Newton's method for a strictly convex function of a few numbers.

/// A function's value at a point, its gradient, and its Hessian, row after row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Derivatives {
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
    pub(super) hessian: Vec<f64>,
}

const MAX_STEPS: usize = 100;

/// Where the function is smallest: its gradient is 0 to within 10⁻⁹ of 1 + its value. A step that does not lower the
/// function is halved. None where it does not come to rest.
pub(super) fn minimum(start: Vec<f64>, function: impl Fn(&[f64]) -> Derivatives) -> Option<Vec<f64>> {
    let (mut x, mut at) = (start.clone(), function(&start));
    for _ in 0..MAX_STEPS {
        let largest = at.gradient.iter().fold(0.0f64, |max, g| max.max(g.abs()));
        if !largest.is_finite() {
            return None;
        }
        if largest <= 1e-9 * (1.0 + at.value.abs()) {
            return Some(x);
        }
        let step = solved(&at.hessian, &at.gradient)?;
        let mut share = 1.0;
        (x, at) = loop {
            let next: Vec<f64> = x.iter().zip(&step).map(|(x, step)| x - share * step).collect();
            let there = function(&next);
            if there.value <= at.value {
                break (next, there);
            }
            if share < 1e-6 {
                // Rounding hides what is left to gain.
                return Some(x);
            }
            share /= 2.0;
        };
    }
    None
}

/// The solution of `matrix` · x = `right`, by Cholesky's factors; none where the matrix is not positive definite.
fn solved(matrix: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let n = right.len();
    let mut lower = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let products: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
            let rest = matrix[i * n + j] - products;
            if i != j {
                lower[i * n + j] = rest / lower[j * n + j];
            } else if rest > 0.0 {
                lower[i * n + i] = libm::sqrt(rest);
            } else {
                return None;
            }
        }
    }
    let mut x = right.to_vec();
    for i in 0..n {
        let known: f64 = (0..i).map(|k| lower[i * n + k] * x[k]).sum();
        x[i] = (x[i] - known) / lower[i * n + i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| lower[k * n + i] * x[k]).sum();
        x[i] = (x[i] - known) / lower[i * n + i];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solved_by_hand() {
        // 4x + 2y = 10 and 2x + 3y = 9: x = 1.5, y = 2.
        let x = solved(&[4.0, 2.0, 2.0, 3.0], &[10.0, 9.0]).expect("it is positive definite");
        assert!((x[0] - 1.5).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12, "{x:?}");
        assert_eq!(solved(&[1.0, 2.0, 2.0, 1.0], &[1.0, 1.0]), None);
    }

    #[test]
    fn minimum_of_an_exponential_is_where_its_slope_is_0() {
        // eˣ − 3x is smallest at ln 3, which full steps from −3 overshoot.
        let function = |x: &[f64]| Derivatives {
            value: x[0].exp() - 3.0 * x[0],
            gradient: vec![x[0].exp() - 3.0],
            hessian: vec![x[0].exp()],
        };
        let found = minimum(vec![-3.0], function).expect("it is convex");
        assert!((found[0] - 3.0f64.ln()).abs() < 1e-8, "{found:?}");
    }
}
