//! The choice of what is shown of a deep picture's values.

use crate::{Error, ErrorKind, Result};

/// Which of a picture's values are shown, from black to white: one of the windows and tables that a DICOM file has, or a window
/// of the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Window {
    /// The first one that the file has, and all values where it has none.
    #[default]
    First,
    /// The file's table or window of this number, from 0: its tables first (VOI LUT Sequence), then its windows.
    Number(u32),
    /// A window of this center and width (PS3.3 C.11.2.1.2.1), in the units of the file's values after its modality table or
    /// its rescale. The width is at least 1.
    Values {
        /// The value in the middle.
        center: f64,
        /// How many values lie between black and white.
        width: f64,
    },
}

/// The part of the way from black to white, 0 to 1, of a value (PS3.3 C.11.2.1.2.1).
pub(crate) fn linear(value: f64, center: f64, width: f64) -> f64 {
    let (center, width) = (center - 0.5, width - 1.0);
    if value <= center - width / 2.0 {
        0.0
    } else if value > center + width / 2.0 {
        1.0
    } else {
        (value - center) / width + 0.5
    }
}

/// Checks a window of the caller's.
///
/// # Errors
/// [`ErrorKind::InvalidQuery`].
pub(crate) fn valid(center: f64, width: f64) -> Result<()> {
    if center.is_finite() && width.is_finite() && width >= 1.0 {
        return Ok(());
    }
    let message = format!("window: center {center}, width {width} are no window; give a width of at least 1");
    Err(Error::new(ErrorKind::InvalidQuery, message))
}

/// The error of a window for a picture that has none.
pub(super) fn none() -> Error {
    Error::new(
        ErrorKind::InvalidQuery,
        "window: the picture has no deep values; give one for DICOM files and for grey PNG and TIFF of 16 bits alone",
    )
}
