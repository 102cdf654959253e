//! Occlusion (Zeiler and Fergus 2014, doi:10.1007/978-3-319-10590-1_53): how much a class's log-odds fall where a part of
//! the input is covered.

use std::ops::Range;

use super::Grid;
use crate::Result;
use crate::manifest::Activation;
use crate::preprocess::ModelInput;

/// The maximum number of cells a side: the graph runs once for each cell, 64 times in all.
const CELLS: u32 = 8;

/// Before a logarithm, probabilities that a graph gives are kept this far from 0.
const MIN_PROBABILITY: f64 = 1e-12;

/// The map of a class, whose log-odds `log_odds` gives for an input and which are `whole` for the uncovered one. Each
/// cell has `whole` less the log-odds where a window over it is covered with the input's mean colour. A window is twice
/// as wide and as high as a cell.
pub(crate) fn occlusion_map(
    input: &ModelInput,
    whole: f64,
    mut log_odds: impl FnMut(&ModelInput) -> Result<f64>,
) -> Result<Grid> {
    let (width, height) = (CELLS.min(input.width), CELLS.min(input.height));
    let fill = mean_color(input);
    let mut values = Vec::with_capacity(width as usize * height as usize);
    for row in 0..height {
        for column in 0..width {
            let mut covered = input.clone();
            cover(&mut covered, &window(column, width, input.width), &window(row, height, input.height), &fill);
            values.push(whole - log_odds(&covered)?);
        }
    }
    Ok(Grid { width, height, values })
}

/// The pixels that a window covers on an axis of `length` pixels in `cells` cells: cell `index` and half a cell beside it
/// on each side.
fn window(index: u32, cells: u32, length: u32) -> Range<usize> {
    let edge = |half_cells: u64| (half_cells * u64::from(length) / (2 * u64::from(cells))) as usize;
    let first = 2 * u64::from(index);
    edge(first.saturating_sub(1))..edge((first + 3).min(2 * u64::from(cells)))
}

/// The mean of each channel, rounded.
fn mean_color(input: &ModelInput) -> Vec<u8> {
    let mut sums = vec![0u64; input.channels];
    for pixel in input.pixels.chunks_exact(input.channels) {
        sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += u64::from(value));
    }
    let pixels = (u64::from(input.width) * u64::from(input.height)).max(1);
    sums.iter().map(|sum| ((sum + pixels / 2) / pixels) as u8).collect()
}

/// Fills the pixels of some columns and rows.
fn cover(input: &mut ModelInput, columns: &Range<usize>, rows: &Range<usize>, fill: &[u8]) {
    let row_len = input.width as usize * input.channels;
    for row in input.pixels.chunks_exact_mut(row_len).take(rows.end).skip(rows.start) {
        for pixel in row[columns.start * fill.len()..columns.end * fill.len()].chunks_exact_mut(fill.len()) {
            pixel.copy_from_slice(fill);
        }
    }
}

/// The log-odds of a class in the graph's output values, of which `members` are its: the logarithm of its probability
/// over that of all else, before calibration. Of a label with a sigmoid they are its logit.
pub(crate) fn log_odds(activation: Activation, multi_label: bool, values: &[f32], members: &[usize]) -> f64 {
    let (of_class, others): (Vec<_>, Vec<_>) = values.iter().enumerate().partition(|(i, _)| members.contains(i));
    let [of_class, others] =
        [of_class, others].map(|part| part.iter().map(|(_, v)| f64::from(**v)).collect::<Vec<_>>());
    match (activation, multi_label) {
        (Activation::Softmax, _) => log_sum_exp(&of_class) - log_sum_exp(&others),
        (Activation::Sigmoid, _) => log_sum_exp(&of_class),
        (Activation::None, true) => {
            let inside: f64 = of_class.iter().sum();
            logarithm(inside) - logarithm(1.0 - inside)
        }
        (Activation::None, false) => logarithm(of_class.iter().sum()) - logarithm(others.iter().sum()),
    }
}

/// The logarithm of a probability.
fn logarithm(probability: f64) -> f64 {
    libm::log(probability.max(MIN_PROBABILITY))
}

/// The logarithm of the sum of the values' exponentials. Without the maximum, those of large values would overflow.
fn log_sum_exp(values: &[f64]) -> f64 {
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max.is_finite() { max + libm::log(values.iter().map(|v| libm::exp(v - max)).sum()) } else { max }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(width: u32, height: u32, pixels: Vec<u8>) -> ModelInput {
        ModelInput { width, height, channels: 1, pixels }
    }

    #[test]
    fn occlusion_map_is_highest_where_the_class_lies() {
        // One bright pixel in the third column and the second row of 8×8; the log-odds are the brightness.
        let mut pixels = vec![0; 64];
        pixels[8 + 2] = 255;
        let input = input(8, 8, pixels);
        let mut runs = 0;
        let brightness = |input: &ModelInput| {
            runs += 1;
            Ok(f64::from(*input.pixels.iter().max().expect("64 pixels")) / 255.0)
        };
        let map = occlusion_map(&input, 1.0, brightness).expect("sound");
        assert_eq!((map.width, map.height, runs), (8, 8, 64));
        // Windows reach half a cell, which is half a pixel and rounds down, to each side: a window of cell i covers the
        // pixels i - 1 and i, or 0 alone. So the cells 2 and 3 of rows 1 and 2 cover it, and there 4 / 255 stay: the mean.
        let covered: Vec<usize> = (0..64).filter(|&i| map.values[i] > 0.5).collect();
        assert_eq!(covered, [8 + 2, 8 + 3, 16 + 2, 16 + 3]);
        assert!((map.values[8 + 2] - (1.0 - 4.0 / 255.0)).abs() < 1e-12);
        assert!((0..64).filter(|i| !covered.contains(i)).all(|i| map.values[i] == 0.0));
    }

    #[test]
    fn window_covers_a_cell_and_half_of_its_neighbours() {
        // Cells of 28 of 224 pixels.
        assert_eq!(window(0, 8, 224), 0..42);
        assert_eq!(window(3, 8, 224), 70..126);
        assert_eq!(window(7, 8, 224), 182..224);
        assert_eq!(window(0, 1, 1), 0..1);
    }

    #[test]
    fn log_odds_are_those_of_the_probability() {
        // Probabilities 1/8, 1/4 and 5/8.
        let logits = [1.0f32.ln(), 2.0f32.ln(), 5.0f32.ln()];
        let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
        near(log_odds(Activation::Softmax, false, &logits, &[2]), (5.0f64 / 3.0).ln());
        near(log_odds(Activation::Softmax, false, &logits, &[0, 1]), (3.0f64 / 5.0).ln());
        near(log_odds(Activation::None, false, &[0.125, 0.25, 0.625], &[2]), (5.0f64 / 3.0).ln());
        near(log_odds(Activation::None, true, &[0.8, 0.5], &[0]), 4f64.ln());
        near(log_odds(Activation::Sigmoid, true, &[-1.5, 3.0], &[0]), -1.5);
    }
}
