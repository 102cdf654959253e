//! What a data set says of its pixels. Nothing else is taken: no name, no date, no identifier of a person or a study.

use super::error::malformed;
use super::lut::RawLut;
use super::source::Reader;
use super::tags::{self, Tag};
use super::ultrasound;
use super::walk::{Element, Visitor};
use crate::image::Facts;
use crate::{Error, ErrorKind, Result};

/// The longest text or list of numbers that is read, in bytes.
const MAX_TEXT: u64 = 4096;
/// The longest table that is read: 65,536 entries of 16 bits.
const MAX_TABLE: u64 = 2 << 16;
/// The most items of a sequence of tables that are kept.
const MAX_TABLES: usize = 16;
/// The longest table of the places of frames that is read, in bytes: 1,048,576 frames.
const MAX_OFFSETS: u64 = 8 << 20;

/// How stored values become those that windows refer to (PS3.3 C.11.1).
#[derive(Debug, Clone, Default)]
pub(super) struct Modality {
    pub(super) slope: Option<f64>,
    pub(super) intercept: Option<f64>,
    pub(super) lut: Option<RawLut>,
}

/// Which of these values are shown, and how (PS3.3 C.11.2).
#[derive(Debug, Clone, Default)]
pub(super) struct Voi {
    pub(super) luts: Vec<RawLut>,
    pub(super) centers: Vec<f64>,
    pub(super) widths: Vec<f64>,
    pub(super) function: Option<String>,
}

/// What may be said of all frames or of one: in the data set itself or in functional groups (PS3.3 C.7.6.16).
#[derive(Debug, Clone, Default)]
pub(super) struct FrameValues {
    pub(super) modality: Modality,
    pub(super) voi: Voi,
    /// Millimetres from row to row and from column to column.
    pub(super) spacing: Vec<f64>,
}

/// A table of one of the colours of a palette.
#[derive(Debug, Clone, Default)]
pub(super) struct RawPalette {
    pub(super) table: RawLut,
    pub(super) segments: Vec<u8>,
}

/// A region of an ultrasound frame (PS3.3 C.8.5.5).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct UltrasoundRegion {
    /// 1 for tissue in two dimensions.
    pub(super) format: u32,
    /// 1 for tissue in grey, 2 for colour flow.
    pub(super) data_type: u32,
    /// The first and the last column and row that belong to it, left, top, right, bottom, in pixels.
    pub(super) edges: [Option<u32>; 4],
    /// 3 is centimetres.
    pub(super) units: [u32; 2],
    /// Of these units, from column to column and from row to row.
    pub(super) deltas: [f64; 2],
}

/// What a data set says of its pixels, as it says it.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    pub(super) transfer_syntax: Option<String>,
    pub(super) sop_class: Option<String>,
    pub(super) modality: Option<String>,
    pub(super) is_directory: bool,
    pub(super) samples_per_pixel: Option<u16>,
    pub(super) photometric: Option<String>,
    pub(super) planar: u16,
    pub(super) frames: Option<f64>,
    pub(super) rows: Option<u16>,
    pub(super) columns: Option<u16>,
    pub(super) bits_allocated: Option<u16>,
    pub(super) bits_stored: Option<u16>,
    pub(super) high_bit: Option<u16>,
    pub(super) is_signed: bool,
    pub(super) padding: Option<u16>,
    pub(super) padding_limit: Option<u16>,
    /// What it says beside the pixels, without the spacing.
    facts: Facts,
    pub(super) imager_spacing: Vec<f64>,
    pub(super) regions: Vec<UltrasoundRegion>,
    pub(super) palette: [RawPalette; 3],
    pub(super) offsets: Vec<u64>,
    /// What holds for all frames: of the data set, or of the shared groups.
    pub(super) shared: FrameValues,
    /// What holds for the frame that is looked at alone.
    pub(super) own: FrameValues,
}

impl Header {
    /// What it says of the picture beside the pixels. `region` is the region of an ultrasound frame that is looked at.
    pub(super) fn facts(&self, region: Option<&UltrasoundRegion>) -> Facts {
        let of = |values: &[f64]| match *values {
            // From row to row, then from column to column (PS3.3 10.7.1.3).
            [rows, columns, ..] => Some([columns, rows]),
            _ => None,
        };
        let is_sound = |spacing: &[f64; 2]| spacing.iter().all(|length| length.is_finite() && *length > 0.0);
        let spacing = if self.own.spacing.is_empty() { &self.shared.spacing } else { &self.own.spacing };
        let in_body = region.and_then(ultrasound::spacing).filter(is_sound).or_else(|| of(spacing).filter(is_sound));
        let at_detector = of(&self.imager_spacing).filter(is_sound);
        Facts {
            spacing: in_body.or(at_detector),
            is_spacing_of_detector: at_detector.is_some() && (in_body.is_none() || in_body == at_detector),
            ..self.facts
        }
    }
}

/// Reads a header. `frame` is the frame that is looked at: of the other frames' groups nothing is kept.
pub(super) struct Collector {
    pub(super) header: Header,
    frame: u64,
    /// The number of the frame whose groups the walk is in, plus 1.
    group: u64,
    /// The number of ultrasound regions that began, of which the first are kept.
    regions: usize,
}

impl Collector {
    pub(super) fn new(frame: u64) -> Collector {
        Collector { header: Header::default(), frame, group: 0, regions: 0 }
    }

    /// The values that elements under this path belong to. `None` where they are another frame's.
    fn values(&mut self, path: &[Tag]) -> Option<&mut FrameValues> {
        match path.first() {
            Some(&tags::FRAME_GROUPS) => (self.group == self.frame + 1).then_some(&mut self.header.own),
            _ => Some(&mut self.header.shared),
        }
    }

    /// The table that an element of one of a sequence's items belongs to.
    fn table(&mut self, path: &[Tag]) -> Option<&mut RawLut> {
        let sequence = *path.last()?;
        let values = self.values(path)?;
        match sequence {
            tags::MODALITY_LUT => values.modality.lut.as_mut(),
            _ => values.voi.luts.last_mut(),
        }
    }

    fn in_group(&mut self, path: &[Tag], element: &Element, reader: &mut Reader<'_>) -> Result<()> {
        let tag = element.tag;
        let sequence = path.last().copied();
        let Some(values) = self.values(path) else { return Ok(()) };
        match (tag, sequence) {
            (tags::INTERCEPT, None | Some(tags::FRAME_TRANSFORM)) => {
                values.modality.intercept = numbers(element, reader)?.first().copied();
            }
            (tags::SLOPE, None | Some(tags::FRAME_TRANSFORM)) => {
                values.modality.slope = numbers(element, reader)?.first().copied();
            }
            (tags::WINDOW_CENTER, None | Some(tags::FRAME_VOI)) => values.voi.centers = numbers(element, reader)?,
            (tags::WINDOW_WIDTH, None | Some(tags::FRAME_VOI)) => values.voi.widths = numbers(element, reader)?,
            (tags::VOI_FUNCTION, None | Some(tags::FRAME_VOI)) => values.voi.function = Some(text(element, reader)?),
            (tags::SPACING, None | Some(tags::PIXEL_MEASURES)) => {
                values.spacing = numbers(element, reader).unwrap_or_default();
            }
            (tags::LUT_DESCRIPTOR, Some(tags::MODALITY_LUT | tags::VOI_LUT)) => {
                if let Some(table) = self.table(path) {
                    table.descriptor = descriptor(element, reader)?;
                    table.is_stated_signed =
                        (&element.vr == b"SS").then_some(true).or((&element.vr == b"US").then_some(false));
                }
            }
            (tags::LUT_DATA, Some(tags::MODALITY_LUT | tags::VOI_LUT)) => {
                if let Some(table) = self.table(path) {
                    table.data = table_data(element, reader)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A value of a region. One that is no number is absent: no picture is refused for its regions.
    fn region(&mut self, element: &Element, reader: &mut Reader<'_>) {
        if self.regions > MAX_TABLES {
            return;
        }
        let Some(region) = self.header.regions.last_mut() else { return };
        let edge = [tags::REGION_LEFT, tags::REGION_TOP, tags::REGION_RIGHT, tags::REGION_BOTTOM]
            .into_iter()
            .position(|tag| tag == element.tag);
        if let Some(edge) = edge {
            region.edges[edge] = long(element, reader).unwrap_or_default();
            return;
        }
        let mut code = || unsigned(element, reader).ok().flatten().map_or(0, u32::from);
        match element.tag {
            tags::REGION_FORMAT => region.format = code(),
            tags::REGION_DATA_TYPE => region.data_type = code(),
            tags::REGION_UNIT_X => region.units[0] = code(),
            tags::REGION_UNIT_Y => region.units[1] = code(),
            tags::REGION_DELTA_X => region.deltas[0] = double(element, reader).unwrap_or_default(),
            tags::REGION_DELTA_Y => region.deltas[1] = double(element, reader).unwrap_or_default(),
            _ => {}
        }
    }

    fn at_root(&mut self, element: &Element, reader: &mut Reader<'_>) -> Result<()> {
        let header = &mut self.header;
        match element.tag {
            tags::TRANSFER_SYNTAX => header.transfer_syntax = Some(text(element, reader)?),
            tags::SOP_CLASS => header.sop_class = Some(text(element, reader)?),
            tags::MODALITY => header.modality = text(element, reader).ok(),
            tags::SAMPLES_PER_PIXEL => header.samples_per_pixel = unsigned(element, reader)?,
            tags::PHOTOMETRIC => header.photometric = Some(text(element, reader)?),
            tags::PLANAR => header.planar = unsigned(element, reader)?.unwrap_or(0),
            tags::FRAMES => header.frames = numbers(element, reader)?.first().copied(),
            tags::ROWS => header.rows = unsigned(element, reader)?,
            tags::COLUMNS => header.columns = unsigned(element, reader)?,
            tags::BITS_ALLOCATED => header.bits_allocated = unsigned(element, reader)?,
            tags::BITS_STORED => header.bits_stored = unsigned(element, reader)?,
            tags::HIGH_BIT => header.high_bit = unsigned(element, reader)?,
            tags::REPRESENTATION => {
                header.is_signed = match unsigned(element, reader)? {
                    None | Some(0) => false,
                    Some(1) => true,
                    Some(other) => return Err(malformed(element.tag, format!("is {other}"))),
                };
            }
            tags::PADDING => header.padding = unsigned(element, reader)?,
            tags::PADDING_LIMIT => header.padding_limit = unsigned(element, reader)?,
            tags::BURNED_IN => header.facts.is_burned_in = text(element, reader).is_ok_and(|text| text == "YES"),
            tags::IMAGER_SPACING => header.imager_spacing = numbers(element, reader).unwrap_or_default(),
            tags::RED_DESCRIPTOR => header.palette[0].table.descriptor = descriptor(element, reader)?,
            tags::GREEN_DESCRIPTOR => header.palette[1].table.descriptor = descriptor(element, reader)?,
            tags::BLUE_DESCRIPTOR => header.palette[2].table.descriptor = descriptor(element, reader)?,
            tags::RED_DATA => header.palette[0].table.data = table_data(element, reader)?,
            tags::GREEN_DATA => header.palette[1].table.data = table_data(element, reader)?,
            tags::BLUE_DATA => header.palette[2].table.data = table_data(element, reader)?,
            tags::RED_SEGMENTS => header.palette[0].segments = table_data(element, reader)?,
            tags::GREEN_SEGMENTS => header.palette[1].segments = table_data(element, reader)?,
            tags::BLUE_SEGMENTS => header.palette[2].segments = table_data(element, reader)?,
            tags::OFFSETS => {
                let bytes = value(element, reader, MAX_OFFSETS)?;
                let number = |part: &[u8]| part.try_into().map_or(0, u64::from_le_bytes);
                header.offsets = bytes.chunks_exact(8).map(number).collect();
            }
            _ => return self.in_group(&[], element, reader),
        }
        Ok(())
    }
}

impl Visitor for Collector {
    fn enters(&self, path: &[Tag], sequence: Tag) -> bool {
        match path {
            [] => matches!(
                sequence,
                tags::MODALITY_LUT | tags::VOI_LUT | tags::REGIONS | tags::SHARED_GROUPS | tags::FRAME_GROUPS
            ),
            [tags::SHARED_GROUPS | tags::FRAME_GROUPS] => {
                matches!(sequence, tags::FRAME_TRANSFORM | tags::FRAME_VOI | tags::PIXEL_MEASURES)
            }
            [_, tags::FRAME_TRANSFORM] => sequence == tags::MODALITY_LUT,
            [_, tags::FRAME_VOI] => sequence == tags::VOI_LUT,
            _ => false,
        }
    }

    fn item(&mut self, path: &[Tag]) -> Result<()> {
        match path.last() {
            Some(&tags::FRAME_GROUPS) => self.group += 1,
            Some(&tags::REGIONS) => {
                self.regions += 1;
                if self.regions <= MAX_TABLES {
                    self.header.regions.push(UltrasoundRegion::default());
                }
            }
            Some(&tags::MODALITY_LUT) => {
                if let Some(values) = self.values(path) {
                    values.modality.lut.get_or_insert_default();
                }
            }
            Some(&tags::VOI_LUT) => {
                if let Some(values) = self.values(path) {
                    if values.voi.luts.len() == MAX_TABLES {
                        return Err(malformed(tags::VOI_LUT, format!("has more than {MAX_TABLES} tables")));
                    }
                    values.voi.luts.push(RawLut::default());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn element(&mut self, path: &[Tag], element: &Element, reader: &mut Reader<'_>) -> Result<()> {
        match path {
            [] => {
                self.header.is_directory |= element.tag.group() == 4;
                self.header.facts.has_overlay |= element.tag.is_overlay() && element.length != Some(0);
                self.at_root(element, reader)
            }
            [tags::REGIONS] => {
                self.region(element, reader);
                Ok(())
            }
            _ => self.in_group(path, element, reader),
        }
    }
}

/// The bytes of an element's value, of which there must be no more than `max`.
fn value(element: &Element, reader: &mut Reader<'_>, max: u64) -> Result<Vec<u8>> {
    let length = element.length.unwrap_or(0);
    if length > max {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!("DICOM: {} has {length} bytes; at most {max} are read: export the frame as PNG", element.tag),
        ));
    }
    reader.bytes(length)
}

/// A text without the spaces and zeros around it.
fn text(element: &Element, reader: &mut Reader<'_>) -> Result<String> {
    let bytes = value(element, reader, MAX_TEXT)?;
    Ok(String::from_utf8_lossy(&bytes).trim_matches([' ', '\0']).to_owned())
}

/// Numbers that are written as text, or as binary numbers. Empty ones are left out.
fn numbers(element: &Element, reader: &mut Reader<'_>) -> Result<Vec<f64>> {
    let (tag, encoding) = (element.tag, element.encoding);
    match &element.vr {
        b"US" => Ok(unsigned(element, reader)?.map(f64::from).into_iter().collect()),
        b"SS" => Ok(unsigned(element, reader)?.map(|bits| f64::from(bits.cast_signed())).into_iter().collect()),
        b"FD" => {
            let bytes = value(element, reader, MAX_TEXT)?;
            let number = |part: &[u8]| part.try_into().map_or(0.0, |part| encoding.f64(part));
            Ok(bytes.chunks_exact(8).map(number).collect())
        }
        _ => {
            let text = text(element, reader)?;
            let parts = text.split('\\').map(|part| part.trim_matches([' ', '\0'])).filter(|part| !part.is_empty());
            let number = |part: &str| part.parse().ok().filter(|number: &f64| number.is_finite());
            parts.map(|part| number(part).ok_or_else(|| malformed(tag, "is not a number"))).collect()
        }
    }
}

/// The first of an element's numbers of 16 bits. `None` where it is empty.
fn unsigned(element: &Element, reader: &mut Reader<'_>) -> Result<Option<u16>> {
    match element.length {
        Some(0) => Ok(None),
        Some(2..) => Ok(Some(element.encoding.u16(reader.array()?))),
        _ => Err(malformed(element.tag, "is no number of 16 bits")),
    }
}

/// The first of an element's numbers of 32 bits. `None` where it is empty.
fn long(element: &Element, reader: &mut Reader<'_>) -> Result<Option<u32>> {
    match element.length {
        Some(0) => Ok(None),
        Some(4..) => Ok(Some(element.encoding.u32(reader.array()?))),
        _ => Err(malformed(element.tag, "is no number of 32 bits")),
    }
}

/// An element's number of 64 bits, 0 where it is none.
fn double(element: &Element, reader: &mut Reader<'_>) -> Result<f64> {
    match element.length {
        Some(8..) => Ok(element.encoding.f64(reader.array()?)),
        _ => Ok(0.0),
    }
}

/// The three numbers of a table's descriptor.
fn descriptor(element: &Element, reader: &mut Reader<'_>) -> Result<Option<[u16; 3]>> {
    match element.length {
        Some(0) => Ok(None),
        Some(6..) => {
            let bytes: [u8; 6] = reader.array()?;
            Ok(Some([0, 2, 4].map(|at| element.encoding.u16([bytes[at], bytes[at + 1]]))))
        }
        _ => Err(malformed(element.tag, "has fewer than three numbers")),
    }
}

/// The bytes of a table, in little endian.
fn table_data(element: &Element, reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    let mut bytes = value(element, reader, MAX_TABLE)?;
    if element.encoding.is_big_endian && &element.vr != b"OB" {
        bytes.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
    }
    Ok(bytes)
}
