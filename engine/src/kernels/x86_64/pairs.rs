//! The packing of weights for `pmaddubsw`, such that it never saturates. AVX2's `vpmaddubsw` and SSE's are the same
//! instruction in this.
//!
//! For each output, the instruction multiplies a group of four bytes with four weights and adds the products two by
//! two, as 16-bit numbers. With bytes up to 255, a 16-bit sum cannot saturate as long as neither its positive nor its
//! negative weights add up to more than 128 ([`ROOM`]). A group of four that breaks this rule for any output of a tile
//! is split into several parts, whose weights add up to those of the group, so that the sum is the same. Where two
//! groups together still keep the rule, they are paired: their 16-bit sums are added before they are widened, which
//! saves one of six arithmetic instructions.

use std::array::from_fn;

use crate::kernels::Matrix;

/// The maximum for the positive weights of a 16-bit sum, and for the magnitudes of its negative ones, added up:
/// 255 · 128 < 2¹⁵.
const ROOM: u8 = 128;

/// The number of input bytes that one instruction multiplies for one output.
pub(super) const GROUP: usize = 4;

/// The number of outputs of a tile.
pub(super) const WIDTH: usize = 8;

/// A group's weights for all outputs of a tile, [`GROUP`] for each output: the bytes of a vector.
pub(super) type Weights = [i8; GROUP * WIDTH];

/// The number of 16-bit sums of a group: two for each output.
const SUMS: usize = 2 * WIDTH;

/// The maximum number of partners that are tried for a group before it remains single. It bounds the time of packing.
const TRIES: usize = 24;

/// The packed weights of a tile's outputs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arranged {
    /// For each pair of groups, the columns that the two groups start at.
    pub(super) pairs: Vec<[u32; 2]>,
    /// For each single group, the column that it starts at.
    pub(super) singles: Vec<u32>,
    /// For each pair, the weights of its first group, then of its second; then, for each single group, its own.
    pub(super) weights: Vec<Weights>,
}

/// The weights of four inputs for all outputs of a tile. For each 16-bit sum, the first array has the weight of the
/// first of its two inputs, and the second array that of the second. Sums 2·o and 2·o + 1 are those of output `o`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group([[i16; SUMS]; 2]);

/// For each 16-bit sum, the sum of its positive weights, and the sum of the magnitudes of its negative ones. 255 stands
/// for any number beyond [`ROOM`].
type Loads = [[u8; SUMS]; 2];

/// Groups, or parts of groups, that keep the rule. The three vectors have an entry for each, in the same order.
#[derive(Debug, Default)]
struct Parts {
    /// The column that each starts at.
    starts: Vec<u32>,
    weights: Vec<Weights>,
    loads: Vec<Loads>,
}

/// The weights of each output of the tile whose first output is `first`: up to [`WIDTH`] rows of the matrix, in order.
pub(super) fn rows<'a>(matrix: &Matrix<'a>, first: usize) -> Vec<&'a [i16]> {
    let last = (first + WIDTH).min(matrix.rows);
    matrix.weights[first * matrix.columns..last * matrix.columns].chunks_exact(matrix.columns).collect()
}

/// Packs the weights of up to [`WIDTH`] outputs: `rows` has those of each output, all of the same number of inputs.
///
/// # Panics
/// Where a group cannot be split into four parts that keep the rule. Groups of weights from -255 to 255 always can.
pub(super) fn arrange(rows: &[&[i16]]) -> Arranged {
    let columns = rows.first().map_or(0, |row| row.len());
    let mut parts = Parts::default();
    for start in (0..columns).step_by(GROUP) {
        parts.split(&Group::at(start, rows), start as u32);
    }
    let partners = partners(&parts.loads);
    let (mut pairs, mut singles) = (vec![], vec![]);
    for (at, &partner) in partners.iter().enumerate() {
        if at < partner {
            pairs.push([at, partner]);
        } else if at == partner {
            singles.push(at);
        }
    }
    let start = |at: usize| parts.starts[at];
    let in_order = pairs.iter().flatten().chain(&singles);
    Arranged {
        weights: in_order.map(|&at| parts.weights[at]).collect(),
        pairs: pairs.into_iter().map(|pair| pair.map(start)).collect(),
        singles: singles.into_iter().map(start).collect(),
    }
}

impl Group {
    /// The weights of the four columns from `start` on, with zeros beyond the end of a row.
    pub(super) fn at(start: usize, rows: &[&[i16]]) -> Group {
        let mut group = [[0; SUMS]; 2];
        for (output, row) in rows.iter().enumerate() {
            let tail = &row[start..];
            let four: [i16; GROUP] = match tail.first_chunk() {
                Some(four) => *four,
                None => from_fn(|at| tail.get(at).copied().unwrap_or(0)),
            };
            (group[0][2 * output], group[1][2 * output]) = (four[0], four[1]);
            (group[0][2 * output + 1], group[1][2 * output + 1]) = (four[2], four[3]);
        }
        Group(group)
    }

    /// Part `number` of `N`. The weights of the parts add up to the group's.
    fn part<const N: i16>(&self, number: i16) -> Group {
        Group(self.0.map(|weights| weights.map(|weight| weight * (number + 1) / N - weight * number / N)))
    }

    /// For each 16-bit sum, the sum of its positive weights, and the sum of the magnitudes of its negative ones.
    pub(super) fn sums(&self) -> [[i16; SUMS]; 2] {
        let Group([first, second]) = self;
        [
            from_fn(|sum| first[sum].max(0) + second[sum].max(0)),
            from_fn(|sum| -(first[sum].min(0) + second[sum].min(0))),
        ]
    }

    fn loads(&self) -> Loads {
        self.sums().map(|sums| sums.map(|load| if load <= i16::from(ROOM) { load as u8 } else { 255 }))
    }

    /// The weights in the order of `pmaddubsw`. None where one of them does not fit an `i8`.
    fn weights(&self) -> Option<Weights> {
        let Group([first, second]) = self;
        // The number is `weight` or, where that is negative, `-weight - 1`: at most 127 from -128 to 127.
        let max = first.iter().chain(second).fold(0, |max: i16, &weight| max.max(weight ^ (weight >> 15)));
        (max <= i16::from(i8::MAX)).then(|| self.bytes())
    }

    /// The weights in the order of `pmaddubsw`. Each must fit an `i8`.
    pub(super) fn bytes(&self) -> Weights {
        let Group([first, second]) = self;
        let mut weights = [0; GROUP * WIDTH];
        for (two, (&first, &second)) in weights.as_chunks_mut().0.iter_mut().zip(first.iter().zip(second)) {
            *two = [first as i8, second as i8];
        }
        weights
    }
}

impl Parts {
    /// Adds a group in the minimum number of parts that keep the rule, at most four.
    ///
    /// # Panics
    /// Where four parts do not suffice, which is never so for weights from -255 to 255.
    fn split(&mut self, group: &Group, start: u32) {
        let done = self.add::<1>(group, start) || self.add::<2>(group, start) || self.add::<3>(group, start);
        assert!(done || self.add::<4>(group, start), "weights are of nine bits");
    }

    /// Adds a group in `N` parts and returns true, if all of them keep the rule. Otherwise it adds none.
    fn add<const N: i16>(&mut self, group: &Group, start: u32) -> bool {
        let before = self.starts.len();
        for number in 0..N {
            let part = group.part::<N>(number);
            let loads = part.loads();
            match part.weights() {
                Some(weights) if max(&loads) <= ROOM => {
                    self.starts.push(start);
                    self.weights.push(weights);
                    self.loads.push(loads);
                }
                _ => {
                    self.starts.truncate(before);
                    self.weights.truncate(before);
                    self.loads.truncate(before);
                    return false;
                }
            }
        }
        true
    }
}

/// For each group, the number of its partner, or its own where it remains single.
fn partners(loads: &[Loads]) -> Vec<usize> {
    let mut partners: Vec<usize> = (0..loads.len()).collect();
    let mut order = partners.clone();
    order.sort_by_cached_key(|&at| max(&loads[at]));
    // `order` goes from light to heavy. Partners are found for the heaviest groups first, among the lightest.
    let (mut min, mut max) = (0, order.len());
    while min < max {
        max -= 1;
        let heavy = order[max];
        let tried = &order[min..max.min(min + TRIES)];
        if let Some(at) = tried.iter().position(|&light| can_pair(&loads[heavy], &loads[light])) {
            let light = order[min + at];
            (partners[heavy], partners[light]) = (light, heavy);
            // `light` is removed from the order, and those before it move up.
            order.copy_within(min..min + at, min + 1);
            min += 1;
        }
    }
    partners
}

/// The maximum load of a group's 16-bit sums.
fn max(loads: &Loads) -> u8 {
    loads.as_flattened().iter().fold(0, |max, &load| max.max(load))
}

/// Whether the 16-bit sums of two groups may be added.
fn can_pair(a: &Loads, b: &Loads) -> bool {
    max(&from_fn(|sign| from_fn(|sum| a[sign][sum].saturating_add(b[sign][sum])))) <= ROOM
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// The result of `pmaddubsw` for four bytes, by its description in Intel's manual: products of unsigned and signed
    /// bytes, added two by two and saturated to 16 bits.
    fn maddubs(bytes: [u8; 4], weights: [i8; 4]) -> [i16; 2] {
        let product = |at: usize| i32::from(bytes[at]) * i32::from(weights[at]);
        let saturated = |sum: i32| sum.clamp(-32768, 32767) as i16;
        [saturated(product(0) + product(1)), saturated(product(2) + product(3))]
    }

    fn four(values: &[i8]) -> [i8; 4] {
        [values[0], values[1], values[2], values[3]]
    }

    /// The sums of one row, computed as the kernel computes them.
    fn sums(arranged: &Arranged, row: &[u8]) -> [i32; WIDTH] {
        let bytes = |start: u32| std::array::from_fn(|at| row.get(start as usize + at).copied().unwrap_or(77));
        let mut sums = [0; WIDTH];
        let mut weights = arranged.weights.iter();
        for &[first, second] in &arranged.pairs {
            let (a, b) = (weights.next().expect("weights"), weights.next().expect("weights"));
            for (output, sum) in sums.iter_mut().enumerate() {
                let x = maddubs(bytes(first), four(&a[output * GROUP..]));
                let y = maddubs(bytes(second), four(&b[output * GROUP..]));
                *sum += i32::from(x[0].wrapping_add(y[0])) + i32::from(x[1].wrapping_add(y[1]));
            }
        }
        for &start in &arranged.singles {
            let a = weights.next().expect("weights");
            for (output, sum) in sums.iter_mut().enumerate() {
                let x = maddubs(bytes(start), four(&a[output * GROUP..]));
                *sum += i32::from(x[0]) + i32::from(x[1]);
            }
        }
        sums
    }

    fn check(rows: &[Vec<i16>]) -> Arranged {
        let rows: Vec<&[i16]> = rows.iter().map(Vec::as_slice).collect();
        let arranged = arrange(&rows);
        let columns = rows[0].len();
        // 16-bit sums are at their limits where only the positive or only the negative weights meet the maximum byte.
        for choose in [|_: i16| true, |weight| weight > 0, |weight| weight < 0] {
            for output in 0..rows.len() {
                let row: Vec<u8> = (0..columns).map(|at| if choose(rows[output][at]) { 255 } else { 0 }).collect();
                let exact =
                    |weights: &&[i16]| weights.iter().zip(&row).map(|(&w, &b)| i32::from(w) * i32::from(b)).sum();
                let expected: Vec<i32> = rows.iter().map(exact).collect();
                assert_eq!(sums(&arranged, &row)[..rows.len()], expected, "{columns} columns");
            }
        }
        arranged
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 40,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        #[cfg_attr(miri, ignore = "minutes of safe code alone; `cargo xtask test` runs it")]
        fn arrange_never_saturates_for_random_weights(
            rows in (1usize..=100, prop_oneof![Just(3i16), Just(40), 127i16..=128, Just(255)])
                .prop_flat_map(|(columns, largest)| vec(vec(-largest..=largest, columns), 8)),
        ) {
            check(&rows);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "minutes of safe code alone; `cargo xtask test` runs it")]
    fn arrange_never_saturates_for_extreme_weights() {
        for columns in [1, 3, 4, 9, 27, 64, 100] {
            check(&vec![vec![-128; columns]; 3]);
            check(&vec![vec![255; columns]; 3]);
            check(&vec![vec![-255; columns]; 8]);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "minutes of safe code alone; `cargo xtask test` runs it")]
    fn arrange_pairs_groups_of_small_weights() {
        let arranged = check(&vec![vec![30; 64]; 8]);
        assert_eq!((arranged.pairs.len(), arranged.singles.len()), (8, 0));
        // A 16-bit sum of one group has a load of 60 here, and of 120 where groups are paired; 66 and 132 are too much.
        let arranged = check(&vec![vec![33; 64]; 8]);
        assert_eq!((arranged.pairs.len(), arranged.singles.len()), (0, 16));
        // Positive and negative weights count separately.
        let arranged = check(&vec![[60, -60].repeat(32); 8]);
        assert_eq!((arranged.pairs.len(), arranged.singles.len()), (8, 0));
    }
}
