//! A step in parts, for several threads. The caller says what a part is and what the whole step costs; the thread pool
//! (`pool.rs`) calls its closure on each thread.
//!
//! Parts are cut off while threads ask for them: large ones first, so that there are few, and small ones last, so that
//! all threads end together, whichever began late or is slow. The caller's thread takes parts from the start on and the
//! next thread from the end, so that each finds the results of the step before near its own core.

use std::mem::take;
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::pool::{ThreadPool, lock};
use super::processors;
use super::sync::Mutex;

/// The minimum work of a step that is run on several threads, in multiply-adds of a matrix product. One thread finishes
/// less before another has started.
const MIN_PARALLEL_WORK: u64 = 400_000;

/// The minimum work of a part, in the same unit. Smaller parts cost more than they balance.
const MIN_PART_WORK: u64 = 100_000;

/// The threads that run the steps of a program: the caller's, and those of the shared pool.
#[derive(Debug)]
pub(crate) struct Threads {
    pool: Option<Arc<ThreadPool>>,
    count: usize,
    min_parallel_work: u64,
    min_part_work: u64,
}

impl Threads {
    /// `count` threads, but no more than the processor runs at once: more would wait for each other.
    pub(crate) fn new(count: usize) -> Threads {
        Threads::exactly(if count > 1 { count.min(processors()) } else { 1 })
    }

    fn exactly(count: usize) -> Threads {
        let pool = (count > 1).then(|| ThreadPool::shared(count - 1));
        Threads { pool, count, min_parallel_work: MIN_PARALLEL_WORK, min_part_work: MIN_PART_WORK }
    }

    /// For tests: runs every step on all threads, in parts as small as can be.
    #[cfg(test)]
    pub(crate) fn eager(count: usize) -> Threads {
        Threads { min_parallel_work: 0, min_part_work: 0, ..Threads::exactly(count) }
    }

    /// The maximum number of threads of a step, the caller's among them.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The threads for a step of `work` multiply-adds of a matrix product, or of what takes as long.
    pub(crate) fn for_work(&self, work: u64) -> StepThreads<'_> {
        let pool = self.pool.as_deref().filter(|_| work >= self.min_parallel_work);
        let count = if pool.is_some() { self.count } else { 1 };
        StepThreads { pool, count, work, min_part_work: self.min_part_work }
    }
}

/// The threads for one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepThreads<'a> {
    pool: Option<&'a ThreadPool>,
    count: usize,
    work: u64,
    min_part_work: u64,
}

impl StepThreads<'_> {
    /// The number of threads, the caller's among them.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn is_parallel(&self) -> bool {
        self.count > 1
    }

    /// Cuts `result` into parts of whole units of `unit` elements each; the last unit may be shorter. Each part comes
    /// with the number of units before it.
    pub(crate) fn parts<R: Split>(&self, result: R, unit: usize) -> Parts<R> {
        let unit = unit.max(1);
        let units = result.len().div_ceil(unit);
        Parts { left: result, at: 0, unit, sizes: self.sizes(units) }
    }

    /// How many of `units` units are in each part. All units cost the same.
    pub(crate) fn sizes(&self, units: usize) -> Sizes {
        let min = (self.min_part_work * units as u64).div_ceil(self.work.max(1)).max(1);
        Sizes { left: units, threads: self.count, min: min as usize }
    }

    /// Calls `work` with each part and with the scratch memory of the thread that it runs on. `scratch` has one for
    /// each of the [`StepThreads::count`] threads.
    ///
    /// # Panics
    /// Where `work` panics, when all threads have ended.
    pub(crate) fn for_each<P, S: Send>(
        &self,
        mut parts: impl DoubleEndedIterator<Item = P> + Send,
        scratch: &mut [S],
        work: impl Fn(P, &mut S) + Sync,
    ) {
        let Some(pool) = self.pool else {
            let scratch = &mut scratch[0];
            return parts.for_each(|part| work(part, scratch));
        };
        // They have cache lines of their own, so that no thread waits for a line that another writes beside them.
        let shared = CachePadded::new((Mutex::new((&mut parts, scratch.iter_mut())), work));
        pool.run(self.count - 1, &|number| {
            let (supply, work) = &*shared;
            // One lock serves both: its cache line comes from another core each time.
            let (scratch, mut next) = {
                let (parts, scratch) = &mut *lock(supply);
                let Some(scratch) = scratch.next() else { return };
                (scratch, next_part(parts, number))
            };
            while let Some(part) = next {
                work(part, scratch);
                next = next_part(&mut lock(supply).0, number);
            }
        });
    }
}

/// The next part for the thread with this number: from the start for even numbers, from the end for odd ones.
fn next_part<I: DoubleEndedIterator>(parts: &mut I, number: usize) -> Option<I::Item> {
    if number.is_multiple_of(2) { parts.next() } else { parts.next_back() }
}

/// The sizes of parts in units, in the order in which they are cut. With several threads, each part has `left /
/// (threads + 1)` units, and at least `min`. One thread has one part.
#[derive(Debug, Clone)]
pub(crate) struct Sizes {
    /// The units that are not in a part yet.
    left: usize,
    threads: usize,
    min: usize,
}

impl Iterator for Sizes {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let size = match self.threads {
            1 => self.left,
            threads => (self.left / (threads + 1)).max(self.min).min(self.left),
        };
        self.left -= size;
        (size > 0).then_some(size)
    }
}

/// A result that can be split in two, as a slice can. Its default is empty.
pub(crate) trait Split: Default + Send {
    fn len(&self) -> usize;
    fn split_at(self, at: usize) -> (Self, Self);
}

impl<T: Send> Split for &mut [T] {
    fn len(&self) -> usize {
        <[T]>::len(self)
    }

    fn split_at(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}

/// Cuts parts off a result, from either end. Each comes with the number of units before it.
pub(crate) struct Parts<R> {
    /// What is not cut off yet.
    left: R,
    /// The number of units before it.
    at: usize,
    /// The elements of a unit.
    unit: usize,
    sizes: Sizes,
}

impl<R: Split> Iterator for Parts<R> {
    type Item = (usize, R);

    fn next(&mut self) -> Option<(usize, R)> {
        let size = self.sizes.next()?;
        let left = take(&mut self.left);
        let length = left.len().min(size * self.unit);
        let (part, left) = left.split_at(length);
        self.left = left;
        let at = self.at;
        self.at += size;
        Some((at, part))
    }
}

impl<R: Split> DoubleEndedIterator for Parts<R> {
    fn next_back(&mut self) -> Option<(usize, R)> {
        self.sizes.next()?;
        let (left, part) = take(&mut self.left).split_at(self.sizes.left * self.unit);
        self.left = left;
        Some((self.at + self.sizes.left, part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_get_smaller_and_cover_the_result() {
        let threads = Threads::eager(2);
        let sizes: Vec<usize> = threads.for_work(1).sizes(40).collect();
        // A third of what is left, computed by hand.
        assert_eq!(sizes, [13, 9, 6, 4, 2, 2, 1, 1, 1, 1]);
        let mut result: Vec<usize> = vec![0; 403];
        for (at, part) in threads.for_work(1).parts(&mut result[..], 10) {
            assert!(part.len().is_multiple_of(10) || at * 10 + part.len() == 403);
            part.iter_mut().enumerate().for_each(|(place, to)| *to = at * 10 + place);
        }
        assert_eq!(result, (0..403).collect::<Vec<_>>());
    }

    #[test]
    fn parts_from_both_ends_cover_the_result() {
        let threads = Threads::eager(2);
        // Units of ten, and a shorter one at the end; taken from the end alone, and from both in turn.
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
    fn parts_have_at_least_the_minimum_work() {
        let threads = Threads { min_parallel_work: 1000, min_part_work: 300, ..Threads::eager(2) };
        let sizes = |work: u64| threads.for_work(work).sizes(10).collect::<Vec<_>>();
        // Units of 100 each, three of which make a part; then less work than runs in parallel.
        assert_eq!(sizes(1000), [3, 3, 3, 1]);
        assert_eq!(sizes(999), [10]);
        assert_eq!(Threads::new(1).for_work(1_000_000_000).sizes(10).collect::<Vec<_>>(), [10]);
    }
}
