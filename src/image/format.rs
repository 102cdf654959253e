//! The format of an encoded picture. The first bytes decide it, not the file's name.

use crate::{Error, ErrorKind, Result};

/// A format that this crate decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    #[cfg(feature = "dicom")]
    Dicom,
    /// A format that the crate `image` decodes: PNG, WebP, BMP or TIFF.
    Other(::image::ImageFormat),
}

impl Format {
    /// The format of an encoded picture.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedImage`] where there are no bytes; [`ErrorKind::UnsupportedImage`], whose text says what to
    /// do, for any other format.
    pub(super) fn of(bytes: &[u8]) -> Result<Format> {
        use ::image::ImageFormat::{Bmp, Png, Tiff, WebP};
        Ok(match bytes {
            [] => {
                return Err(Error::new(
                    ErrorKind::MalformedImage,
                    "the file is empty; copy or export the picture again",
                ));
            }
            // Before all others: its first bytes can be another format's.
            #[cfg(feature = "dicom")]
            _ if crate::dicom::is_dicom(bytes) => Format::Dicom,
            #[cfg(not(feature = "dicom"))]
            _ if is_dicom(bytes) => return Err(Error::new(ErrorKind::UnsupportedImage, advice(bytes))),
            [0xFF, 0xD8, ..] => Format::Jpeg,
            [0x89, b'P', b'N', b'G', ..] => Format::Other(Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Format::Other(WebP),
            [b'B', b'M', ..] => Format::Other(Bmp),
            // Classic TIFF and BigTIFF, in both byte orders.
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Format::Other(Tiff),
            _ => return Err(Error::new(ErrorKind::UnsupportedImage, advice(bytes))),
        })
    }
}

#[cfg(not(feature = "dicom"))]
/// Whether this is DICOM (PS3.10, 7.1): 128 bytes of any content, which can be a TIFF header, then `DICM`, then an
/// element of group 0002, whose value representation is two capitals. The element tells DICOM from a picture that has
/// these letters by chance.
fn is_dicom(bytes: &[u8]) -> bool {
    matches!(bytes.get(128..), Some([b'D', b'I', b'C', b'M', 2, 0, _, _, b'A'..=b'Z', b'A'..=b'Z', ..]))
}

/// The message for bytes of a format that is not decoded: the format where it is known, and what to do.
fn advice(bytes: &[u8]) -> String {
    let known = match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => iso_media(brand),
        [b'G', b'I', b'F', b'8', ..] => "a GIF is not read; export the picture as PNG",
        [b'%', b'P', b'D', b'F', ..] => "a PDF is not a picture; export the page or the picture in it as PNG or JPEG",
        [0, 0, 0, 12, b'j', b'P', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => {
            "JPEG 2000 is not read; export the picture as PNG or JPEG"
        }
        [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', ..] => {
            "JPEG XL is not read; export the picture as PNG or JPEG"
        }
        _ if bytes.get(128..132) == Some(b"DICM") => "a DICOM file is not read by this build; export the frame as PNG",
        _ if is_markup(bytes) => "a drawing or a web page (SVG, HTML, XML) is not a photo; export it as PNG",
        _ => "not a picture in a format read here; give JPEG, PNG, WebP, BMP, TIFF or DICOM",
    };
    known.into()
}

/// The message for a file in the ISO base media format (ISO/IEC 14496-12), by its major brand: HEIC, AVIF or a video.
fn iso_media(brand: &[u8]) -> &'static str {
    match brand.get(..4) {
        Some(b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1") => {
            "a HEIC picture is not read; set the camera to \"Most Compatible\", or export it as JPEG"
        }
        Some(b"avif" | b"avis") => "an AVIF picture is not read; export it as JPEG or PNG",
        _ => "a video is not read; export one frame as JPEG or PNG",
    }
}

/// Whether the bytes are XML or HTML: `<` is the first character, after a byte order mark and white space.
fn is_markup(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes).trim_ascii_start();
    text.first() == Some(&b'<')
}
