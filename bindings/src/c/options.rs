//! The options of opening a model.

use std::mem::offset_of;

use bedside::{Limits, Options};

use super::sized::{self, LeadingSize};
use super::status::{Outcome, bedside_status};

/// The settings of a classifier, which are fixed when its model is opened. Call bedside_options_init on it first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_options {
    /// sizeof(bedside_options), which bedside_options_init sets.
    pub size: usize,
    /// The maximum number of threads of one classification, the caller's among them; 1 at first. All classifiers share
    /// the other threads, which sleep between classifications. Results do not depend on the number. 0 counts as 1, and
    /// more than 256 as 256.
    pub threads: u32,
    /// The maximum number of pixels, width times height, that a picture's header may declare; 200,000,000 at first.
    pub max_declared_pixels: u64,
    /// The maximum number of bytes that decoding may take for pixels and coefficients; 256 MiB at first.
    pub max_decoded_bytes: u64,
    /// The maximum number of bytes of a model file; 512 MiB at first.
    pub max_model_bytes: u64,
    #[cfg(feature = "test-later")]
    #[allow(missing_docs, reason = "no header has it")]
    pub later: u64,
}

/// The initial value of the later field.
#[cfg(feature = "test-later")]
const LATER: u64 = 7;

// SAFETY: `repr(C)`, it begins with its size, and all bytes are valid in every field.
unsafe impl LeadingSize for bedside_options {
    const FIRST: usize = offset_of!(bedside_options, max_model_bytes) + size_of::<u64>();
    #[cfg(feature = "test-later")]
    const END: usize = offset_of!(bedside_options, later) + size_of::<u64>();

    fn initial() -> bedside_options {
        let Options { threads, limits, .. } = Options::new();
        bedside_options {
            size: size_of::<bedside_options>(),
            threads,
            max_declared_pixels: limits.max_declared_pixels,
            max_decoded_bytes: limits.max_decoded_bytes,
            max_model_bytes: limits.max_model_bytes,
            #[cfg(feature = "test-later")]
            later: LATER,
        }
    }
}

/// Sets all fields to the values that hold where no options are given. `size` is sizeof(bedside_options).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_options_init(options: *mut bedside_options, size: usize) -> bedside_status {
    // SAFETY: the caller gives null or a struct of this size.
    unsafe { sized::initialize(options, size) }
}

/// The options of a caller; those of [`Options::new`] where they are null.
///
/// # Safety
/// `options` is null, or points to a struct that begins with its size.
pub(super) unsafe fn options(options: *const bedside_options) -> Outcome<Options> {
    if options.is_null() {
        return Ok(Options::new());
    }
    // SAFETY: as the caller promises.
    let given = unsafe { sized::read(options, "options")? };
    #[cfg(feature = "test-later")]
    if given.later != LATER {
        return Err(super::status::Failure::argument("options.later has not its initial value"));
    }
    let limits = Limits::new()
        .max_declared_pixels(given.max_declared_pixels)
        .max_decoded_bytes(given.max_decoded_bytes)
        .max_model_bytes(given.max_model_bytes);
    Ok(Options::new().threads(given.threads).limits(limits))
}
