//! Weights for `vpmaddubsw`, arranged so that it never saturates.
//!
//! The instruction multiplies four bytes with four weights and adds the products two by two, as 16-bit numbers. With
//! bytes up to 255 that holds as long as, in each of the two sums, neither the positive nor the negative weights add up
//! to more than 128 ([`ROOM`]). Where a group of four breaks this rule for any output of a tile, it is taken several
//! times, each time with a part of its weights: the sum is the same. Where two groups together still keep the rule,
//! their 16-bit sums are added before they are widened, which saves an instruction in four.

use std::collections::VecDeque;

/// How much positive, and how much negative weight one 16-bit sum has room for: 255 · 128 < 2¹⁵.
const ROOM: u8 = 128;

/// Bytes that are multiplied by one instruction for one output.
pub(super) const GROUP: usize = 4;

/// How many partners are tried for a group before it stays alone.
const TRIES: usize = 24;

/// Outputs' weights as a tile of a kernel takes them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arranged {
    /// Where the bytes of two groups start in a row, for the groups that go together.
    pub(super) pairs: Vec<[u32; 2]>,
    /// The same for the others.
    pub(super) singles: Vec<u32>,
    /// For each pair the weights of its first group, then of its second; then for each single its own: outputs × 4.
    pub(super) weights: Vec<i8>,
}

/// The most outputs of a tile.
const WIDTH: usize = 16;

/// A group of four inputs: where it starts, and its weights for each output.
#[derive(Debug, Clone, Copy)]
struct Group {
    start: usize,
    weights: [[i16; GROUP]; WIDTH],
}

/// What 16-bit sums are made of: positive and negative weight, for each output's two sums. No more than [`ROOM`] counts:
/// beyond it, 255 stands.
type Loads = [u8; 4 * WIDTH];

/// Arranges the weights of some outputs (`rows`, each of the same number of inputs) for tiles of `width` outputs, at most
/// 16.
pub(super) fn arrange(rows: &[&[i16]], width: usize) -> Arranged {
    let columns = rows.first().map_or(0, |row| row.len());
    let mut groups: Vec<Group> = Vec::with_capacity(columns.div_ceil(GROUP));
    for start in (0..columns).step_by(GROUP) {
        let mut group = Group { start, weights: [[0; GROUP]; WIDTH] };
        for (weights, row) in group.weights.iter_mut().zip(rows) {
            let four = &row[start..columns.min(start + GROUP)];
            weights[..four.len()].copy_from_slice(four);
        }
        split(group, &mut groups);
    }
    let loads: Vec<Loads> = groups.iter().map(loads).collect();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|&at| loads[at].iter().max());
    // The heaviest look for a partner first, and among the lightest.
    let mut left = VecDeque::from(order);
    let mut pairs: Vec<[usize; 2]> = Vec::with_capacity(groups.len() / 2);
    let mut singles: Vec<usize> = Vec::new();
    while let Some(heavy) = left.pop_back() {
        match (0..left.len().min(TRIES)).find(|&at| go_together(&loads[heavy], &loads[left[at]])) {
            Some(at) => pairs.extend(left.remove(at).map(|light| [heavy.min(light), heavy.max(light)])),
            None => singles.push(heavy),
        }
    }
    pairs.sort_unstable();
    singles.sort_unstable();
    let start = |at: usize| groups[at].start as u32;
    let in_order = pairs.iter().flatten().chain(&singles);
    Arranged {
        pairs: pairs.iter().map(|pair| pair.map(start)).collect(),
        singles: singles.iter().map(|&at| start(at)).collect(),
        weights: in_order.flat_map(|&at| groups[at].weights[..width].as_flattened()).map(|&w| w as i8).collect(),
    }
}

/// The same group in as few parts as keep the rule: four, if need be, of weights up to 255.
fn split(group: Group, to: &mut Vec<Group>) {
    let part = |weight: i16, number: i16, parts: i16| weight * (number + 1) / parts - weight * number / parts;
    for parts in 1..=4 {
        let before = to.len();
        let of = |number| Group { weights: group.weights.map(|four| four.map(|w| part(w, number, parts))), ..group };
        to.extend((0..parts).map(of));
        if parts == 4 || to[before..].iter().all(keeps_the_rule) {
            return;
        }
        to.truncate(before);
    }
}

fn keeps_the_rule(group: &Group) -> bool {
    let bytes = group.weights.as_flattened().iter().all(|&weight| i8::try_from(weight).is_ok());
    bytes && loads(group).iter().all(|&load| load <= ROOM)
}

fn loads(group: &Group) -> Loads {
    let mut loads = [0; 4 * WIDTH];
    for (loads, [a, b]) in loads.as_chunks_mut::<2>().0.iter_mut().zip(group.weights.as_flattened().as_chunks().0) {
        let counted = |load: i16| if load <= i16::from(ROOM) { load as u8 } else { 255 };
        *loads = [counted(a.max(&0) + b.max(&0)), counted(-(a.min(&0) + b.min(&0)))];
    }
    loads
}

fn go_together(a: &Loads, b: &Loads) -> bool {
    a.iter().zip(b).fold(0, |most: u8, (a, b)| most.max(a.saturating_add(*b))) <= ROOM
}

#[cfg(test)]
mod tests {
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
    fn sums(arranged: &Arranged, width: usize, row: &[u8]) -> Vec<i32> {
        let bytes = |start: u32| std::array::from_fn(|at| row.get(start as usize + at).copied().unwrap_or(77));
        let mut sums = vec![0; width];
        let mut weights = arranged.weights.chunks_exact(width * GROUP);
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

    fn check(rows: &[Vec<i16>], width: usize) -> Arranged {
        let rows: Vec<&[i16]> = rows.iter().map(Vec::as_slice).collect();
        let arranged = arrange(&rows, width);
        let columns = rows[0].len();
        // Where only the positive, or only the negative weights meet the greatest byte, sums are at their limits.
        for choose in [|_: i16| true, |weight| weight > 0, |weight| weight < 0] {
            for output in 0..rows.len() {
                let row: Vec<u8> = (0..columns).map(|at| if choose(rows[output][at]) { 255 } else { 0 }).collect();
                let exact =
                    |weights: &&[i16]| weights.iter().zip(&row).map(|(&w, &b)| i32::from(w) * i32::from(b)).sum();
                let expected: Vec<i32> = rows.iter().map(exact).collect();
                assert_eq!(sums(&arranged, width, &row)[..rows.len()], expected, "{columns} columns");
            }
        }
        arranged
    }

    fn random(seed: &mut u64, below: i16) -> i16 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((*seed >> 33) % (2 * below as u64 + 1)) as i16 - below
    }

    #[test]
    fn nothing_saturates_whatever_the_weights() {
        let mut seed = 7;
        for columns in [1, 3, 4, 9, 27, 64, 100] {
            for largest in [3, 40, 127, 128, 255] {
                let row = |seed: &mut u64| (0..columns).map(|_| random(seed, largest)).collect();
                let rows: Vec<Vec<i16>> = (0..8).map(|_| row(&mut seed)).collect();
                check(&rows, 8);
            }
            check(&vec![vec![-128; columns]; 3], 8);
            check(&vec![vec![255; columns]; 3], 8);
            check(&vec![vec![-255; columns]; 16], 16);
        }
    }

    #[test]
    fn light_groups_go_together() {
        let arranged = check(&vec![vec![30; 64]; 8], 8);
        assert_eq!((arranged.pairs.len(), arranged.singles.len()), (8, 0));
        // 60 a pair and 120 two by two; 65 and 130 are too much.
        let arranged = check(&vec![vec![33; 64]; 8], 8);
        assert_eq!((arranged.pairs.len(), arranged.singles.len()), (0, 16));
        // Opposite weights do not add up.
        let arranged = check(&vec![[60, -60].repeat(32); 8], 8);
        assert_eq!((arranged.pairs.len(), arranged.singles.len()), (8, 0));
    }
}
