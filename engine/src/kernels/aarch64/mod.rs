//! Kernels for 64-bit ARM: what any such processor has, dot products, and 8-bit matrix products.
//!
//! The sets share their tiles, their rounding and what is done element by element; they differ in how four or eight inputs
//! are multiplied and summed ([`products`], [`depthwise`]). Their instructions are written as assembly where Rust has no
//! stable function for them; each such block says for the assembler alone which extension it is of.
#![allow(unsafe_code, reason = "instructions that not every processor has, on memory whose bounds are checked before")]
#![allow(clippy::inline_always, reason = "vectors that are passed to a function go through memory")]

mod depthwise;
mod dots;
mod elementwise;
mod fives;
mod matrix;
mod products;
mod rounding;

use std::arch::is_aarch64_feature_detected;

use super::{Filters, Kernels, Matrix, portable};
use crate::program::{AddRule, MultiplyRule, Window};
use depthwise::{Dotted, MOST_TAPS, Widened};
use dots::{Signed, Unsigned};
use fives::Fives;
use products::{Blocks, Dots, Widening};

/// Adds the sets that this processor can run.
///
/// The standard library's detection is right on all systems that matter: it asks `getauxval` for `AT_HWCAP` and
/// `AT_HWCAP2` on Linux and on Android alike (Rust 1.91, `std_detect`, `os/linux/auxvec.rs`), and `sysctlbyname` on
/// Apple's.
pub(super) fn add_to(sets: &mut Vec<&'static dyn Kernels>) {
    sets.push(&Neon);
    if is_aarch64_feature_detected!("dotprod") {
        sets.push(&DotProducts);
        if is_aarch64_feature_detected!("i8mm") {
            sets.push(&MatrixProducts);
        }
    }
}

/// What every 64-bit ARM processor has.
#[derive(Debug)]
struct Neon;

/// `sdot`: four signed bytes a lane. Reached only where the processor has it.
#[derive(Debug)]
struct DotProducts;

/// `usmmla` and `usdot`: blocks of two rows by two outputs, and unsigned bytes. Reached only where the processor has them.
#[derive(Debug)]
struct MatrixProducts;

/// What the sets share.
macro_rules! shared {
    () => {
        fn quantize(&self, from: &[f32], scale: f32, zero: u8, to: &mut [u8]) {
            elementwise::quantize(from, scale, zero, to);
        }

        fn add(&self, rule: &AddRule, a: &[u8], b: &[u8], to: &mut [u8]) {
            elementwise::add(rule, a, b, to);
        }

        fn multiply(&self, rule: &MultiplyRule, a: &[u8], b: &[u8], to: &mut [u8]) {
            elementwise::multiply(rule, a, b, to);
        }

        fn lookup(&self, table: &[u8; 256], from: &[u8], to: &mut [u8]) {
            elementwise::lookup(table, from, to);
        }

        fn lookup_in_place(&self, table: &[u8; 256], bytes: &mut [u8]) {
            elementwise::lookup_in_place(table, bytes);
        }

        fn interleave(&self, planes: [&[u8]; 3], to: &mut [u8]) {
            elementwise::interleave(planes, to);
        }

        fn sum(&self, from: &[u8], stride: usize, count: usize, sums: &mut [i32]) {
            elementwise::sum(from, stride, count, sums);
        }
    };
}

impl Kernels for Neon {
    fn name(&self) -> &'static str {
        "neon"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn super::Gemm> {
        Box::new(matrix::Gemm::<Widening>::new(matrix))
    }

    fn depthwise(&self, filters: &Filters<'_>) -> Box<dyn super::Depthwise> {
        if filters.taps > MOST_TAPS {
            return Box::new(portable::Depthwise::new(filters));
        }
        Box::new(depthwise::Depthwise::<Widened>::new(filters))
    }

    shared!();
}

impl Kernels for DotProducts {
    fn name(&self) -> &'static str {
        "dotprod"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn super::Gemm> {
        Box::new(matrix::Gemm::<Dots>::new(matrix))
    }

    fn depthwise(&self, filters: &Filters<'_>) -> Box<dyn super::Depthwise> {
        if filters.taps > MOST_TAPS {
            return Box::new(portable::Depthwise::new(filters));
        }
        Box::new(depthwise::Depthwise::<Dotted<Signed>>::new(filters))
    }

    fn depthwise_in(&self, filters: &Filters<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        match Fives::<Signed>::new(filters, window) {
            Some(fives) => Box::new(fives),
            None => self.depthwise(filters),
        }
    }

    shared!();
}

impl Kernels for MatrixProducts {
    fn name(&self) -> &'static str {
        "i8mm"
    }

    fn gemm(&self, matrix: &Matrix<'_>) -> Box<dyn super::Gemm> {
        Box::new(matrix::Gemm::<Blocks>::new(matrix))
    }

    fn depthwise(&self, filters: &Filters<'_>) -> Box<dyn super::Depthwise> {
        if filters.taps > MOST_TAPS {
            return Box::new(portable::Depthwise::new(filters));
        }
        Box::new(depthwise::Depthwise::<Dotted<Unsigned>>::new(filters))
    }

    fn depthwise_in(&self, filters: &Filters<'_>, window: &Window) -> Box<dyn super::Depthwise> {
        match Fives::<Unsigned>::new(filters, window) {
            Some(fives) => Box::new(fives),
            None => self.depthwise(filters),
        }
    }

    shared!();
}
