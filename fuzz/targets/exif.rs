//! EXIF in every container that can carry it: one block gives the same orientation in each.

#![no_main]

use bedside::fuzzing::stored_orientation;
use fuzz::containers;
use libfuzzer_sys::fuzz_target;

/// The maximum length of an EXIF block in a segment of a JPEG, which also holds its own length and the mark of EXIF.
const MAX_EXIF: usize = 65_535 - 8;

fuzz_target!(init: fuzz::abort_unless_in_tract_import(), |data: &[u8]| fuzz::timed(|| run(data)));

fn run(exif: &[u8]) {
    if exif.len() > MAX_EXIF {
        return;
    }
    let files = [containers::jpeg(exif), containers::png(exif), containers::webp(exif)];
    // A file with these letters at byte 128 may be DICOM, whatever else it is.
    let may_be_dicom = |file: &[u8]| file.get(128..132) == Some(b"DICM");
    if may_be_dicom(exif) || files.iter().any(|file| may_be_dicom(file)) {
        return;
    }
    let [jpeg, png, webp] = files.map(|file| stored_orientation(&file).expect("a picture, whatever its EXIF says"));
    assert_eq!((jpeg, jpeg), (png, webp), "one block, three containers");
    // A TIFF is its own EXIF block. Where the block states no orientation, the TIFF's XMP counts.
    let tiff = stored_orientation(exif).unwrap_or(jpeg);
    assert!(tiff == jpeg || jpeg == 1, "a TIFF says {tiff}, its block elsewhere {jpeg}");
}
