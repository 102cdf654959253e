//! Transfer syntaxes (PS3.5 A, PS3.6 A): how elements and pixels are encoded.

use super::error::not_read;
use crate::{Error, Result};

/// How elements are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    /// Elements have no value representation.
    pub(super) is_implicit: bool,
    pub(super) is_big_endian: bool,
}

impl Encoding {
    pub(super) const EXPLICIT: Encoding = Encoding { is_implicit: false, is_big_endian: false };
    pub(super) const IMPLICIT: Encoding = Encoding { is_implicit: true, is_big_endian: false };
    pub(super) const BIG_ENDIAN: Encoding = Encoding { is_implicit: false, is_big_endian: true };

    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    pub(super) fn f64(self, bytes: [u8; 8]) -> f64 {
        if self.is_big_endian { f64::from_be_bytes(bytes) } else { f64::from_le_bytes(bytes) }
    }
}

/// How pixels are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// As they are, in the data set's byte order.
    Native,
    RunLength,
    /// Any process of JPEG: baseline, extended or lossless. The frame itself says which.
    Jpeg,
    JpegLs,
    Jpeg2000,
}

/// A transfer syntax that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syntax {
    pub(super) encoding: Encoding,
    pub(super) is_deflated: bool,
    pub(super) coding: Coding,
}

impl Syntax {
    /// That of files which don't say one.
    pub(super) fn native(encoding: Encoding) -> Syntax {
        Syntax { encoding, is_deflated: false, coding: Coding::Native }
    }

    fn encapsulated(coding: Coding) -> Syntax {
        Syntax { encoding: Encoding::EXPLICIT, is_deflated: false, coding }
    }

    /// The transfer syntax of a unique identifier.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedImage`](crate::ErrorKind::UnsupportedImage), by its name.
    pub(super) fn of(uid: &str) -> Result<Syntax> {
        let standard = uid.strip_prefix("1.2.840.10008.1.2").unwrap_or("?");
        Ok(match standard {
            "" => Syntax::native(Encoding::IMPLICIT),
            ".1" => Syntax::native(Encoding::EXPLICIT),
            ".1.99" => Syntax { is_deflated: true, ..Syntax::native(Encoding::EXPLICIT) },
            ".2" => Syntax::native(Encoding::BIG_ENDIAN),
            // Encapsulated, so that each frame can be had by itself, but not compressed.
            ".1.98" => Syntax::encapsulated(Coding::Native),
            ".4.50" | ".4.51" | ".4.53" | ".4.55" | ".4.57" | ".4.70" => Syntax::encapsulated(Coding::Jpeg),
            ".4.80" | ".4.81" => Syntax::encapsulated(Coding::JpegLs),
            ".4.90" | ".4.91" => Syntax::encapsulated(Coding::Jpeg2000),
            ".5" => Syntax::encapsulated(Coding::RunLength),
            _ => return Err(unknown(uid, standard)),
        })
    }

    pub(super) fn is_encapsulated(self) -> bool {
        self.coding != Coding::Native || self == Syntax::encapsulated(Coding::Native)
    }
}

/// The error of a transfer syntax that is not read.
fn unknown(uid: &str, standard: &str) -> Error {
    let name = match standard {
        ".4.92" | ".4.93" => "JPEG 2000 Part 2 (several components)",
        ".4.94" | ".4.95" | ".4.204" | ".4.205" => "JPIP (pixels on a server)",
        ".4.100" | ".4.100.1" | ".4.101" | ".4.101.1" => "MPEG2 video",
        ".4.102" | ".4.102.1" | ".4.103" | ".4.103.1" | ".4.104" | ".4.104.1" | ".4.105" | ".4.105.1" | ".4.106"
        | ".4.106.1" => "MPEG-4 AVC/H.264 video",
        ".4.107" | ".4.108" => "HEVC/H.265 video",
        ".4.110" | ".4.111" | ".4.112" => "JPEG XL",
        ".4.201" | ".4.202" | ".4.203" => "High-Throughput JPEG 2000 (HTJ2K)",
        ".8.1" => "deflated frames",
        ".7.1" | ".7.2" | ".7.3" => "SMPTE ST 2110 video",
        _ => {
            // An identifier has digits and points only. Others are not shown.
            let is_uid = !uid.is_empty() && uid.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let shown = if is_uid && uid.len() <= 64 { uid } else { "that is no identifier" };
            return not_read(format!("the transfer syntax {shown} is"));
        }
    };
    not_read(format!("the transfer syntax {uid}, {name}, is"))
}
