//! The few things about a JPEG that its decoder keeps to itself, from the segments up to the frame header
//! (ITU-T T.81, annex B).

/// What the segments up to the frame header say.
pub(super) struct Header {
    components: Vec<Component>,
    /// Coefficients come in several scans and are kept until the last.
    progressive: bool,
    /// There is a JFIF segment.
    jfif: bool,
    /// The colour transform that the Adobe segment states.
    adobe: Option<u8>,
}

/// One of the planes that a picture is stored as.
struct Component {
    identifier: u8,
    /// Horizontal sampling factor, at least 1.
    across: u64,
    /// Vertical sampling factor, at least 1.
    down: u64,
}

impl Header {
    /// Reads up to the frame header; `None` where the bytes end before it or make no sense.
    pub(super) fn read(bytes: &[u8]) -> Option<Header> {
        let mut header = Header { components: Vec::new(), progressive: false, jfif: false, adobe: None };
        let mut rest = bytes.get(2..)?;
        loop {
            let (marker, segment);
            (marker, segment, rest) = next_segment(rest)?;
            match marker {
                0xE0 => header.jfif |= segment.starts_with(b"JFIF\0"),
                0xEE if segment.starts_with(b"Adobe") => header.adobe = segment.get(11).copied().or(header.adobe),
                // SOF0…SOF15; the three left out are DHT, JPG and DAC.
                0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                    header.progressive = matches!(marker, 0xC2 | 0xC6 | 0xCA | 0xCE);
                    header.components = components(segment)?;
                    return Some(header);
                }
                _ => {}
            }
        }
    }

    /// Whether three components are red, green and blue by their Adobe segment alone, which the decoder overlooks where
    /// they are numbered 1, 2, 3.
    pub(super) fn is_plain_rgb(&self) -> bool {
        let numbers: Vec<u8> = self.components.iter().map(|c| c.identifier).collect();
        self.adobe == Some(0) && !self.jfif && numbers == [1, 2, 3]
    }

    /// What decoding takes, in bytes: each component's samples at the scale, the picture made of them, a copy of it
    /// for turning or cropping, and a progressive file's coefficients, 16 bits each, at full size.
    pub(super) fn working_bytes(&self, (width, height): (u32, u32), eighths: u32) -> u64 {
        let most = |factor: fn(&Component) -> u64| self.components.iter().map(factor).max().unwrap_or(1);
        let (across, down) = (most(|c| c.across), most(|c| c.down));
        let units = u64::from(width).div_ceil(8 * across) * u64::from(height).div_ceil(8 * down);
        let blocks: u64 = self.components.iter().map(|c| units * c.across * c.down).sum();

        let eighths = u64::from(eighths);
        let pixels = (u64::from(width) * eighths).div_ceil(8) * (u64::from(height) * eighths).div_ceil(8);
        let samples = blocks * eighths * eighths;
        let coefficients = if self.progressive { blocks * 64 * 2 } else { 0 };
        samples + pixels * self.components.len() as u64 + pixels * 3 + coefficients
    }
}

/// The marker of the next segment, its content, and what follows it.
fn next_segment(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    // Fill bytes, and strays between segments, are passed over as the decoder does.
    let mut at = bytes.iter().position(|&byte| byte == 0xFF)?;
    while matches!(bytes.get(at..at + 2)?, [0xFF, 0xFF | 0x00] | [0x00..=0xFE, _]) {
        at += 1;
    }
    let marker = bytes[at + 1];
    let rest = &bytes[at + 2..];
    if matches!(marker, 0x01 | 0xD0..=0xD9) {
        return Some((marker, &[], rest));
    }
    let length = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
    Some((marker, rest.get(2..length)?, &rest[length..]))
}

/// The components that a frame header lists: after precision, height, width and their count, three bytes each.
fn components(frame: &[u8]) -> Option<Vec<Component>> {
    let count = usize::from(*frame.get(5)?);
    let listed = frame.get(6..6 + 3 * count)?;
    let component = |entry: &[u8]| {
        let (across, down) = (u64::from(entry[1] >> 4), u64::from(entry[1] & 15));
        (across > 0 && down > 0).then_some(Component { identifier: entry[0], across, down })
    };
    listed.chunks_exact(3).map(component).collect()
}
