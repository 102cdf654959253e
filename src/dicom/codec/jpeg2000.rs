//! JPEG 2000 (ISO/IEC 15444-1), with the crate `hayro-jpeg2000`.

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

use super::{Decoded, Raster};
use crate::Result;
use crate::dicom::error::{damaged, malformed};
use crate::dicom::pixels::Layout;
use crate::dicom::tags;

pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Result<Raster> {
    let stream = code_stream(bytes).ok_or_else(|| damaged("JPEG 2000 without a code stream"))?;
    // Without the boxes of a JP2 file around it: what they say of colours, the data set says.
    let settings = DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    let image = Image::new(stream, &settings).map_err(damaged)?;
    let size = (image.width(), image.height());
    if size != layout.size {
        let (width, height) = layout.size;
        return Err(malformed(tags::PIXELS, format!("has a frame of {}×{}, not {width}×{height}", size.0, size.1)));
    }
    let signed = signed_components(stream).ok_or_else(|| damaged("JPEG 2000 without a size"))?;
    if signed.len() as u32 != layout.channels {
        return Err(malformed(
            tags::SAMPLES_PER_PIXEL,
            format!("is {}, the frame has {}", layout.channels, signed.len()),
        ));
    }
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(damaged)?;
    let components = decoded.components();
    let pixels = layout.pixels() as usize;
    let bits = components.iter().map(|component| u16::from(component.bit_depth())).max().unwrap_or(0);
    if bits == 0 || bits > 16 || components.len() != signed.len() {
        return Err(damaged(format!("{} components of {bits} bits", components.len())));
    }
    let channels = components.len();
    let mut samples = vec![0; pixels * channels];
    for (index, (component, is_signed)) in components.iter().zip(&signed).enumerate() {
        if component.samples().len() != pixels || u16::from(component.bit_depth()) != bits {
            return Err(damaged("components of different sizes or bits"));
        }
        // The decoder adds to signed samples, too, what makes unsigned ones of them.
        let shift = if *is_signed { 1 << (bits - 1) } else { 0 };
        let max = f32::from(u16::MAX >> (16 - bits));
        for (sample, value) in samples[index..].iter_mut().step_by(channels).zip(component.samples()) {
            *sample = (value.round().clamp(0.0, max) as u16).wrapping_sub(shift);
        }
    }
    let samples = Decoded::Words(samples);
    Ok(Raster { size, channels: channels as u32, bits, is_lossy: is_irreversible(stream), is_rgb: false, samples })
}

/// The code stream, of which some writers keep a whole JP2 file around.
fn code_stream(bytes: &[u8]) -> Option<&[u8]> {
    const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
    if bytes.starts_with(&START) {
        return Some(bytes);
    }
    // The box `jp2c` has it; the boxes before are few and short.
    let mut rest = bytes;
    for _ in 0..64 {
        let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        if rest.get(4..8)? == b"jp2c" {
            let content = if length == 1 { rest.get(16..)? } else { rest.get(8..)? };
            return content.starts_with(&START).then_some(content);
        }
        rest = rest.get(length.max(8)..)?;
    }
    None
}

/// Whether the main header states the 9-7 transformation, which is not reversible (A.6.1).
fn is_irreversible(stream: &[u8]) -> bool {
    let mut rest = stream.get(2..).unwrap_or_default();
    while let [0xFF, marker, high, low, content @ ..] = rest {
        match marker {
            0x52 => return content.get(9) == Some(&0),
            // The first tile begins.
            0x90 => return false,
            _ => rest = rest.get(2 + usize::from(u16::from_be_bytes([*high, *low])).max(2)..).unwrap_or_default(),
        }
    }
    false
}

/// Whether each component is signed, as the first marker after the start says (A.5.1).
fn signed_components(stream: &[u8]) -> Option<Vec<bool>> {
    let count = usize::from(u16::from_be_bytes(stream.get(40..42)?.try_into().ok()?));
    let components = stream.get(42..42 + 3 * count)?;
    Some(components.chunks_exact(3).map(|component| component[0] & 0x80 != 0).collect())
}
