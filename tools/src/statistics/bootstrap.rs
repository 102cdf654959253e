//! The cluster bootstrap: percentile intervals of any statistic, by drawing groups (patients) with replacement.
//!
//! The random numbers are those of xoshiro256**, whose state splitmix64 fills from a seed (Blackman and Vigna 2021, ACM
//! Trans. Math. Softw. 47:36). They are written here, as the small generator of the crate `rand` may change from one
//! version to the next: a published interval must come out again from its seed.

use std::collections::BTreeMap;

use super::{Confidence, Interval, Undefined, check_lengths};

/// The share of replicates that may have no value, as where no case of a class was drawn.
const MAX_UNDEFINED: f64 = 0.05;

/// The cases of each group. The groups are drawn, and all cases of a group come with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The indices of each group's cases, ascending.
    cases: Vec<Vec<usize>>,
}

impl Groups {
    /// `keys` has the group of each case, such as the patient of each picture. Groups are in the order of their keys.
    ///
    /// # Errors
    /// [`Undefined::Empty`] where there are no cases, [`Undefined::TooFew`] where there is a single group.
    ///
    /// ```
    /// use bedside_tools::statistics::bootstrap::Groups;
    ///
    /// let groups = Groups::new(&["anna", "boris", "anna"])?;
    /// assert_eq!((groups.count(), groups.cases()), (2, 3));
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn new<K: Ord>(keys: &[K]) -> Result<Self, Undefined> {
        check_lengths(keys.len(), keys.len())?;
        let mut groups: BTreeMap<&K, Vec<usize>> = BTreeMap::new();
        for (index, key) in keys.iter().enumerate() {
            groups.entry(key).or_default().push(index);
        }
        if groups.len() < 2 { Err(Undefined::TooFew) } else { Ok(Self { cases: groups.into_values().collect() }) }
    }

    /// How many groups there are: two or more.
    #[must_use]
    pub fn count(&self) -> usize {
        self.cases.len()
    }

    /// How many cases there are in all groups.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.cases.iter().map(Vec::len).sum()
    }

    /// The indices of each group's cases, ascending, in the order of the groups' keys.
    ///
    /// ```
    /// use bedside_tools::statistics::bootstrap::Groups;
    ///
    /// let groups = Groups::new(&["anna", "boris", "anna"])?;
    /// assert_eq!(groups.iter().collect::<Vec<_>>(), [&[0, 2][..], &[1][..]]);
    /// # Ok::<(), bedside_tools::statistics::Undefined>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &[usize]> {
        self.cases.iter().map(Vec::as_slice)
    }
}

/// How a bootstrap draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How many times groups are drawn, 100 or more. 2000 give an end of a 95 % interval a standard error of 1.5 % of
    /// the interval's width, where the replicates are normal: √(0.025 · 0.975/2000) by the density at 1.96, 0.0584, is
    /// 0.06 of 3.92 standard deviations.
    pub replicates: usize,
    /// Equal seeds give equal draws on all platforms.
    pub seed: u64,
    /// The confidence level of the interval.
    pub confidence: Confidence,
}

impl Default for Options {
    /// 2000 replicates, seed 0, 95 %.
    fn default() -> Self {
        Self { replicates: 2000, seed: 0, confidence: Confidence::P95 }
    }
}

/// A statistic with its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrapped {
    /// The statistic of all cases, each once.
    pub value: f64,
    /// The interval between the percentiles of the replicates. It need not hold `value`.
    pub interval: Interval,
    /// How many replicates had no value, and were left out: at most one in twenty.
    pub undefined: usize,
}

/// The percentile interval of a statistic (Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 13.3).
///
/// Each replicate draws as many groups as there are, with replacement, and gives the indices of all their cases to
/// `statistic`, as often as their group was drawn (Davison and Hinkley 1997, Bootstrap Methods and their Application,
/// section 3.8, strategy 1). The ends are the α/2 and 1 − α/2 quantiles of the replicates, interpolated between order
/// statistics (definition 7 of Hyndman and Fan 1996, Am. Stat. 50:361, which is numpy's).
///
/// # Errors
/// What `statistic` fails with on all cases; [`Undefined::OutOfRange`] for fewer than 100 replicates, or a value of the
/// statistic that is not finite; [`Undefined::Replicates`] where more than one replicate in twenty has no value.
///
/// ```
/// use bedside_tools::statistics::bootstrap::{Groups, Options, percentile_interval};
///
/// let values = [1.0, 1.0, 2.0, 4.0];
/// let groups = Groups::new(&[1, 1, 2, 3])?;
/// let mean = |cases: &[usize]| Ok(cases.iter().map(|&i| values[i]).sum::<f64>() / cases.len() as f64);
/// let found = percentile_interval(&groups, Options::default(), mean)?;
/// assert_eq!(found.value, 2.0);
/// assert_eq!((found.interval.lower, found.interval.upper), (1.0, 4.0));
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn percentile_interval(
    groups: &Groups,
    options: Options,
    statistic: impl Fn(&[usize]) -> Result<f64, Undefined>,
) -> Result<Bootstrapped, Undefined> {
    let mut found = percentile_intervals(groups, options, |cases| Ok(vec![statistic(cases)?]))?;
    found.pop().ok_or(Undefined::Empty)
}

/// The percentile intervals of several statistics on the same draws, such as the sensitivities of a ROC curve.
///
/// `statistics` gives the same number of values each time. Each interval is that of its own value: that all hold at
/// once is less certain than the confidence level.
///
/// # Errors
/// As [`percentile_interval`], and [`Undefined::Lengths`] where the number of values changes.
///
/// ```
/// use bedside_tools::statistics::bootstrap::{Groups, Options, percentile_intervals};
///
/// let groups = Groups::new(&["a", "b", "c"])?;
/// let found = percentile_intervals(&groups, Options::default(), |cases| Ok(vec![cases.len() as f64, 0.5]))?;
/// assert_eq!((found[0].interval.lower, found[1].value), (3.0, 0.5));
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn percentile_intervals(
    groups: &Groups,
    options: Options,
    statistics: impl Fn(&[usize]) -> Result<Vec<f64>, Undefined>,
) -> Result<Vec<Bootstrapped>, Undefined> {
    if options.replicates < 100 {
        return Err(Undefined::OutOfRange("number of replicates"));
    }
    let mut all = groups.cases.concat();
    all.sort_unstable();
    let values = finite(statistics(&all)?)?;
    let replicates = draw(groups, options, &statistics)?;
    let undefined = options.replicates - replicates.len();
    if undefined as f64 > MAX_UNDEFINED * options.replicates as f64 {
        return Err(Undefined::Replicates);
    }
    if replicates.iter().any(|r| r.len() != values.len()) {
        return Err(Undefined::Lengths);
    }
    let interval = |index: usize| {
        let mut of_one: Vec<f64> = replicates.iter().map(|r| r[index]).collect();
        of_one.sort_by(f64::total_cmp);
        let tail = options.confidence.alpha() / 2.0;
        Interval { lower: sorted_quantile(&of_one, tail), upper: sorted_quantile(&of_one, 1.0 - tail) }
    };
    let with_interval = |(index, value)| Bootstrapped { value, interval: interval(index), undefined };
    Ok(values.into_iter().enumerate().map(with_interval).collect())
}

/// The percentile interval of the difference of two statistics on the same draws: `first` less `second`.
///
/// Both see the same cases in each replicate, so that what makes a draw easy for both cancels. A replicate without a
/// value of either has none.
///
/// # Errors
/// As [`percentile_interval`].
///
/// ```
/// use bedside_tools::statistics::bootstrap::{Groups, Options, paired_difference};
///
/// let (first, second) = ([3.0, 4.0, 6.0], [2.0, 3.0, 5.0]);
/// let groups = Groups::new(&["a", "b", "c"])?;
/// let sum = |of: [f64; 3]| move |cases: &[usize]| Ok(cases.iter().map(|&i| of[i]).sum());
/// let found = paired_difference(&groups, Options::default(), sum(first), sum(second))?;
/// assert_eq!((found.interval.lower, found.value, found.interval.upper), (3.0, 3.0, 3.0));
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn paired_difference(
    groups: &Groups,
    options: Options,
    first: impl Fn(&[usize]) -> Result<f64, Undefined>,
    second: impl Fn(&[usize]) -> Result<f64, Undefined>,
) -> Result<Bootstrapped, Undefined> {
    percentile_interval(groups, options, |cases| Ok(first(cases)? - second(cases)?))
}

/// The values of all replicates that have one.
fn draw(
    groups: &Groups,
    options: Options,
    statistics: impl Fn(&[usize]) -> Result<Vec<f64>, Undefined>,
) -> Result<Vec<Vec<f64>>, Undefined> {
    let mut random = Random::new(options.seed);
    let mut values = Vec::with_capacity(options.replicates);
    let mut cases = Vec::with_capacity(groups.cases());
    for _ in 0..options.replicates {
        cases.clear();
        for _ in 0..groups.count() {
            cases.extend_from_slice(&groups.cases[random.below(groups.count())]);
        }
        if let Ok(found) = statistics(&cases) {
            values.push(finite(found)?);
        }
    }
    Ok(values)
}

fn finite(values: Vec<f64>) -> Result<Vec<f64>, Undefined> {
    if values.iter().all(|v| v.is_finite()) { Ok(values) } else { Err(Undefined::OutOfRange("statistic")) }
}

/// The p quantile of values, 0 ≤ p ≤ 1, interpolated between the sorted values next to position (n − 1)p (definition 7
/// of Hyndman and Fan 1996, Am. Stat. 50:361, which is the default of numpy and R).
///
/// # Errors
/// [`Undefined::Empty`], and [`Undefined::OutOfRange`] where p is not 0…1 or a value is NaN.
///
/// ```
/// use bedside_tools::statistics::bootstrap::quantile;
///
/// // numpy.percentile([1, 2, 3, 4], 25) is 1.75.
/// assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.25)?, 1.75);
/// # Ok::<(), bedside_tools::statistics::Undefined>(())
/// ```
pub fn quantile(values: &[f64], p: f64) -> Result<f64, Undefined> {
    check_lengths(values.len(), values.len())?;
    if !(0.0..=1.0).contains(&p) {
        return Err(Undefined::OutOfRange("p"));
    }
    if values.iter().any(|v| v.is_nan()) {
        return Err(Undefined::OutOfRange("value"));
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Ok(sorted_quantile(&sorted, p))
}

/// The quantile of sorted values, at least one.
fn sorted_quantile(sorted: &[f64], p: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * p;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64)
}

/// xoshiro256**.
struct Random {
    state: [u64; 4],
}

impl Random {
    fn new(seed: u64) -> Self {
        let mut counter = seed;
        Self { state: [(); 4].map(|()| split_mix(&mut counter)) }
    }

    fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A whole number from 0 to `end` − 1, each as likely as the others (Lemire 2019, ACM TOMACS 29:3).
    /// `end` is not 0.
    fn below(&mut self, end: usize) -> usize {
        let end = end as u64;
        // 2⁶⁴ mod `end`: so many products are too many for equal shares.
        let surplus = end.wrapping_neg() % end;
        loop {
            let product = u128::from(self.next()) * u128::from(end);
            if product as u64 >= surplus {
                return (product >> 64) as usize;
            }
        }
    }
}

fn split_mix(counter: &mut u64) -> u64 {
    *counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *counter;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn split_mix_has_the_reference_outputs() {
        // The C reference, from seed 1234567.
        let mut counter = 1_234_567;
        let found: Vec<u64> = (0..5).map(|_| split_mix(&mut counter)).collect();
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn xoshiro_has_the_reference_outputs() {
        // The C reference, from the state 1, 2, 3, 4, as in the tests of the crate rand_xoshiro.
        let mut random = Random { state: [1, 2, 3, 4] };
        let found: Vec<u64> = (0..5).map(|_| random.next()).collect();
        let expected = [11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360];
        assert_eq!(found, expected);
    }

    #[test]
    fn below_draws_all_numbers_alike() {
        // Each count is binomial(60000, 1/6): 10000 with a standard deviation of 91.
        let mut random = Random::new(7);
        let mut counts = [0; 6];
        (0..60_000).for_each(|_| counts[random.below(6)] += 1);
        assert!(counts.iter().all(|&c: &i32| (c - 10_000).abs() < 5 * 91), "{counts:?}");
    }

    #[test]
    fn quantile_is_that_of_numpy() {
        // numpy.percentile([1, 2, 3, 4], [0, 25, 50, 100]) is [1, 1.75, 2.5, 4].
        let values = [1.0, 2.0, 3.0, 4.0];
        let found = [0.0, 0.25, 0.5, 1.0].map(|p| quantile(&values, p).expect("in range"));
        assert_eq!(found.map(|q| (q * 100.0).round() as i64), [100, 175, 250, 400]);
    }

    #[test]
    fn interval_of_a_mean_is_that_of_its_standard_error() {
        // 400 groups of one case, half of them 1: the mean has a standard error of 0.5/20 = 0.025. The end of an
        // interval of 4000 replicates has a standard error near 0.001.
        let keys: Vec<u32> = (0..400).collect();
        let mean = |cases: &[usize]| Ok(cases.iter().map(|i| (i % 2) as f64).sum::<f64>() / cases.len() as f64);
        let options = Options { replicates: 4000, ..Options::default() };
        let found = percentile_interval(&Groups::new(&keys).expect("groups"), options, mean).expect("defined");
        assert!((found.interval.lower - (0.5 - 1.96 * 0.025)).abs() < 0.004, "{found:?}");
        assert!((found.interval.upper - (0.5 + 1.96 * 0.025)).abs() < 0.004, "{found:?}");
    }

    #[test]
    fn replicate_has_as_many_groups_as_there_are() {
        let groups = Groups::new(&[7, 7, 8, 8, 9, 9]).expect("groups");
        let found = percentile_interval(&groups, Options::default(), |cases| Ok(cases.len() as f64)).expect("defined");
        assert_eq!((found.interval, found.undefined), (Interval { lower: 6.0, upper: 6.0 }, 0));
    }

    #[test]
    fn interval_of_clusters_is_wider_than_that_of_cases() {
        // 100 groups of 16 equal cases: the standard error is 0.5/10, four times that of 1600 cases.
        let patients: Vec<usize> = (0..1600).map(|i| i / 16).collect();
        let pictures: Vec<usize> = (0..1600).collect();
        let mean = |cases: &[usize]| Ok(cases.iter().map(|i| (i / 16 % 2) as f64).sum::<f64>() / cases.len() as f64);
        let width = |keys: &[usize]| {
            let groups = Groups::new(keys).expect("groups");
            let found = percentile_interval(&groups, Options::default(), mean).expect("defined");
            found.interval.upper - found.interval.lower
        };
        let ratio = width(&patients) / width(&pictures);
        assert!((3.6..4.4).contains(&ratio), "{ratio}");
    }

    #[test]
    fn undefined_replicates_are_counted_or_refused() {
        let groups = |count: u32| Groups::new(&(0..count).collect::<Vec<_>>()).expect("groups");
        // Undefined without case 0, which a share (1 − 1/n)ⁿ of the draws lacks.
        let needs_first = |cases: &[usize]| if cases.contains(&0) { Ok(1.0) } else { Err(Undefined::OneClass) };
        assert_eq!(percentile_interval(&groups(10), Options::default(), needs_first), Err(Undefined::Replicates));
        // With ten groups, a share of (9/10)¹⁰ = 35 % lacks one of them, and (5/10)¹⁰ = 0.1 % one of five.
        let needs_some =
            |cases: &[usize]| if cases.iter().any(|&c| c < 5) { Ok(1.0) } else { Err(Undefined::OneClass) };
        let options = Options { replicates: 20_000, ..Options::default() };
        let found = percentile_interval(&groups(10), options, needs_some).expect("few are undefined");
        // 20000/1024 = 19.5, with a standard deviation of 4.4.
        assert!((2..=37).contains(&found.undefined), "{found:?}");
    }

    #[test]
    fn bootstrap_refuses_what_has_no_interval() {
        let groups = Groups::new(&[1, 2]).expect("two");
        let few = Options { replicates: 99, ..Options::default() };
        assert_eq!(percentile_interval(&groups, few, |_| Ok(1.0)), Err(Undefined::OutOfRange("number of replicates")));
        let infinite = percentile_interval(&groups, Options::default(), |_| Ok(f64::INFINITY));
        assert_eq!(infinite, Err(Undefined::OutOfRange("statistic")));
        let failing = percentile_interval(&groups, Options::default(), |_| Err(Undefined::OneClass));
        assert_eq!(failing, Err(Undefined::OneClass));
        assert_eq!(Groups::new::<u8>(&[]), Err(Undefined::Empty));
        assert_eq!(Groups::new(&[3, 3]), Err(Undefined::TooFew));
    }

    proptest! {
        #[test]
        fn draws_depend_on_the_seed_alone(values in vec(-9.0..9.0f64, 2..30), seed: u64) {
            let keys: Vec<usize> = (0..values.len()).collect();
            let groups = Groups::new(&keys).expect("two or more");
            let mean = |cases: &[usize]| Ok(cases.iter().map(|&i| values[i]).sum::<f64>() / cases.len() as f64);
            let options = Options { replicates: 100, seed, ..Options::default() };
            let found = percentile_interval(&groups, options, mean).expect("defined");
            prop_assert_eq!(found, percentile_interval(&groups, options, mean).expect("defined"));
            let (min, max) = values.iter().fold((9.0f64, -9.0f64), |(a, b), &v| (a.min(v), b.max(v)));
            prop_assert!(found.interval.lower >= min - 1e-9 && found.interval.upper <= max + 1e-9);
            let none = paired_difference(&groups, options, mean, mean).expect("defined");
            prop_assert_eq!(none.interval, Interval { lower: 0.0, upper: 0.0 });
        }

        #[test]
        fn groups_hold_each_case_once(keys in vec(0u8..5, 1..40)) {
            if let Ok(groups) = Groups::new(&keys) {
                let mut all = groups.cases.concat();
                all.sort_unstable();
                prop_assert_eq!(all, (0..keys.len()).collect::<Vec<_>>());
                prop_assert!(groups.cases.iter().all(|g| g.iter().all(|&i| keys[i] == keys[g[0]])));
            }
        }
    }
}
