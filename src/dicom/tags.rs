//! The tags that are read, with their names (PS3.6).

use std::fmt;

/// The tag of an element: group and number, 16 bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag(pub(super) u32);

impl Tag {
    pub(super) fn group(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Whether this is Overlay Data (PS3.3 C.9.2), of one of sixteen overlays.
    pub(super) fn is_overlay(self) -> bool {
        self.0 & 0xFFE1_FFFF == 0x6000_3000
    }
}

/// Declares constants of tags, and their names as people know them.
macro_rules! tags {
    ($($constant:ident = $value:literal, $name:literal;)*) => {
        $(pub(super) const $constant: Tag = Tag($value);)*

        /// The tag with its name, where it has one here: "Rows (0028,0010)".
        impl fmt::Display for Tag {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let name = match self.0 {
                    $($value => concat!($name, " "),)*
                    _ => "",
                };
                write!(f, "{name}({:04X},{:04X})", self.0 >> 16, self.0 & 0xFFFF)
            }
        }
    };
}

tags! {
    TRANSFER_SYNTAX = 0x0002_0010, "Transfer Syntax UID";
    SOP_CLASS = 0x0008_0016, "SOP Class UID";
    MODALITY = 0x0008_0060, "Modality";
    REGIONS = 0x0018_6011, "Sequence of Ultrasound Regions";
    REGION_FORMAT = 0x0018_6012, "Region Spatial Format";
    REGION_DATA_TYPE = 0x0018_6014, "Region Data Type";
    REGION_LEFT = 0x0018_6018, "Region Location Min X0";
    REGION_TOP = 0x0018_601A, "Region Location Min Y0";
    REGION_RIGHT = 0x0018_601C, "Region Location Max X1";
    REGION_BOTTOM = 0x0018_601E, "Region Location Max Y1";
    REGION_UNIT_X = 0x0018_6024, "Physical Units X Direction";
    REGION_UNIT_Y = 0x0018_6026, "Physical Units Y Direction";
    REGION_DELTA_X = 0x0018_602C, "Physical Delta X";
    REGION_DELTA_Y = 0x0018_602E, "Physical Delta Y";
    IMAGER_SPACING = 0x0018_1164, "Imager Pixel Spacing";
    SAMPLES_PER_PIXEL = 0x0028_0002, "Samples per Pixel";
    PHOTOMETRIC = 0x0028_0004, "Photometric Interpretation";
    PLANAR = 0x0028_0006, "Planar Configuration";
    FRAMES = 0x0028_0008, "Number of Frames";
    ROWS = 0x0028_0010, "Rows";
    COLUMNS = 0x0028_0011, "Columns";
    SPACING = 0x0028_0030, "Pixel Spacing";
    BITS_ALLOCATED = 0x0028_0100, "Bits Allocated";
    BITS_STORED = 0x0028_0101, "Bits Stored";
    HIGH_BIT = 0x0028_0102, "High Bit";
    REPRESENTATION = 0x0028_0103, "Pixel Representation";
    PADDING = 0x0028_0120, "Pixel Padding Value";
    PADDING_LIMIT = 0x0028_0121, "Pixel Padding Range Limit";
    BURNED_IN = 0x0028_0301, "Burned In Annotation";
    WINDOW_CENTER = 0x0028_1050, "Window Center";
    WINDOW_WIDTH = 0x0028_1051, "Window Width";
    INTERCEPT = 0x0028_1052, "Rescale Intercept";
    SLOPE = 0x0028_1053, "Rescale Slope";
    VOI_FUNCTION = 0x0028_1056, "VOI LUT Function";
    RED_DESCRIPTOR = 0x0028_1101, "Red Palette Color Lookup Table Descriptor";
    GREEN_DESCRIPTOR = 0x0028_1102, "Green Palette Color Lookup Table Descriptor";
    BLUE_DESCRIPTOR = 0x0028_1103, "Blue Palette Color Lookup Table Descriptor";
    RED_DATA = 0x0028_1201, "Red Palette Color Lookup Table Data";
    GREEN_DATA = 0x0028_1202, "Green Palette Color Lookup Table Data";
    BLUE_DATA = 0x0028_1203, "Blue Palette Color Lookup Table Data";
    RED_SEGMENTS = 0x0028_1221, "Segmented Red Palette Color Lookup Table Data";
    GREEN_SEGMENTS = 0x0028_1222, "Segmented Green Palette Color Lookup Table Data";
    BLUE_SEGMENTS = 0x0028_1223, "Segmented Blue Palette Color Lookup Table Data";
    MODALITY_LUT = 0x0028_3000, "Modality LUT Sequence";
    LUT_DESCRIPTOR = 0x0028_3002, "LUT Descriptor";
    LUT_DATA = 0x0028_3006, "LUT Data";
    VOI_LUT = 0x0028_3010, "VOI LUT Sequence";
    PIXEL_MEASURES = 0x0028_9110, "Pixel Measures Sequence";
    FRAME_VOI = 0x0028_9132, "Frame VOI LUT Sequence";
    FRAME_TRANSFORM = 0x0028_9145, "Pixel Value Transformation Sequence";
    SHARED_GROUPS = 0x5200_9229, "Shared Functional Groups Sequence";
    FRAME_GROUPS = 0x5200_9230, "Per-Frame Functional Groups Sequence";
    OFFSETS = 0x7FE0_0001, "Extended Offset Table";
    FLOAT_PIXELS = 0x7FE0_0008, "Float Pixel Data";
    DOUBLE_PIXELS = 0x7FE0_0009, "Double Float Pixel Data";
    PIXELS = 0x7FE0_0010, "Pixel Data";
    ITEM = 0xFFFE_E000, "Item";
    ITEM_END = 0xFFFE_E00D, "Item Delimitation Item";
    SEQUENCE_END = 0xFFFE_E0DD, "Sequence Delimitation Item";
}
