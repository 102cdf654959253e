//! The measure of focus.

use super::Luma;

/// What is added to each central difference, in sums of four levels: two levels of one pixel, so that noise on a flat
/// picture counts little.
const FLOOR: u64 = 8;

/// [`Quality::focus`](super::Quality::focus); 0 where the middle has no three neighbours. `cells` is memory for the middle.
pub(super) fn of(luma: &Luma<'_>, cells: &mut Vec<i32>) -> f64 {
    let middle = Middle::of(luma, cells);
    let mut sums = Sums::default();
    let mut rows = middle.rows();
    while let Some(row) = rows.next() {
        for triple in row.windows(3) {
            sums.add(triple[0], triple[1], triple[2]);
        }
        let mut below = rows.clone();
        if let (Some(next), Some(after)) = (below.next(), below.next()) {
            row.iter().zip(next).zip(after).for_each(|((&a, &b), &c)| sums.add(a, b, c));
        }
    }
    if sums.count == 0 { 0.0 } else { sums.second as f64 / (sums.central + FLOOR * sums.count) as f64 }
}

/// The sums over all triples of neighbours.
#[derive(Default)]
struct Sums {
    second: u64,
    central: u64,
    count: u64,
}

impl Sums {
    fn add(&mut self, a: i32, b: i32, c: i32) {
        self.second += u64::from((a - 2 * b + c).unsigned_abs());
        self.central += u64::from((c - a).unsigned_abs());
        self.count += 1;
    }
}

/// The middle half of the rows and of the columns of a plane at half size. A cell is the sum of 2×2 pixels, 0…1020; an
/// odd last row or column is left out.
struct Middle<'a> {
    width: usize,
    cells: &'a [i32],
}

impl<'a> Middle<'a> {
    fn of(luma: &Luma<'_>, cells: &'a mut Vec<i32>) -> Middle<'a> {
        let (columns, rows) = (luma.width / 2, luma.levels.len() / luma.width / 2);
        let (left, top) = (columns / 4, rows / 4);
        let (width, height) = (columns - 2 * left, rows - 2 * top);
        cells.clear();
        for pair in luma.levels.chunks_exact(2 * luma.width).skip(top).take(height) {
            let (upper, lower) = pair.split_at(luma.width);
            let squares = upper.chunks_exact(2).zip(lower.chunks_exact(2)).skip(left).take(width);
            cells.extend(
                squares.map(|(upper, lower)| upper.iter().chain(lower).map(|&level| i32::from(level)).sum::<i32>()),
            );
        }
        Middle { width, cells }
    }

    /// The rows, of which there are none where there are no columns.
    fn rows(&self) -> std::slice::ChunksExact<'_, i32> {
        self.cells.chunks_exact(self.width.max(1))
    }
}
