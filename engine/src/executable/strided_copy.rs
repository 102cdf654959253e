//! The strided copy: the step of concatenation, padding, slicing and transposition. It runs on the caller's thread
//! alone, without a kernel.

use crate::program::StridedCopy;

/// Copies the elements of a step from one tensor to another.
pub(super) fn strided_copy<T: Copy>(step: &StridedCopy, from: &[T], to: &mut [T]) {
    let [batch, height, width, channels] = step.shape;
    let ((from_start, read), (to_start, write)) = (step.read, step.write);
    for n in 0..batch {
        for y in 0..height {
            for x in 0..width {
                let from = &from[from_start + n * read[0] + y * read[1] + x * read[2]..];
                let to = &mut to[to_start + n * write[0] + y * write[1] + x * write[2]..];
                if read[3] == 1 && write[3] == 1 {
                    to[..channels].copy_from_slice(&from[..channels]);
                } else {
                    for c in 0..channels {
                        to[c * write[3]] = from[c * read[3]];
                    }
                }
            }
        }
    }
}
