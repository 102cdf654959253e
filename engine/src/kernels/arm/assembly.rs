//! What the blocks of assembly share: the registers that they use, and requantization.

use crate::arithmetic::OutputStage;

/// A block of assembly with NEON. Lines of text come first, then operands, which are integers and addresses in general
/// registers.
///
/// - The directives make the assembler accept NEON; they enable nothing for the compiler.
/// - A block may change any vector register. It saves `d8` to `d15` itself, as the procedure call standard (AAPCS32,
///   6.1.2.1) has a function do. The compiler would ignore an operand that declares a register of a class which the
///   target is compiled without, as `q4`, while the functions that called this one may use it. The others are declared.
/// - Blocks touch memory, so that the compiler keeps their order. They leave the stack as it was.
/// - The assembler's macro `round` makes integers of four floats: the low 8 bits of each lane are `round(clamp(x))`. It
///   needs a [`Requantize`] in `q4` to `q7`.
macro_rules! neon {
    ($($line:expr),+ ; $($operands:tt)*) => {
        std::arch::asm!(
            ".arch armv7-a",
            ".fpu neon",
            ".macro round value",
            r"vmax.f32 \value, \value, q4",
            r"vmin.f32 \value, \value, q5",
            r"vadd.f32 \value, \value, q6",
            ".endm",
            "vpush {{d8-d15}}",
            $($line,)+
            "vpop {{d8-d15}}",
            ".purgem round",
            $($operands)*
            out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d4") _, out("d5") _, out("d6") _, out("d7") _,
            out("d16") _, out("d17") _, out("d18") _, out("d19") _, out("d20") _, out("d21") _, out("d22") _,
            out("d23") _, out("d24") _, out("d25") _, out("d26") _, out("d27") _, out("d28") _, out("d29") _,
            out("d30") _, out("d31") _,
        )
    };
}

pub(super) use neon;

/// 1.5 · 2²³. The sum of this and a float of a magnitude up to 2²², rounded to a float, is that of this and the number
/// rounded to an integer: to the nearest, ties to even, as this is even. The low bits of the sum are the integer's.
const MAGIC: f32 = 12_582_912.0;

/// How a float `x` becomes a byte: `round(clamp(x)) + zero_point`, where the clamp keeps the byte between `min` and
/// `max`. All lanes of a vector have the same number. Blocks of assembly load the fields in this order.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
pub(super) struct Requantize {
    /// The minimum and the maximum byte less the zero point.
    min: [f32; 4],
    max: [f32; 4],
    magic: [f32; 4],
    zero_point: [u8; 16],
}

impl Requantize {
    pub(super) fn new(zero_point: u8, min: u8, max: u8) -> Requantize {
        let limit = |byte: u8| [f32::from(byte) - f32::from(zero_point); 4];
        Requantize { min: limit(min), max: limit(max), magic: [MAGIC; 4], zero_point: [zero_point; 16] }
    }

    /// The parameters of an output stage. Those for [`OutputStage::Float`] are not used.
    pub(super) fn of(output_stage: &OutputStage) -> Requantize {
        match *output_stage {
            OutputStage::Byte { zero_point, min, max, .. } => Requantize::new(zero_point, min, max),
            OutputStage::Float => Requantize::new(0, 0, 255),
        }
    }
}
