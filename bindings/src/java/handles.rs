//! The objects that Java holds by number. A number without an object, because it was closed or never given, is an error
//! and not a crash. A call holds a reference to the objects that it uses, so that closing one never waits for a call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The objects of one type that Java holds.
pub(super) struct Handles<T>(Mutex<Table<T>>);

struct Table<T> {
    /// The number that was given last; 0 before the first.
    last: i64,
    /// The objects by number; `None` before the first, since no map can be made in a constant.
    objects: Option<HashMap<i64, Arc<T>>>,
}

impl<T> Handles<T> {
    pub(super) const fn new() -> Handles<T> {
        Handles(Mutex::new(Table { last: 0, objects: None }))
    }

    /// Keeps an object and returns its number, which is positive and never reused.
    pub(super) fn keep(&self, object: T) -> i64 {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.last += 1;
        let handle = table.last;
        table.objects.get_or_insert_default().insert(handle, Arc::new(object));
        handle
    }

    /// The object with this number; `None` where there is none.
    pub(super) fn get(&self, handle: i64) -> Option<Arc<T>> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.objects.as_ref()?.get(&handle).cloned()
    }

    /// Drops the reference to the object with this number; does nothing where there is none.
    pub(super) fn close(&self, handle: i64) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = table.objects.as_mut().and_then(|objects| objects.remove(&handle));
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
        let (one, two) = (handles.keep("one"), handles.keep("two"));
        let held = handles.get(one).expect("kept");
        handles.close(one);
        handles.close(one);
        assert!(handles.get(one).is_none() && handles.get(0).is_none() && handles.get(-7).is_none());
        assert_eq!((*held, handles.get(two).as_deref()), ("one", Some(&"two")));
        assert_ne!(handles.keep("three"), one);
    }
}
