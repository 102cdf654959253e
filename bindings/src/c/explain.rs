//! The heatmap of a report.

use std::ffi::c_char;
use std::mem::offset_of;

use bedside::{ExplainMethod, Heatmap};

use super::handle;
use super::image::{IMAGES, bedside_image};
use super::query::bedside_explain_method;
use super::report::{bedside_report, of};
use super::sized::{self, LeadingSize};
use super::status::{Failure, Outcome, answered, bedside_error, bedside_status, without_message};
use super::text::{copy_text, copy_values};

/// Where the evidence for a label lies in a picture: a grid of equal cells over the network's input. It shows what moved
/// the network, and not where a disease is. Set `size` to sizeof(bedside_heatmap).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct bedside_heatmap {
    /// sizeof(bedside_heatmap), which the caller sets.
    pub size: usize,
    /// How it was computed, a bedside_explain_method.
    pub method: i32,
    /// The number of columns of the grid.
    pub width: u32,
    /// The number of rows of the grid.
    pub height: u32,
    /// From the grid to the pixels of the picture as it is stored, before its EXIF orientation and any rotation: six
    /// numbers a to f. The point (x, y) of the grid, where the cell in column i and row j covers i to i+1 and j to j+1,
    /// is at (a·x + b·y + c, d·x + e·y + f).
    pub frame: [f64; 6],
    /// The width and the height of the stored picture, in pixels.
    pub picture: [u32; 2],
    /// The part of the stored picture that the network saw, in its pixels: left, top, right and bottom edge.
    pub seen: [f64; 4],
    /// The largest value in a cell that lies, at least in part, in the part of the picture that the network saw.
    pub max: f32,
    /// 1 where `max` is above 0, else 0: then nothing in the picture speaks for the label.
    pub evidence: i32,
}

// SAFETY: `repr(C)`, it begins with its size, and all bytes are valid in every field.
unsafe impl LeadingSize for bedside_heatmap {
    const FIRST: usize = offset_of!(bedside_heatmap, evidence) + size_of::<i32>();

    fn initial() -> bedside_heatmap {
        bedside_heatmap {
            size: size_of::<bedside_heatmap>(),
            method: 0,
            width: 0,
            height: 0,
            frame: [0.0; 6],
            picture: [0; 2],
            seen: [0.0; 4],
            max: 0.0,
            evidence: 0,
        }
    }
}

/// The heatmap that the query asked for, but for its label and its values. BEDSIDE_STATUS_ABSENT where it asked for
/// none, or the picture was rejected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_heatmap(
    report: *const bedside_report,
    heatmap: *mut bedside_heatmap,
) -> bedside_status {
    without_message(|| {
        with_heatmap(report, |found| {
            let mut given = bedside_heatmap {
                method: method_of(found.method) as i32,
                width: found.width,
                height: found.height,
                picture: found.picture,
                seen: found.seen,
                max: found.max,
                evidence: found.evidence.into(),
                ..bedside_heatmap::initial()
            };
            given.frame.copy_from_slice(found.frame.as_flattened());
            // SAFETY: the struct is the caller's.
            unsafe { sized::write(heatmap, given, "heatmap") }
        })
    })
}

/// The evidence in each cell, rows from the top, in logits before any calibration: width times height finite values. A
/// positive one speaks for the label, a negative one against it. `length` is their number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_heatmap_values(
    report: *const bedside_report,
    values: *mut f32,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    without_message(|| {
        with_heatmap(report, |heatmap| {
            // SAFETY: the buffer is the caller's.
            unsafe { copy_values(&heatmap.values, values, capacity, length, "values") }
        })
    })
}

/// The id of the label that the evidence is for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_heatmap_label(
    report: *const bedside_report,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> bedside_status {
    // SAFETY: the buffer is the caller's.
    without_message(|| with_heatmap(report, |heatmap| unsafe { copy_text(&heatmap.label, buffer, capacity, length) }))
}

/// Draws the heatmap over the picture, upright and in grey, with a legend in English below: the bytes of a PNG of at
/// most 1024 pixels a side. `length` is their number. The picture must be the one that was classified, with the same
/// rotation and mirroring.
///
/// Fails with BEDSIDE_STATUS_INVALID_QUERY where the picture has another size than the classified one, and as
/// bedside_classifier_classify does where it can't be decoded. Each call draws it anew.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bedside_report_overlay(
    report: *const bedside_report,
    image: *const bedside_image,
    png: *mut u8,
    capacity: usize,
    length: *mut usize,
    error: *mut bedside_error,
) -> bedside_status {
    let call = || {
        let picture = handle::object(&IMAGES, image, "image")?;
        with_heatmap(report, |heatmap| {
            let drawn = heatmap.overlay(&picture.image()?)?;
            // SAFETY: the buffer is the caller's.
            unsafe { copy_values(&drawn, png, capacity, length, "png") }
        })
    };
    // SAFETY: the pointers are the caller's.
    unsafe { answered(error, call) }
}

fn with_heatmap(report: *const bedside_report, use_it: impl FnOnce(&Heatmap) -> Outcome) -> Outcome {
    let report = of(report)?;
    use_it(report.heatmap.as_ref().ok_or_else(|| Failure::absent("heatmap"))?)
}

fn method_of(method: ExplainMethod) -> bedside_explain_method {
    match method {
        ExplainMethod::ClassActivation => bedside_explain_method::BEDSIDE_EXPLAIN_METHOD_CLASS_ACTIVATION,
        ExplainMethod::Occlusion => bedside_explain_method::BEDSIDE_EXPLAIN_METHOD_OCCLUSION,
        other => unreachable!("the method {} is not known to the border: a test compares", other.as_str()),
    }
}
