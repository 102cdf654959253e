//! A step in parts, for several threads.
//!
//! Parts are cut off while threads ask for them: large ones first, so that few are handed out, and small ones last, so that
//! all end together, whoever came late or is slow. The caller takes them from the start on and the next thread from the end,
//! so that each finds near its core what it made of the step before. Which thread gets which changes no result: no part
//! reads what another writes, and sums of integers are the same in any order.

use std::mem::take;
use std::num::NonZero;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use super::crew::{Crew, lock};
use super::executable::{Output, Own};
use super::sync::Mutex;

/// The least work that is shared, in multiply-adds of a matrix product. Less is done before another thread has found it.
const LEAST_SHARED: u64 = 400_000;

/// The least work in a part of a step. Handing out smaller ones costs more than it evens out.
const LEAST_PART: u64 = 100_000;

/// How many threads this machine runs at once, as far as the system says.
pub(crate) fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| available_parallelism().map_or(1, NonZero::get))
}

/// Threads that run the steps of a program: the caller's, and those of the crew.
#[derive(Debug)]
pub(crate) struct Threads {
    crew: Option<Arc<Crew>>,
    count: usize,
    least_shared: u64,
    least_part: u64,
}

impl Threads {
    /// So many, but no more than the processor runs at once: others would wait for each other.
    pub(crate) fn new(count: usize) -> Threads {
        Threads::whatever_cores(if count > 1 { count.min(processors()) } else { 1 })
    }

    fn whatever_cores(count: usize) -> Threads {
        let crew = (count > 1).then(|| Crew::shared(count - 1));
        Threads { crew, count, least_shared: LEAST_SHARED, least_part: LEAST_PART }
    }

    /// For tests: shares every step, in parts as small as can be.
    #[cfg(test)]
    pub(crate) fn eager(count: usize) -> Threads {
        Threads { least_shared: 0, least_part: 0, ..Threads::whatever_cores(count) }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The threads for a step of so much work, in multiply-adds of a matrix product.
    pub(super) fn for_work(&self, work: u64) -> Hands<'_> {
        let crew = self.crew.as_deref().filter(|_| work >= self.least_shared);
        let count = if crew.is_some() { self.count } else { 1 };
        Hands { crew, count, work, least_part: self.least_part }
    }
}

/// The threads for one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hands<'a> {
    crew: Option<&'a Crew>,
    count: usize,
    work: u64,
    least_part: u64,
}

impl Hands<'_> {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn are_several(&self) -> bool {
        self.count > 1
    }

    /// Cuts a result into parts of whole units, of so many elements each.
    pub(super) fn parts<R: Cut>(&self, result: R, unit: usize) -> Parts<R> {
        let unit = unit.max(1);
        let units = result.len().div_ceil(unit);
        Parts { rest: result, at: 0, unit, sizes: self.sizes(units) }
    }

    /// How many of `units` are in each part.
    pub(super) fn sizes(&self, units: usize) -> Sizes {
        let least = (self.least_part * units as u64).div_ceil(self.work.max(1)).max(1);
        Sizes { rest: units, hands: self.count, least: least as usize }
    }

    /// Does `work` with each part, in what is a thread's own.
    pub(super) fn each<P>(
        &self,
        mut parts: impl DoubleEndedIterator<Item = P> + Send,
        own: &mut [Own],
        work: impl Fn(P, &mut Own) + Sync,
    ) {
        let Some(crew) = self.crew else {
            let own = &mut own[0];
            return parts.for_each(|part| work(part, own));
        };
        let shared = Apart((Mutex::new((&mut parts, own.iter_mut())), work));
        crew.together(self.count - 1, &|number| {
            let Apart((supply, work)) = &shared;
            // One lock for both: each time, another core had it last.
            let (own, mut next) = {
                let (parts, own) = &mut *lock(supply);
                let Some(own) = own.next() else { return };
                (own, from_ends(parts, number))
            };
            while let Some(part) = next {
                work(part, own);
                next = from_ends(&mut lock(supply).0, number);
            }
        });
    }
}

/// What threads share, on cache lines of its own, so that what one of them writes beside it does not keep others waiting.
/// Processors fetch two lines of 64 bytes at once, and some have lines of 128.
#[repr(align(128))]
struct Apart<T>(T);

/// The next part for a thread by its number: from the start, or from the end.
fn from_ends<I: DoubleEndedIterator>(parts: &mut I, number: usize) -> Option<I::Item> {
    if number.is_multiple_of(2) { parts.next() } else { parts.next_back() }
}

/// The sizes of parts, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    rest: usize,
    hands: usize,
    least: usize,
}

impl Iterator for Sizes {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let size = match self.hands {
            1 => self.rest,
            hands => (self.rest / (hands + 1)).max(self.least).min(self.rest),
        };
        self.rest -= size;
        (size > 0).then_some(size)
    }
}

/// What can be cut in two.
pub(super) trait Cut: Default + Send {
    fn len(&self) -> usize;
    fn cut(self, at: usize) -> (Self, Self);
}

impl<T: Send> Cut for &mut [T] {
    fn len(&self) -> usize {
        <[T]>::len(self)
    }

    fn cut(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}

impl Cut for Output<'_> {
    fn len(&self) -> usize {
        match self {
            Output::Bytes(bytes) => bytes.len(),
            Output::Floats(floats) => floats.len(),
        }
    }

    fn cut(self, at: usize) -> (Self, Self) {
        match self {
            Output::Bytes(bytes) => {
                let (part, rest) = bytes.split_at_mut(at);
                (Output::Bytes(part), Output::Bytes(rest))
            }
            Output::Floats(floats) => {
                let (part, rest) = floats.split_at_mut(at);
                (Output::Floats(part), Output::Floats(rest))
            }
        }
    }
}

/// The parts of a result that have not been handed out: each with the number of units before it.
pub(super) struct Parts<R> {
    rest: R,
    at: usize,
    unit: usize,
    sizes: Sizes,
}

impl<R: Cut> Iterator for Parts<R> {
    type Item = (usize, R);

    fn next(&mut self) -> Option<(usize, R)> {
        let size = self.sizes.next()?;
        let rest = take(&mut self.rest);
        let length = rest.len().min(size * self.unit);
        let (part, rest) = rest.cut(length);
        self.rest = rest;
        let at = self.at;
        self.at += size;
        Some((at, part))
    }
}

impl<R: Cut> DoubleEndedIterator for Parts<R> {
    fn next_back(&mut self) -> Option<(usize, R)> {
        self.sizes.next()?;
        let (rest, part) = take(&mut self.rest).cut(self.sizes.rest * self.unit);
        self.rest = rest;
        Some((self.at + self.sizes.rest, part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_get_smaller_and_are_all_there_is() {
        let threads = Threads::eager(2);
        let sizes: Vec<usize> = threads.for_work(1).sizes(40).collect();
        // A third of what is left, by hand.
        assert_eq!(sizes, [13, 9, 6, 4, 2, 2, 1, 1, 1, 1]);
        let mut result: Vec<usize> = vec![0; 403];
        for (at, part) in threads.for_work(1).parts(&mut result[..], 10) {
            assert!(part.len().is_multiple_of(10) || at * 10 + part.len() == 403);
            part.iter_mut().enumerate().for_each(|(place, to)| *to = at * 10 + place);
        }
        assert_eq!(result, (0..403).collect::<Vec<_>>());
    }

    #[test]
    fn parts_from_both_ends_are_all_there_is() {
        let threads = Threads::eager(2);
        // Units of ten, and a rest at the end; taken from the end alone, and from both in turn.
        for from_the_end in [[true, true], [false, true], [true, false]] {
            let mut result: Vec<usize> = vec![usize::MAX; 403];
            let mut parts = threads.for_work(1).parts(&mut result[..], 10);
            for from_the_end in from_the_end.into_iter().cycle() {
                let part = if from_the_end { parts.next_back() } else { parts.next() };
                let Some((at, part)) = part else { break };
                part.iter_mut().enumerate().for_each(|(place, to)| *to = at * 10 + place);
            }
            assert_eq!(result, (0..403).collect::<Vec<_>>(), "{from_the_end:?}");
        }
    }

    #[test]
    fn a_part_is_worth_handing_out() {
        let threads = Threads { least_shared: 1000, least_part: 300, ..Threads::eager(2) };
        let sizes = |work: u64| threads.for_work(work).sizes(10).collect::<Vec<_>>();
        // Units of 100 each, three of which are a part; and less work than is shared.
        assert_eq!(sizes(1000), [3, 3, 3, 1]);
        assert_eq!(sizes(999), [10]);
        assert_eq!(Threads::new(1).for_work(1_000_000_000).sizes(10).collect::<Vec<_>>(), [10]);
    }
}
