//! The random choices of a mutator, from the seed that libFuzzer gives it.

/// The generator SplitMix64 (Steele, Lea and Flood 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u32) -> Random {
        Random(seed.into())
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 where that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }

    /// True once in `times` times on average.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these choices, if there are any.
    pub fn of<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len()))
    }

    /// One of these choices, if there are any, as a mutable reference.
    pub fn of_mut<'a, T>(&mut self, choices: &'a mut [T]) -> Option<&'a mut T> {
        let at = self.below(choices.len());
        choices.get_mut(at)
    }

    /// A whole number near this one, or one at which code often errs.
    pub fn number(&mut self, near: i64) -> i64 {
        const LIKELY: [i64; 26] = [
            0,
            1,
            2,
            3,
            4,
            5,
            7,
            8,
            16,
            31,
            32,
            64,
            127,
            128,
            255,
            256,
            65_535,
            65_536,
            1 << 24,
            1 << 27,
            i32::MAX as i64,
            u32::MAX as i64,
            i64::MAX,
            -1,
            -2,
            i64::MIN,
        ];
        match self.below(8) {
            0 => near.wrapping_add(1),
            1 => near.wrapping_sub(1),
            2 => near.wrapping_mul(2),
            3 => near / 2,
            4 => near ^ (1 << self.below(64)),
            // Small ones more often, because large ones fail the first check of a bound.
            5 | 6 => LIKELY[self.below(12)],
            _ => LIKELY[self.below(LIKELY.len())],
        }
    }

    /// A float near this one, or one at which code often errs.
    pub fn float(&mut self, near: f32) -> f32 {
        const LIKELY: [f32; 14] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            255.0,
            1e-3,
            1e30,
            -1e30,
            f32::MIN_POSITIVE,
            f32::MAX,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
        ];
        match self.below(4) {
            0 => near * 2.0,
            1 => near + 1.0,
            2 => f32::from_bits(near.to_bits() ^ (1 << self.below(32))),
            _ => LIKELY[self.below(LIKELY.len())],
        }
    }
}
