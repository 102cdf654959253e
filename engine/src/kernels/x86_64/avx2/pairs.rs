//! Weights for `vpmaddubsw`, arranged so that it never saturates.
//!
//! The instruction multiplies four bytes with four weights and adds the products two by two, as 16-bit numbers. With
//! bytes up to 255 that holds as long as, in each of the two sums, neither the positive nor the negative weights add up
//! to more than 128 ([`ROOM`]). Where a group of four breaks this rule for any output of a tile, it is taken several
//! times, each time with a part of its weights: the sum is the same. Where two groups together still keep the rule,
//! their 16-bit sums are added before they are widened, which saves an instruction in four.

use std::array::from_fn;

/// How much positive, and how much negative weight one 16-bit sum has room for: 255 · 128 < 2¹⁵.
const ROOM: u8 = 128;

/// Bytes that are multiplied by one instruction for one output.
pub(super) const GROUP: usize = 4;

/// Outputs of a tile.
pub(super) const WIDTH: usize = 8;

/// A group's weights for all outputs of a tile: a vector.
pub(super) type Weights = [i8; GROUP * WIDTH];

/// 16-bit sums of a group: two an output.
const SUMS: usize = 2 * WIDTH;

/// How many partners are tried for a group before it stays alone.
const TRIES: usize = 24;

/// Outputs' weights as a tile of a kernel takes them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arranged {
    /// Where the bytes of two groups start in a row, for the groups that go together.
    pub(super) pairs: Vec<[u32; 2]>,
    /// The same for the others.
    pub(super) singles: Vec<u32>,
    /// For each pair the weights of its first group, then of its second; then for each single its own.
    pub(super) weights: Vec<Weights>,
}

/// The weights of four inputs, as each 16-bit sum has them: of its first input, and of its second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group([[i16; SUMS]; 2]);

/// What 16-bit sums are made of: positive weight, and negative weight, of each. No more than [`ROOM`] counts: beyond it,
/// 255 stands.
type Loads = [[u8; SUMS]; 2];

/// Groups that keep the rule, each at its number.
#[derive(Debug, Default)]
struct Parts {
    starts: Vec<u32>,
    weights: Vec<Weights>,
    loads: Vec<Loads>,
}

/// Arranges the weights of up to [`WIDTH`] outputs (`rows`, each of the same number of inputs).
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
    pub(super) fn at(start: usize, rows: &[&[i16]]) -> Group {
        let mut group = [[0; SUMS]; 2];
        for (output, row) in rows.iter().enumerate() {
            let rest = &row[start..];
            let four: [i16; GROUP] = match rest.first_chunk() {
                Some(four) => *four,
                None => from_fn(|at| rest.get(at).copied().unwrap_or(0)),
            };
            (group[0][2 * output], group[1][2 * output]) = (four[0], four[1]);
            (group[0][2 * output + 1], group[1][2 * output + 1]) = (four[2], four[3]);
        }
        Group(group)
    }

    /// One of `N` parts, whose weights add up to the group's.
    fn part<const N: i16>(&self, number: i16) -> Group {
        Group(self.0.map(|weights| weights.map(|weight| weight * (number + 1) / N - weight * number / N)))
    }

    /// The positive and the negative weight of each 16-bit sum.
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

    /// The weights where instructions take them, if each is a byte.
    fn weights(&self) -> Option<Weights> {
        let Group([first, second]) = self;
        let max = first.iter().chain(second).fold(0, |max: i16, &weight| max.max(weight ^ (weight >> 15)));
        (max <= i16::from(i8::MAX)).then(|| self.bytes())
    }

    /// The weights where instructions take them; each must be a byte.
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
    /// Adds a group in as few parts as keep the rule: four, if need be, of weights up to 255.
    fn split(&mut self, group: &Group, start: u32) {
        let done = self.add::<1>(group, start) || self.add::<2>(group, start) || self.add::<3>(group, start);
        assert!(done || self.add::<4>(group, start), "weights are of nine bits");
    }

    /// Adds a group in `N` parts, if all of them keep the rule.
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

/// For each group the one that it goes together with, or itself.
fn partners(loads: &[Loads]) -> Vec<usize> {
    let mut partners: Vec<usize> = (0..loads.len()).collect();
    let mut order = partners.clone();
    order.sort_by_cached_key(|&at| max(&loads[at]));
    // The heaviest look for a partner first, and among the lightest.
    let (mut min, mut max) = (0, order.len());
    while min < max {
        max -= 1;
        let heavy = order[max];
        let tried = &order[min..max.min(min + TRIES)];
        if let Some(at) = tried.iter().position(|&light| go_together(&loads[heavy], &loads[light])) {
            let light = order[min + at];
            (partners[heavy], partners[light]) = (light, heavy);
            order.copy_within(min..min + at, min + 1);
            min += 1;
        }
    }
    partners
}

fn max(loads: &Loads) -> u8 {
    loads.as_flattened().iter().fold(0, |max, &load| max.max(load))
}

fn go_together(a: &Loads, b: &Loads) -> bool {
    max(&from_fn(|sign| from_fn(|sum| a[sign][sum].saturating_add(b[sign][sum])))) <= ROOM
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// What the instruction computes, by its description in Intel's manual: products of unsigned and signed bytes, added
    /// two by two, saturated to 16 bits.
    fn maddubs(bytes: [u8; 4], weights: [i8; 4]) -> [i16; 2] {
        let product = |at: usize| i32::from(bytes[at]) * i32::from(weights[at]);
        let saturated = |sum: i32| sum.clamp(-32768, 32767) as i16;
        [saturated(product(0) + product(1)), saturated(product(2) + product(3))]
    }

    fn four(values: &[i8]) -> [i8; 4] {
        [values[0], values[1], values[2], values[3]]
    }

    /// A row's sums as the kernel makes them.
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
        // Where only the positive, or only the negative weights meet the greatest byte, sums are at their limits.
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
        fn nothing_saturates_whatever_the_weights(
            rows in (1usize..=100, prop_oneof![Just(3i16), Just(40), 127i16..=128, Just(255)])
                .prop_flat_map(|(columns, largest)| vec(vec(-largest..=largest, columns), 8)),
        ) {
            check(&rows);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "minutes of safe code alone; `cargo xtask test` runs it")]
    fn nothing_saturates_at_the_ends() {
        for columns in [1, 3, 4, 9, 27, 64, 100] {
            check(&vec![vec![-128; columns]; 3]);
            check(&vec![vec![255; columns]; 3]);
            check(&vec![vec![-255; columns]; 8]);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "minutes of safe code alone; `cargo xtask test` runs it")]
    fn light_groups_go_together() {
        let arranged = check(&vec![vec![30; 64]; 8]);
        assert_eq!((arranged.pairs.len(), arranged.singles.len()), (8, 0));
        // 60 a pair and 120 two by two; 65 and 130 are too much.
        let arranged = check(&vec![vec![33; 64]; 8]);
        assert_eq!((arranged.pairs.len(), arranged.singles.len()), (0, 16));
        // Opposite weights do not add up.
        let arranged = check(&vec![[60, -60].repeat(32); 8]);
        assert_eq!((arranged.pairs.len(), arranged.singles.len()), (8, 0));
    }
}
