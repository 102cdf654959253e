//! The choice of what is shown of a deep picture.

/// Which of a DICOM file's values are shown, from black to white: one of the windows and tables that it has, or a window of
/// the caller's. Without a choice it is the first that the file has, and all values where it has none.
///
/// ```
/// use bedside::{Image, Window};
///
/// // A window for bone, in a computed tomography's Hounsfield units.
/// let image = Image::open("models/samples/ISIC_0012258.jpg")?.window(Window::Values { center: 480.0, width: 2500.0 });
/// # Ok::<(), bedside::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Window {
    /// The first one.
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
