//! The objects that Java and C hold by number. A number without an object, because it was closed or never given, is an
//! error and not a crash. A call holds a reference to the objects that it uses, so that closing one never waits for a
//! call.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The number that is given next, of any type: the number of an object of one type is none of another. All are odd, so
/// that none is the address of something that is aligned.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// The objects of one type that another language holds. There is no map before the first, since none can be made in a
/// constant.
pub(crate) struct Handles<T>(Mutex<Option<HashMap<usize, Arc<T>>>>);

impl<T> Handles<T> {
    pub(crate) const fn new() -> Handles<T> {
        Handles(Mutex::new(None))
    }

    /// Keeps an object and returns its number. A 64-bit process never reuses a number, and a 32-bit one not before 2^31
    /// others.
    pub(crate) fn keep(&self, object: T) -> NonZeroUsize {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let table = table.get_or_insert_default();
        loop {
            let next = NEXT.fetch_add(2, Ordering::Relaxed);
            if let (Some(handle), Entry::Vacant(vacant)) = (NonZeroUsize::new(next), table.entry(next)) {
                vacant.insert(Arc::new(object));
                return handle;
            }
        }
    }

    /// The object with this number; `None` where there is none.
    pub(crate) fn get(&self, handle: usize) -> Option<Arc<T>> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.as_ref()?.get(&handle).cloned()
    }

    /// Drops the reference to the object with this number; does nothing where there is none.
    pub(crate) fn close(&self, handle: usize) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = table.as_mut().and_then(|objects| objects.remove(&handle));
        drop(table);
        // Dropped outside the lock, because freeing a classifier takes a while.
        drop(closed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handle_refers_to_its_object_until_closed() {
        let handles = Handles::new();
        let (one, two) = (handles.keep("one").get(), handles.keep("two").get());
        let held = handles.get(one).expect("kept");
        handles.close(one);
        handles.close(one);
        assert!(handles.get(one).is_none() && handles.get(0).is_none() && handles.get(usize::MAX).is_none());
        assert_eq!((*held, handles.get(two).as_deref()), ("one", Some(&"two")));
        assert_ne!(handles.keep("three").get(), one);
    }

    #[test]
    fn handle_of_one_type_is_none_of_another() {
        let (texts, numbers) = (Handles::new(), Handles::new());
        let (text, number) = (texts.keep("one").get(), numbers.keep(1).get());
        assert!(texts.get(number).is_none() && numbers.get(text).is_none());
    }
}
