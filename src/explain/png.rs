//! A writer of PNG (ISO/IEC 15948) for overlays: 8-bit RGB, with the compressor that decoding has as a dependency. The
//! encoder of the crate `image` would add some hundred kilobytes to the library for phones.

/// The first bytes of a PNG.
const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n'];

/// The filter type `Up`: each byte less the one above it (ISO/IEC 15948, 9.2).
const UP: u8 = 2;

/// The PNG of rows of `width` RGB pixels, 8 bits each. `rgb` has at least one row, and nothing beside whole rows.
pub(super) fn encoded(width: u32, rgb: &[u8]) -> Vec<u8> {
    let row_len = width as usize * 3;
    let height = rgb.len() / row_len;
    let mut filtered = Vec::with_capacity(rgb.len() + height);
    let mut above = vec![0; row_len];
    for row in rgb.chunks_exact(row_len) {
        filtered.push(UP);
        filtered.extend(row.iter().zip(&above).map(|(byte, above)| byte.wrapping_sub(*above)));
        above.copy_from_slice(row);
    }
    let mut header = [width.to_be_bytes(), (height as u32).to_be_bytes()].concat();
    // 8 bits a sample, RGB, deflate, the five filters, not interlaced.
    header.extend([8, 2, 0, 0, 0]);
    let mut png = SIGNATURE.to_vec();
    for (kind, body) in [(*b"IHDR", header), (*b"IDAT", fdeflate::compress_to_vec(&filtered)), (*b"IEND", Vec::new())] {
        let named = [&kind[..], &body].concat();
        png.extend((body.len() as u32).to_be_bytes());
        png.extend(&named);
        png.extend(crc32fast::hash(&named).to_be_bytes());
    }
    png
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_is_read_back_by_the_decoder() {
        // The decoder is that of the crate `image`, which this writer has nothing in common with but the compressor.
        for (width, height) in [(1, 1), (5, 3), (640, 37)] {
            let rgb: Vec<u8> = (0..u64::from(width * height) * 3).map(|i| (i * i / 7 + i) as u8).collect();
            let found = ::image::load_from_memory_with_format(&encoded(width, &rgb), ::image::ImageFormat::Png);
            let found = found.expect("a sound PNG").into_rgb8();
            assert_eq!((found.dimensions(), found.into_raw()), ((width, height), rgb));
        }
    }
}
