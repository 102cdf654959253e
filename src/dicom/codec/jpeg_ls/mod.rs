//! JPEG-LS (ISO/IEC 14495-1, ITU-T T.87), lossless and near-lossless. Ours: no crate in Rust alone was found.
//!
//! Section numbers such as "A.3" and names such as `RUNindex`, `MErrval` are the standard's own.
//! The decoder never panics; its memory is bounded by `max_samples` and its time by the declared size plus the data.
//!
//! Refused by name: DNL, oversize dimensions (LSE 4), mapping tables (LSE 2 and 3, Tm), point transforms,
//! subsampled components, more than 4 components, and HP colour transforms outside 8- and 16-bit interleaved RGB.

mod scan;

use scan::{Params, Scan};

/// What is wrong with a code stream, without the "JPEG-LS: " in front.
type Fault = String;

const NO_MEMORY: &str = "there is no memory for the samples";

/// The longest block of pixels that one bit of a scan can stand for, `1 << J[31]`.
const BLOCK_MAX: u64 = 1 << 15;

/// The decoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Raster {
    /// Samples in a row of one component.
    pub(super) width: u32,
    /// Rows.
    pub(super) height: u32,
    /// Components, 1 to 4.
    pub(super) components: usize,
    /// The sample precision P of the frame header, 2 to 16.
    pub(super) bits: u8,
    /// Whether a scan is near-lossless.
    pub(super) is_lossy: bool,
    /// The samples, interleaved by pixel, rows from the top: `width * height * components` of them.
    pub(super) samples: Vec<u16>,
}

/// Decodes one JPEG-LS code stream, from SOI to EOI; bytes after EOI are ignored, and it may be missing.
///
/// A frame of more than `max_samples` samples (all components together) is refused before anything is allocated.
/// The error says plainly what is wrong or what is not supported.
pub(super) fn decode(bytes: &[u8], max_samples: u64) -> Result<Raster, String> {
    Decoder { input: Input { bytes, pos: 0 }, max_samples, ..Decoder::default() }
        .run()
        .map_err(|fault| format!("JPEG-LS: {fault}"))
}

/// The marker segments' reader. `pos` never passes the end of `bytes`.
#[derive(Default)]
struct Input<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Input<'a> {
    /// Reads a marker, with any fill bytes in front of it, and returns its second byte.
    fn marker(&mut self) -> Result<u8, Fault> {
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
        match rest.get(fill) {
            None => Err("the stream ends where a marker should follow".into()),
            Some(_) if fill == 0 => Err(format!("there is no marker at byte {}", self.pos)),
            Some(&code) => {
                self.pos += fill + 1;
                Ok(code)
            }
        }
    }

    /// Reads a segment's length and returns its content; `name` is for the error.
    fn segment(&mut self, name: &str) -> Result<&'a [u8], Fault> {
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        let length = rest.first_chunk().map_or(0, |&pair| usize::from(u16::from_be_bytes(pair)));
        let content = rest.get(2..length).ok_or_else(|| format!("{name} ends early"))?;
        self.pos += length;
        Ok(content)
    }
}

/// The frame header (C.2.2).
struct Frame {
    bits: u8,
    width: usize,
    height: usize,
    ids: Vec<u8>,
}

/// The preset coding parameters of an LSE segment (C.2.4.1.1); 0 stands for a default.
#[derive(Clone, Copy, Default)]
struct Preset {
    maxval: u16,
    t: [u16; 3],
    reset: u16,
}

/// How a scan's components are interleaved (ILV, C.2.3).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interleave {
    None,
    Line,
    Sample,
}

/// The state of one decoding: what the segments so far have said, and the samples so far.
#[derive(Default)]
struct Decoder<'a> {
    input: Input<'a>,
    max_samples: u64,
    frame: Option<Frame>,
    preset: Preset,
    restart: usize,
    transform: u8,
    planar: bool,
    is_lossy: bool,
    done: [bool; 4],
    samples: Vec<u16>,
}

impl Decoder<'_> {
    /// Reads all segments up to EOI.
    fn run(mut self) -> Result<Raster, Fault> {
        if !self.input.bytes.starts_with(&[0xFF, 0xD8]) {
            return Err("the stream does not start with an SOI marker".into());
        }
        self.input.pos = 2;
        loop {
            if self.is_complete() && self.input.pos >= self.input.bytes.len() {
                return self.finish();
            }
            match self.input.marker()? {
                0xD9 => return self.finish(),
                0xDA => self.scan()?,
                0xF7 => self.frame_header()?,
                0xF8 => self.preset_segment()?,
                0xDD => self.restart_segment()?,
                0xE8 => self.transform_segment()?,
                0xE0..=0xEF | 0xFE => drop(self.input.segment("an application or comment segment")?),
                0xDC => return Err("a number of lines given by a DNL segment is not supported".into()),
                0xF9 => return Err("the frame is of JPEG-LS part 2 (SOF57), which is not supported".into()),
                code @ (0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF) => {
                    return Err(format!("the frame is of ordinary JPEG (SOF{}), not JPEG-LS", code - 0xC0));
                }
                code => return Err(format!("the marker FF{code:02X} has no place in a JPEG-LS stream")),
            }
        }
    }

    /// Whether all components are decoded.
    fn is_complete(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| !self.done[..frame.ids.len()].contains(&false))
    }

    /// Reads the frame header and refuses a frame that is too large for `max_samples` or for the data.
    fn frame_header(&mut self) -> Result<(), Fault> {
        let head = self.input.segment("the frame header")?;
        let &[bits, y1, y0, x1, x0, count, ref specs @ ..] = head else {
            return Err("the frame header ends early".into());
        };
        if self.frame.is_some() {
            return Err("the stream holds a second frame header".into());
        }
        let (height, width) = (u16::from_be_bytes([y1, y0]), u16::from_be_bytes([x1, x0]));
        if !(2..=16).contains(&bits) {
            return Err(format!("a precision of {bits} bits is not one of 2 to 16"));
        }
        if height == 0 {
            return Err("a number of lines left to DNL or to oversize dimensions is not supported".into());
        }
        if width == 0 {
            return Err("a width left to oversize dimensions is not supported".into());
        }
        if !(1..=4).contains(&count) {
            return Err(format!("{count} components are not supported, only 1 to 4"));
        }
        if specs.len() != 3 * usize::from(count) {
            return Err("the frame header's length does not fit its components".into());
        }
        if count > 1 && specs.chunks_exact(3).any(|spec| spec[1] != 0x11) {
            return Err("subsampled components are not supported".into());
        }
        let ids: Vec<u8> = specs.chunks_exact(3).map(|spec| spec[0]).collect();
        if (1..ids.len()).any(|at| ids[..at].contains(&ids[at])) {
            return Err("two components have the same identifier".into());
        }
        let frame = Frame { bits, width: width.into(), height: height.into(), ids };
        if u64::from(width) * u64::from(height) * u64::from(count) > self.max_samples {
            return Err(format!("{width} by {height} samples of {count} components are more than the limit allows"));
        }
        self.check_size(&frame, 1)?;
        self.frame = Some(frame);
        Ok(())
    }

    /// Refuses a size that the rest of the stream can't hold, given how many `runs` each line codes apart.
    ///
    /// The bound is sound. No code word is empty; in regular mode one stands for one sample, and in run mode a 1 bit
    /// stands for at most `BLOCK_MAX` pixels and never for pixels of two lines (A.7.1.2), while a 0 bit stands for
    /// fewer, with a code word of its own for the pixel that follows. So a line takes a bit for each `BLOCK_MAX`
    /// pixels or part of them: once in a sample-interleaved scan, once a component in any other.
    fn check_size(&self, frame: &Frame, runs: usize) -> Result<(), Fault> {
        let line = (frame.width as u64).div_ceil(BLOCK_MAX) * runs as u64;
        let left = self.input.bytes.len().saturating_sub(self.input.pos) as u64;
        if line * frame.height as u64 > left * 8 {
            let (width, height) = (frame.width, frame.height);
            return Err(format!("the stream's last {left} bytes can't hold {width} by {height} pixels"));
        }
        Ok(())
    }

    /// Reads an LSE segment (C.2.4); all kinds but the preset coding parameters are refused.
    fn preset_segment(&mut self) -> Result<(), Fault> {
        let content = self.input.segment("an LSE segment")?;
        match *content {
            [1, ref rest @ ..] if rest.len() == 10 => {
                let word = |at: usize| u16::from_be_bytes([rest[at], rest[at + 1]]);
                self.preset = Preset { maxval: word(0), t: [word(2), word(4), word(6)], reset: word(8) };
                Ok(())
            }
            [1, ..] => Err("the preset coding parameters' length is wrong".into()),
            [2 | 3, ..] => Err("mapping tables are not supported".into()),
            [4, ..] => Err("oversize image dimensions (LSE 4) are not supported".into()),
            [id, ..] => Err(format!("an LSE segment of type {id} is not supported")),
            [] => Err("an LSE segment ends early".into()),
        }
    }

    /// Reads a DRI segment (C.2.5): the restart interval in lines, of 2 to 4 bytes.
    fn restart_segment(&mut self) -> Result<(), Fault> {
        let content = self.input.segment("the restart interval")?;
        if !(2..=4).contains(&content.len()) {
            return Err("the restart interval's length is wrong".into());
        }
        self.restart = content.iter().fold(0, |value, &byte| value << 8 | usize::from(byte));
        Ok(())
    }

    /// Reads an APP8 segment, where HP's encoders name a colour transform; others (SPIFF) are skipped.
    fn transform_segment(&mut self) -> Result<(), Fault> {
        match *self.input.segment("an APP8 segment")? {
            [b'm', b'r', b'f', b'x', kind @ 0..=3] => self.transform = kind,
            [b'm', b'r', b'f', b'x', kind] => return Err(format!("the colour transform {kind} is not supported")),
            _ => {}
        }
        Ok(())
    }

    /// Reads a scan header (C.2.3) and decodes the scan.
    fn scan(&mut self) -> Result<(), Fault> {
        let head = self.input.segment("the scan header")?;
        let frame = self.frame.take().ok_or("a scan comes before the frame header")?;
        let &[count, ref rest @ ..] = head else { return Err("the scan header ends early".into()) };
        let Some((specs, &[near, ilv, point])) = rest.split_at_checked(2 * usize::from(count)) else {
            return Err("the scan header's length does not fit its components".into());
        };
        let components = self.scan_components(&frame, specs)?;
        let ilv = match (ilv, count) {
            (0, 2..) => return Err("a scan without interleaving has several components".into()),
            (0..=2, 1) => Interleave::None,
            (1, _) => Interleave::Line,
            (2, _) => Interleave::Sample,
            _ => return Err(format!("the interleave mode {ilv} is not one of 0 to 2")),
        };
        if point != 0 {
            return Err("point transforms are not supported".into());
        }
        self.planar |= ilv == Interleave::None;
        self.is_lossy |= near != 0;
        self.check_size(&frame, if ilv == Interleave::Sample { 1 } else { components.len() })?;
        let total = frame.width as u64 * frame.height as u64 * frame.ids.len() as u64;
        let total = usize::try_from(total).map_err(|_| NO_MEMORY)?;
        self.samples.try_reserve_exact(total - self.samples.len()).map_err(|_| NO_MEMORY)?;
        let params = Params::new(&self.preset, frame.bits, near)?;
        Scan::new(params, &frame, &components, ilv).decode(self, &frame)?;
        self.frame = Some(frame);
        Ok(())
    }

    /// Finds the places in the frame of a scan's components, and marks them as decoded.
    fn scan_components(&mut self, frame: &Frame, specs: &[u8]) -> Result<Vec<usize>, Fault> {
        let mut components = Vec::new();
        for spec in specs.chunks_exact(2) {
            let place = frame.ids.iter().position(|&id| id == spec[0]);
            let place = place.ok_or_else(|| format!("a scan names component {}, which the frame lacks", spec[0]))?;
            if self.done[place] {
                return Err(format!("component {} is coded twice", spec[0]));
            }
            if spec[1] != 0 {
                return Err("mapping tables are not supported".into());
            }
            self.done[place] = true;
            components.push(place);
        }
        if components.is_empty() {
            return Err("a scan has no components".into());
        }
        Ok(components)
    }

    /// Checks at EOI that nothing is missing, and undoes a colour transform.
    fn finish(mut self) -> Result<Raster, Fault> {
        let frame = self.frame.take().ok_or("the stream has no frame header")?;
        let components = frame.ids.len();
        if self.done[..components].contains(&false) {
            return Err("the stream ends before all components are coded".into());
        }
        if self.transform != 0 {
            if components != 3 || self.planar || !matches!(frame.bits, 8 | 16) {
                return Err(format!(
                    "the HP colour transform {} is supported only for 3 interleaved components of 8 or 16 bits",
                    self.transform
                ));
            }
            undo_transform(self.transform, frame.bits, &mut self.samples);
        }
        let (width, height) = (frame.width as u32, frame.height as u32);
        Ok(Raster { width, height, components, bits: frame.bits, is_lossy: self.is_lossy, samples: self.samples })
    }
}

/// Undoes HP's colour transform `kind` (1 to 3) on samples interleaved by pixel; all sums wrap at `bits` bits.
fn undo_transform(kind: u8, bits: u8, samples: &mut [u16]) {
    let mask = (1i32 << bits) - 1;
    let half = 1 << (bits - 1);
    for pixel in samples.chunks_exact_mut(3) {
        let [v1, v2, v3] = [0, 1, 2].map(|at: usize| i32::from(pixel[at]));
        let (r, g, b) = match kind {
            1 => (v1 + v2 - half, v2, v3 + v2 - half),
            2 => {
                let r = (v1 + v2 - half) & mask;
                (r, v2, v3 + ((r + v2) >> 1) - half)
            }
            _ => {
                let g = (v1 - ((v2 + v3) >> 2) + half / 2) & mask;
                (v3 + g - half, g, v2 + g - half)
            }
        };
        pixel.copy_from_slice(&[r, g, b].map(|value| (value & mask) as u16));
    }
}

#[cfg(test)]
mod tests;
