//! Pooling: the mean or the maximum of the bytes in each window, channel by channel. Of the kernels it uses only
//! [`Kernels::sum_rows`].

use super::work;
use super::workspace::{Output, Scratch};
use crate::arithmetic::{OutputStage, Window};
use crate::kernels::{Kernels, requantize};
use crate::program::{Pooling, PoolingKind};
use crate::threads::{Split as _, StepThreads, Threads};

/// Computes the pooling of `from`, of shape `from_shape`, into `to`, of shape `to_shape`.
pub(super) fn pool_windows(
    step: &Pooling,
    (from_shape, from): ([usize; 4], &[u8]),
    (to_shape, to): ([usize; 4], Output<'_>),
    (kernels, threads): (&dyn Kernels, &Threads),
    scratch: &mut Scratch,
) {
    let [batch, height, width, channels] = to_shape;
    let [_, in_height, in_width, _] = from_shape;
    let taps = to.len() as u64 * step.window.kernel.iter().product::<usize>() as u64;
    if let PoolingKind::Mean { zero_point, .. } = step.kind
        && batch * height * width == 1
    {
        let window = ClippedWindow::new(&step.window, [0, 0], [in_height, in_width]);
        let threads = threads.for_work(taps * work::SINGLE_MEAN);
        return single_mean(step, &window, (from, in_width, zero_point), to, (kernels, threads), scratch);
    }
    let threads = threads.for_work(taps * work::POOLING);
    threads.for_each(threads.parts(to, width * channels), &mut scratch.per_thread, |(first, mut to), scratch| {
        scratch.sums.resize(channels, 0);
        for line in 0..to.len() / (width * channels) {
            let (n, y) = ((first + line) / height, (first + line) % height);
            let image = &from[n * in_height * in_width * channels..][..in_height * in_width * channels];
            for x in 0..width {
                let window = ClippedWindow::new(&step.window, [y, x], [in_height, in_width]);
                let at = (line * width + x) * channels;
                pixel(step, &window, (image, in_width), (&mut to, at), kernels, &mut scratch.sums);
            }
        }
    });
}

/// Writes one output pixel to `to`, from element `at` on. `sums` has an element for each channel.
fn pixel(
    step: &Pooling,
    window: &ClippedWindow,
    (image, image_width): (&[u8], usize),
    (to, at): (&mut Output<'_>, usize),
    kernels: &dyn Kernels,
    sums: &mut [i32],
) {
    match &step.kind {
        PoolingKind::Max => {
            let Output::Bytes(to) = to else { unreachable!("the maximum of bytes is a byte") };
            window.max(image, image_width, &mut to[at..at + sums.len()]);
        }
        PoolingKind::Mean { zero_point, .. } => {
            window.sum(kernels, image, image_width, *zero_point, sums);
            mean(step, window, sums, to, at);
        }
    }
}

/// Computes a mean whose output has one pixel. Each thread sums some of the window's lines, and then one thread adds up
/// the sums.
fn single_mean(
    step: &Pooling,
    window: &ClippedWindow,
    (image, image_width, zero_point): (&[u8], usize, u8),
    mut to: Output<'_>,
    (kernels, threads): (&dyn Kernels, StepThreads<'_>),
    scratch: &mut Scratch,
) {
    let channels = to.len();
    let lines = window.rows.count.div_ceil(threads.count()).max(1);
    let count = window.rows.count.div_ceil(lines).max(1);
    scratch.sums.clear();
    scratch.sums.resize(count * channels, 0);
    let parts = (0..count).map(|part| window.lines(part * lines, lines)).zip(scratch.sums.chunks_exact_mut(channels));
    threads.for_each(parts, &mut scratch.per_thread, |(part, sums), _| {
        part.sum(kernels, image, image_width, zero_point, sums);
    });
    let (sums, of_other_parts) = scratch.sums.split_at_mut(channels);
    for others in of_other_parts.chunks_exact(channels) {
        for (sum, other) in sums.iter_mut().zip(others) {
            *sum += other;
        }
    }
    mean(step, window, sums, &mut to, 0);
}

/// The taps of a window that lie in the image along one axis.
#[derive(Debug, Clone, Copy)]
struct Taps {
    /// The position of the first tap in the image.
    first: usize,
    /// The distance from one tap to the next.
    step: usize,
    count: usize,
}

/// The part of a window that lies in the image.
#[derive(Debug, Clone, Copy)]
struct ClippedWindow {
    rows: Taps,
    columns: Taps,
}

impl ClippedWindow {
    /// The window of the output pixel at `position` (height, width), over an image of this height and width.
    fn new(window: &Window, position: [usize; 2], image: [usize; 2]) -> ClippedWindow {
        let axis = |axis: usize| {
            let (taps, first) = window.taps(axis, position[axis], image[axis]);
            let start = first + (taps.start * window.dilation[axis]) as isize;
            Taps { first: start.max(0) as usize, step: window.dilation[axis], count: taps.len() }
        };
        ClippedWindow { rows: axis(0), columns: axis(1) }
    }

    /// At most `count` lines of the window, from its line `start` on, which must not be beyond its last.
    fn lines(self, start: usize, count: usize) -> ClippedWindow {
        let Taps { first, step, count: lines } = self.rows;
        ClippedWindow { rows: Taps { first: first + start * step, step, count: count.min(lines - start) }, ..self }
    }

    /// The offset in the image of each pixel of the window, in bytes.
    fn pixels(&self, image_width: usize, channels: usize) -> impl Iterator<Item = usize> {
        let ClippedWindow { rows, columns } = *self;
        (0..rows.count)
            .flat_map(move |row| (0..columns.count).map(move |column| (row, column)))
            .map(move |(row, column)| (rows.first + row * rows.step, columns.first + column * columns.step))
            .map(move |(y, x)| (y * image_width + x) * channels)
    }

    /// Writes the maximum of the bytes of each channel.
    fn max(&self, image: &[u8], image_width: usize, to: &mut [u8]) {
        to.fill(0);
        for start in self.pixels(image_width, to.len()) {
            for (to, &byte) in to.iter_mut().zip(&image[start..]) {
                *to = (*to).max(byte);
            }
        }
    }

    /// The number of pixels, without those of the padding.
    fn count(&self) -> usize {
        self.rows.count * self.columns.count
    }

    /// Writes the sum of the bytes of each channel, each byte less the zero point. `sums` has an element for each
    /// channel.
    fn sum(&self, kernels: &dyn Kernels, image: &[u8], image_width: usize, zero_point: u8, sums: &mut [i32]) {
        sums.fill(0);
        let ClippedWindow { rows, columns } = *self;
        let channels = sums.len();
        // A window over whole lines without gaps is one run of pixels.
        if (columns.count, columns.step, rows.step) == (image_width, 1, 1) {
            kernels.sum_rows(&image[rows.first * image_width * channels..], channels, rows.count * columns.count, sums);
        } else {
            for row in (rows.first..).step_by(rows.step).take(rows.count) {
                let start = (row * image_width + columns.first) * channels;
                kernels.sum_rows(&image[start..], columns.step * channels, columns.count, sums);
            }
        }
        for sum in sums.iter_mut() {
            *sum -= self.count() as i32 * i32::from(zero_point);
        }
    }
}

/// Writes the mean of a window with these sums to `to`, from element `at` on.
fn mean(step: &Pooling, window: &ClippedWindow, sums: &[i32], to: &mut Output<'_>, at: usize) {
    let PoolingKind::Mean { input_scale, output_scale, count_include_pad, output_stage, .. } = &step.kind else {
        unreachable!("sums are made for means");
    };
    let count = if *count_include_pad { step.window.kernel.iter().product() } else { window.count() };
    let multiplier = input_scale / (output_scale * count as f32);
    match (output_stage, to) {
        (OutputStage::Float, Output::Floats(to)) => {
            for (to, &sum) in to[at..].iter_mut().zip(sums) {
                *to = sum as f32 * multiplier;
            }
        }
        (OutputStage::Byte { zero_point, min, max, table }, Output::Bytes(to)) => {
            for (to, &sum) in to[at..].iter_mut().zip(sums) {
                let byte = requantize(sum as f32 * multiplier, *zero_point, *min, *max);
                *to = table.as_ref().map_or(byte, |table| table[usize::from(byte)]);
            }
        }
        _ => unreachable!("the output stage gives what the output is made of"),
    }
}
