//! The heatmap of a report, and where its cells lie in the stored picture.

use serde::{Deserialize, Serialize};

use super::{ExplainMethod, Grid};
use crate::geometry::{Affine, intersection};
use crate::image::Placement;
use crate::{Error, ErrorKind, Result};

/// Where the evidence for a label lies in a picture: a grid of equal cells over the network's input.
///
/// It shows what moved the network, and not where a disease is: `docs/verdicts.md` ("What a heatmap says and does not")
/// says more. [`overlay`](Heatmap::overlay) draws it. The default has no cells, and can't be drawn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Heatmap {
    /// The id of the label that the evidence is for.
    pub label: String,
    /// How it was computed.
    pub method: ExplainMethod,
    /// The number of columns of the grid.
    pub width: u32,
    /// The number of rows of the grid.
    pub height: u32,
    /// The evidence in each cell, rows from the top: `width` × `height` finite values. A positive one speaks for the
    /// label, a negative one against it.
    ///
    /// They are in logits, before any calibration. Of a class activation map, their mean plus the label's bias in the
    /// linear head is the label's logit. Of occlusion, a value is by how much the label's log-odds fall where the cell
    /// and half a cell around it are covered.
    pub values: Vec<f32>,
    /// From the grid to the pixels of the picture as it is stored, before its EXIF orientation and any rotation: the
    /// point (x, y) of the grid, where the cell in column i and row j covers i…i+1 and j…j+1, is at
    /// (a·x + b·y + c, d·x + e·y + f) with the rows `[a, b, c]` and `[d, e, f]`. The stored pixel in column i and row j
    /// covers i…i+1 and j…j+1, too.
    pub frame: [[f64; 3]; 2],
    /// The width and height of the stored picture, in pixels.
    pub picture: [u32; 2],
    /// The part of the stored picture that the network saw, in its pixels: left, top, right and bottom edge. The grid may
    /// be larger, as it covers the bars of a letterbox, too.
    pub seen: [f64; 4],
    /// The largest value in a cell that lies, at least in part, in the part of the picture that the network saw.
    pub max: f32,
    /// Whether `max` is above 0. Where it is not, nothing in the picture speaks for the label.
    pub evidence: bool,
}

/// How a network's input lies in the stored picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    /// The width and height of the input, in pixels.
    pub(crate) input: (u32, u32),
    /// The width and height of the decoded picture, in pixels.
    pub(crate) picture: (u32, u32),
    /// From the input's pixels to the decoded picture's.
    pub(crate) to_picture: Affine,
    /// Where the decoded picture lies in the stored one.
    pub(crate) placement: Placement,
}

impl View {
    /// From a grid of equal cells over the input to the stored pixels.
    fn frame(&self, (columns, rows): (u32, u32)) -> Affine {
        let cell = |length: u32, count: u32| f64::from(length) / f64::from(count);
        let in_input = Affine::scaled((cell(self.input.0, columns), cell(self.input.1, rows)), (0.0, 0.0));
        in_input.then(&self.to_picture).then(&self.placement.to_stored)
    }

    /// The part of the stored picture that lies in the input: left, top, right and bottom edge.
    fn seen(&self) -> [f64; 4] {
        let input = self.to_picture.rectangle([0.0, 0.0, f64::from(self.input.0), f64::from(self.input.1)]);
        let decoded = [0.0, 0.0, f64::from(self.picture.0), f64::from(self.picture.1)];
        let in_stored = self.placement.to_stored.rectangle(intersection(input, decoded));
        let (width, height) = self.placement.stored;
        intersection(in_stored, [0.0, 0.0, f64::from(width), f64::from(height)])
    }
}

impl Heatmap {
    /// The heatmap of a grid. A value that is not a number counts as 0, and infinite ones as the largest finite ones.
    pub(crate) fn of(label: String, method: ExplainMethod, grid: &Grid, view: &View) -> Heatmap {
        let (width, height) = (grid.width, grid.height);
        let frame = view.frame((width, height));
        let seen = view.seen();
        let values: Vec<f32> = grid.values.iter().map(|&value| finite(value)).collect();
        let cells = values.iter().zip(0u32..).filter(|(_, index)| {
            let (x, y) = (f64::from(index % width), f64::from(index / width));
            let [left, top, right, bottom] = intersection(frame.rectangle([x, y, x + 1.0, y + 1.0]), seen);
            right > left && bottom > top
        });
        let max = cells.map(|(value, _)| *value).reduce(f32::max).unwrap_or(0.0);
        let picture = [view.placement.stored.0, view.placement.stored.1];
        Heatmap { label, method, width, height, values, frame: frame.0, picture, seen, max, evidence: max > 0.0 }
    }

    /// The map from stored pixels to the grid. Checks that the fields are those of a heatmap, since they can be read from
    /// JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`].
    pub(super) fn to_grid(&self) -> Result<Affine> {
        let wrong = |problem: &str| Error::new(ErrorKind::InvalidQuery, format!("heatmap: {problem}"));
        let cells = u64::from(self.width) * u64::from(self.height);
        if cells == 0 || cells != self.values.len() as u64 {
            return Err(wrong("`values` does not have one value for each cell"));
        }
        Affine(self.frame).inverse().ok_or_else(|| wrong("`frame` is no map to a picture"))
    }

    /// The evidence at a point of the grid, in logits: bilinear between the centres of cells, and constant beyond the
    /// outermost ones. It is finite whatever the values and the point are. The grid must have one value for each cell.
    pub(super) fn at(&self, (x, y): (f64, f64)) -> f64 {
        let axis = |position: f64, cells: u32| {
            let position = (position - 0.5).max(0.0).min(f64::from(cells - 1));
            (position as usize, (position as usize + 1).min(cells as usize - 1), position - libm::floor(position))
        };
        let ((left, right, x), (top, bottom, y)) = (axis(x, self.width), axis(y, self.height));
        let value =
            |row: usize, column: usize| f64::from(finite(self.values[row * self.width as usize + column].into()));
        let row = |row| value(row, left) * (1.0 - x) + value(row, right) * x;
        row(top) * (1.0 - y) + row(bottom) * y
    }
}

/// The value as a finite number: 0 where it is none, the largest of its sign where it is infinite.
fn finite(value: f64) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Facts;

    /// An input of 4×4 pixels that is a letterbox of a picture of 8×4 ones: its bars are the first and the last row.
    fn view() -> View {
        let to_picture = Affine::scaled((2.0, 2.0), (0.0, -2.0));
        let to_stored = Affine::scaled((1.0, 1.0), (0.0, 0.0));
        View {
            input: (4, 4),
            picture: (8, 4),
            to_picture,
            placement: Placement { stored: (8, 4), to_stored, facts: Facts::default() },
        }
    }

    fn heatmap(values: Vec<f64>) -> Heatmap {
        let grid = Grid { width: 2, height: 4, values };
        Heatmap::of("a".into(), ExplainMethod::ClassActivation, &grid, &view())
    }

    #[test]
    fn heatmap_frame_maps_cells_to_stored_pixels() {
        let found = heatmap(vec![0.0; 8]);
        // A cell is 2×1 pixels of the input, 4×2 of the picture; the grid starts a bar of 2 pixels above the picture.
        assert_eq!(found.frame, [[4.0, 0.0, 0.0], [0.0, 2.0, -2.0]]);
        assert_eq!((found.picture, found.seen), ([8, 4], [0.0, 0.0, 8.0, 4.0]));
    }

    #[test]
    fn heatmap_max_is_that_of_cells_in_the_picture() {
        let found = heatmap(vec![9.0, 9.0, -1.0, 0.5, 0.25, -3.0, 9.0, 9.0]);
        assert_eq!((found.max, found.evidence), (0.5, true));
        assert!(!heatmap(vec![9.0, 9.0, -1.0, 0.0, 0.0, -3.0, 9.0, 9.0]).evidence);
    }

    #[test]
    fn heatmap_values_are_finite() {
        let found = heatmap(vec![0.0, 0.0, f64::NAN, f64::NEG_INFINITY, f64::INFINITY, 1e300, 0.0, 0.0]);
        assert_eq!(found.values[2..6], [0.0, f32::MIN, f32::MAX, f32::MAX]);
        assert_eq!((found.max, found.evidence), (f32::MAX, true));
    }

    #[test]
    fn at_interpolates_between_centres_and_not_beyond() {
        let found = heatmap(vec![0.0, 0.0, 1.0, 3.0, 5.0, 7.0, 0.0, 0.0]);
        assert_eq!([found.at((0.5, 1.5)), found.at((1.0, 1.5)), found.at((1.0, 2.0))], [1.0, 2.0, 4.0]);
        assert_eq!([found.at((-9.0, 1.5)), found.at((99.0, 1.5)), found.at((f64::NAN, 1.5))], [1.0, 3.0, 1.0]);
    }

    #[test]
    fn to_grid_refuses_what_is_no_heatmap() {
        let sound = heatmap(vec![0.0; 8]);
        assert!(sound.to_grid().is_ok());
        let kind = |heatmap: Heatmap| heatmap.to_grid().expect_err("refused").kind();
        assert_eq!(kind(Heatmap { width: 3, ..sound.clone() }), ErrorKind::InvalidQuery);
        assert_eq!(kind(Heatmap { width: 0, values: vec![], ..sound.clone() }), ErrorKind::InvalidQuery);
        assert_eq!(kind(Heatmap { frame: [[0.0; 3]; 2], ..sound }), ErrorKind::InvalidQuery);
    }
}
