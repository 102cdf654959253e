//! Every set of kernels gives what the portable one gives, to the bit.

use super::*;
use crate::program::Window;

/// Numbers that look random and are the same in each run (Knuth's MMIX generator).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// From 0 to `most`.
    fn up_to(&mut self, most: usize) -> usize {
        (self.next() % (most as u64 + 1)) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    /// Weights of 8 bits, or of 9 as unsigned ones less a zero point can be; all of them large in one case of four.
    fn weights(&mut self, count: usize) -> Vec<i16> {
        let (wide, large) = (self.up_to(3) == 0, self.up_to(3) == 0);
        let (least, most): (i16, i16) = if wide { (-255, 255) } else { (-128, 127) };
        let weight = |random: &mut Random| {
            let any = least + random.up_to((most - least) as usize) as i16;
            match any {
                _ if !large => any,
                any if any < 0 => least,
                _ => most,
            }
        };
        (0..count).map(|_| weight(self)).collect()
    }

    /// From a millionth to one.
    fn scale(&mut self) -> f32 {
        10_f32.powf(-6.0 * self.up_to(1000) as f32 / 1000.0)
    }

    fn rounding(&mut self) -> Rounding {
        let (a, b) = (self.byte(), self.byte());
        let (least, most) = if self.up_to(1) == 0 { (0, 255) } else { (a.min(b), a.max(b)) };
        Rounding::Byte { zero: self.byte(), least, most, table: None }
    }

    /// Multipliers with which sums of so many products fill the range of a byte, more or less.
    fn multipliers(&mut self, count: usize, products: usize) -> Vec<f32> {
        let usual = 1.0 / (80.0 * (products as f32).sqrt());
        (0..count).map(|_| usual * 10_f32.powf(self.up_to(2000) as f32 / 1000.0 - 1.0)).collect()
    }

    fn biases(&mut self, count: usize) -> Vec<i32> {
        (0..count).map(|_| self.up_to(40_000) as i32 - 20_000).collect()
    }
}

/// The sets to hold against the portable one.
fn others() -> Vec<&'static dyn Kernels> {
    available().into_iter().filter(|kernels| kernels.name() != "portable").collect()
}

#[test]
fn the_best_set_is_chosen_or_the_one_that_is_named() {
    let name = chosen().map(Kernels::name);
    match std::env::var("BEDSIDE_KERNEL") {
        Ok(wanted) => assert_eq!(name, Some(&wanted[..])),
        Err(_) => assert_eq!(name, available().last().map(|kernels| kernels.name()).filter(|&best| best != "portable")),
    }
}

#[test]
fn matrix_products_are_the_same() {
    for kernels in others() {
        for case in 0..400 {
            let random = &mut Random(case);
            let (rows, columns, count) = (1 + random.up_to(50), 1 + random.up_to(90), random.up_to(11));
            let (stride, to_stride) = (columns + random.up_to(5), rows + random.up_to(5));
            let rounding = random.rounding();
            let (weights, bias) = (random.weights(rows * columns), random.biases(rows));
            let multipliers = random.multipliers(rows, columns);
            let matrix = Matrix {
                rows,
                columns,
                weights: &weights,
                bias: &bias,
                multipliers: &multipliers,
                rounding: &rounding,
            };
            let from = random.bytes(count * stride + SLACK);
            let bytes = |kernels: &dyn Kernels| {
                let mut to = vec![99; (count * to_stride).max(rows)];
                kernels.gemm(&matrix).bytes(&from, stride, count, &mut to, to_stride);
                to
            };
            assert_eq!(bytes(kernels), bytes(&portable::Portable), "{}, case {case}", kernels.name());
            let floats = |kernels: &dyn Kernels| {
                let mut to = vec![99.0; (count * to_stride).max(rows)];
                let matrix = Matrix { rounding: &Rounding::Float, ..matrix };
                kernels.gemm(&matrix).floats(&from, stride, count, &mut to, to_stride);
                to.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            assert_eq!(floats(kernels), floats(&portable::Portable), "{}, case {case}", kernels.name());
        }
    }
}

#[test]
fn depthwise_filters_are_the_same() {
    for kernels in others() {
        for case in 0..400 {
            let random = &mut Random(case);
            let pair = |random: &mut Random, least: usize, most: usize| {
                [least + random.up_to(most - least), least + random.up_to(most - least)]
            };
            let kernel = if random.up_to(1) == 0 { [3, 3] } else { pair(random, 1, 6) };
            let (stride, dilation, pad) = (pair(random, 1, 3), pair(random, 1, 2), pair(random, 0, 3));
            let window = Window { kernel, stride, dilation, pad };
            let [height, width] = pair(random, 1, 12);
            let (channels, out_width) = (1 + random.up_to(40), 1 + random.up_to(5));
            let taps = kernel[0] * kernel[1];
            let rounding = random.rounding();
            let (weights, bias) = (random.weights(channels * taps), random.biases(channels));
            let multipliers = random.multipliers(channels, taps);
            let filters = Filters {
                channels,
                taps,
                weights: &weights,
                bias: &bias,
                multipliers: &multipliers,
                rounding: &rounding,
            };
            let bytes = random.bytes(height * width * channels + SLACK);
            let padding = vec![random.byte(); channels + SLACK];
            let picture = Picture { bytes: &bytes, height, width, padding: &padding };
            let line = |kernels: &dyn Kernels, y: usize| {
                let mut to = vec![99; out_width * channels];
                kernels.depthwise_in(&filters, &window).row(&picture, &window, y, &mut to);
                to
            };
            for y in 0..4 {
                assert_eq!(line(kernels, y), line(&portable::Portable, y), "{}, case {case}", kernels.name());
            }
        }
    }
}

#[test]
fn sums_and_products_of_tensors_are_the_same() {
    for kernels in others() {
        for case in 0..200 {
            let random = &mut Random(case);
            let count = random.up_to(100);
            let (a, b) = (random.bytes(count), random.bytes(count));
            let Rounding::Byte { zero, least, most, .. } = random.rounding() else { unreachable!("bytes") };
            let shift = |random: &mut Random| if random.up_to(1) == 0 { 0 } else { 128 };
            let rule = AddRule {
                shifts: [shift(random), shift(random)],
                shares: [random.scale() * 2.0, random.scale() * 2.0],
                fixed: random.up_to(600) as f32 / 3.0 - 100.0,
                shift: shift(random),
                least,
                most,
            };
            let sum = |kernels: &dyn Kernels| {
                let mut to = vec![99; count];
                kernels.add(&rule, &a, &b, &mut to);
                to
            };
            assert_eq!(sum(kernels), sum(&portable::Portable), "{}, case {case}", kernels.name());
            let zeros = [random.byte(), random.byte()];
            let rule = MultiplyRule { zeros, multiplier: random.scale(), zero, least, most };
            let product = |kernels: &dyn Kernels| {
                let mut to = vec![99; count];
                kernels.multiply(&rule, &a, &b, &mut to);
                to
            };
            assert_eq!(product(kernels), product(&portable::Portable), "{}, case {case}", kernels.name());
        }
    }
}

#[test]
fn quantizing_and_looking_up_are_the_same() {
    for kernels in others() {
        for case in 0..200 {
            let random = &mut Random(case);
            let count = random.up_to(100);
            let (scale, zero) = (random.scale(), random.byte());
            // Ties among them, what is out of range, and what is not a number.
            let mut floats: Vec<f32> = (0..count).map(|_| (random.up_to(600) as f32 - 300.0) / 2.0 * scale).collect();
            for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE] {
                floats.extend([odd, -odd]);
            }
            let quantized = |kernels: &dyn Kernels| {
                let mut to = vec![99; floats.len()];
                kernels.quantize(&floats, scale, zero, &mut to);
                to
            };
            assert_eq!(quantized(kernels), quantized(&portable::Portable), "{}, case {case}", kernels.name());
            let table: [u8; 256] = std::array::from_fn(|_| random.byte());
            let bytes = random.bytes(count);
            let found = |kernels: &dyn Kernels| {
                let mut to = vec![99; count];
                kernels.lookup(&table, &bytes, &mut to);
                to
            };
            assert_eq!(found(kernels), found(&portable::Portable), "{}, case {case}", kernels.name());
        }
    }
}

#[test]
fn bytes_are_rounded_as_the_contract_says() {
    // IEEE 754, 4.3.1: to the nearest, ties to even; then the zero point; then the limits.
    for (value, zero, expected) in
        [(0.5, 10, 10), (1.5, 10, 12), (-0.5, 10, 10), (-1.5, 10, 8), (2.500_000_2, 0, 3), (1e9, 3, 255), (-1e9, 3, 0)]
    {
        assert_eq!(byte(value, zero, 0, 255), expected, "{value} {zero}");
    }
    assert_eq!((byte(-1e9, 3, 7, 9), byte(1e9, 3, 7, 9), byte(5.0, 3, 7, 9)), (7, 9, 8));
}

#[test]
fn a_product_and_a_sum_are_rounded_once() {
    for share in [0.993_421_6_f32, 0.003_921_569, 1.734_2, 1.0 / 3.0] {
        for fixed in [-117.394_52_f32, 0.5, 128.0, 1.0e-3] {
            for number in -128..=255_i16 {
                let number = f32::from(number);
                assert_eq!(
                    fused(number, share, fixed).to_bits(),
                    number.mul_add(share, fixed).to_bits(),
                    "{number} {share} {fixed}"
                );
            }
        }
    }
}

#[test]
fn products_of_long_rows_are_the_same() {
    for kernels in others() {
        let random = &mut Random(7);
        let (rows, columns, count) = (3, 9_001, 6);
        let (weights, bias) = (random.weights(rows * columns), random.biases(rows));
        let (multipliers, rounding) = (random.multipliers(rows, columns), random.rounding());
        let matrix =
            Matrix { rows, columns, weights: &weights, bias: &bias, multipliers: &multipliers, rounding: &rounding };
        let from = random.bytes(count * columns + SLACK);
        let bytes = |kernels: &dyn Kernels| {
            let mut to = vec![99; count * rows];
            kernels.gemm(&matrix).bytes(&from, columns, count, &mut to, rows);
            to
        };
        assert_eq!(bytes(kernels), bytes(&portable::Portable), "{}", kernels.name());
    }
}
