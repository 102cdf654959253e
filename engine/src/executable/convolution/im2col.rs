//! im2col: a matrix with a row for each output pixel, which holds the input bytes under the pixel's window. It is for
//! kernels without an indirect GEMM, and for results in floats.

use std::ops::Range;

use super::geometry::Geometry;

/// The number of bytes that one copy takes where the taps of a line have no more, so that its length is constant.
const CHUNK: usize = 16;

/// Writes a row for each of these output pixels, counted over all images, for the group whose first input channel is
/// `first`. The bytes are in the order of the weights: kernel height, kernel width, channels. A row has
/// [`Geometry::columns`] bytes. Up to [`CHUNK`] bytes after the last row are overwritten.
pub(super) fn im2col(geometry: &Geometry, from: &[u8], first: usize, pixels: Range<usize>, rows: &mut [u8]) {
    let Geometry { window, group_inputs, .. } = geometry;
    let [_, height, width, channels] = geometry.input;
    let [_, out_height, out_width, _] = geometry.output;
    let [kernel_height, kernel_width] = window.kernel;
    let columns = geometry.columns();
    let by_lines = geometry.has_whole_lines();
    let mut row = 0;
    let mut pixel = pixels.start;
    while pixel < pixels.end {
        let (line, start) = (pixel / out_width, pixel % out_width);
        let end = out_width.min(start + pixels.end - pixel);
        let (n, y) = (line / out_height, line % out_height);
        let inside_down = window.is_inside(0, y, height);
        for x in start..end {
            let to = &mut rows[row..];
            // With whole lines there is one group, and `first` is 0.
            if by_lines && inside_down && window.is_inside(1, x, width) {
                let top = y * window.stride[0] - window.pad[0];
                let left = x * window.stride[1] - window.pad[1];
                let length = kernel_width * group_inputs;
                for tap in 0..kernel_height {
                    let line = n * height + top + tap * window.dilation[0];
                    copy_ahead(&from[(line * width + left) * channels..], &mut to[tap * length..], length);
                }
            } else {
                one_row(geometry, from, first, [n, y, x], &mut to[..columns]);
            }
            row += columns;
        }
        pixel += end - start;
    }
}

/// Writes the row of one output pixel, whose window may reach into the padding.
fn one_row(geometry: &Geometry, from: &[u8], first: usize, [n, y, x]: [usize; 3], row: &mut [u8]) {
    let Geometry { window, group_inputs: inputs, .. } = geometry;
    let [_, height, width, channels] = geometry.input;
    let [kernel_height, kernel_width] = window.kernel;
    let (down, top) = window.taps(0, y, height);
    let (across, left) = window.taps(1, x, width);
    if down.len() < kernel_height || across.len() < kernel_width {
        row.fill(geometry.zero_point);
    }
    for tap_y in down {
        let line = n * height + window.position(0, top, tap_y);
        for tap_x in across.clone() {
            let x = window.position(1, left, tap_x);
            let to = &mut row[(tap_y * kernel_width + tap_x) * inputs..][..*inputs];
            to.copy_from_slice(&from[(line * width + x) * channels + first..][..*inputs]);
        }
    }
}

/// Copies `length` bytes. Where they are at most [`CHUNK`] and both slices are long enough, [`CHUNK`] bytes are copied,
/// and the next copy overwrites the surplus.
fn copy_ahead(from: &[u8], to: &mut [u8], length: usize) {
    match (from.first_chunk::<CHUNK>(), to.first_chunk_mut::<CHUNK>()) {
        (Some(from), Some(to)) if length <= CHUNK => {
            // In halves: the compiler may merge one copy of all bytes with that below, as one call with either length.
            let (from, to) = (from.as_chunks::<8>().0, to.as_chunks_mut::<8>().0);
            (to[0], to[1]) = (from[0], from[1]);
        }
        _ => to[..length].copy_from_slice(&from[..length]),
    }
}
