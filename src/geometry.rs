//! Affine maps of the plane: how the pixels of one raster lie in another.
//!
//! Coordinates are continuous, x to the right and y down: the pixel in column i and row j covers i…i+1 and j…j+1.

/// An affine map: (x, y) becomes (a·x + b·y + c, d·x + e·y + f), with the rows `[a, b, c]` and `[d, e, f]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Affine(pub(crate) [[f64; 3]; 2]);

#[allow(clippy::many_single_char_names, reason = "the letters are those of the doc comment's formula")]
impl Affine {
    /// The map that scales the axes and then adds an offset.
    pub(crate) fn scaled((x, y): (f64, f64), offset: (f64, f64)) -> Affine {
        Affine([[x, 0.0, offset.0], [0.0, y, offset.1]])
    }

    /// The point that (x, y) becomes.
    pub(crate) fn apply(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let [[a, b, c], [d, e, f]] = self.0;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// The rectangle (left, top, right, bottom) that a map without rotation, but of quarters, makes of one.
    pub(crate) fn rectangle(&self, [left, top, right, bottom]: [f64; 4]) -> [f64; 4] {
        let ((x0, y0), (x1, y1)) = (self.apply((left, top)), self.apply((right, bottom)));
        [x0.min(x1), y0.min(y1), x0.max(x1), y0.max(y1)]
    }

    /// This map followed by another one.
    pub(crate) fn then(&self, after: &Affine) -> Affine {
        let [[a, b, c], [d, e, f]] = self.0;
        let row = |[p, q, r]: [f64; 3]| [p * a + q * d, p * b + q * e, p * c + q * f + r];
        Affine(after.0.map(row))
    }

    /// The inverse map; `None` where there is none in finite numbers.
    pub(crate) fn inverse(&self) -> Option<Affine> {
        let [[a, b, c], [d, e, f]] = self.0;
        let determinant = a * e - b * d;
        let inverse = [
            [e / determinant, -b / determinant, (b * f - e * c) / determinant],
            [-d / determinant, a / determinant, (d * c - a * f) / determinant],
        ];
        inverse.iter().flatten().all(|value| value.is_finite()).then_some(Affine(inverse))
    }
}

/// The intersection of two rectangles; right is not beyond left, or bottom not beyond top, where they don't overlap.
pub(crate) fn intersection(a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
    [a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn then_applies_the_second_map_after_the_first() {
        let double = Affine::scaled((2.0, 3.0), (1.0, -1.0));
        // (4, 5) doubles to (9, 14), whose axes are exchanged, with 10 added to the first one.
        let exchange = Affine([[0.0, 1.0, 10.0], [1.0, 0.0, 0.0]]);
        assert_eq!(double.then(&exchange).apply((4.0, 5.0)), (24.0, 9.0));
    }

    #[test]
    fn inverse_undoes_a_map() {
        let map = Affine([[0.0, 2.0, 3.0], [-4.0, 0.0, 8.0]]);
        let inverse = map.inverse().expect("its determinant is 8");
        assert_eq!(inverse.apply(map.apply((1.5, -2.0))), (1.5, -2.0));
    }

    #[test]
    fn inverse_is_none_where_the_map_has_none() {
        for rows in [[[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]], [[f64::NAN; 3]; 2], [[1e-320, 0.0, 1.0], [0.0, 1.0, 0.0]]] {
            assert_eq!(Affine(rows).inverse(), None, "{rows:?}");
        }
    }
}
