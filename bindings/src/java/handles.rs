//! What Java holds by number. A number that stands for nothing, because it was closed or never given, is an error and
//! not a crash; a call keeps what it works on alive, so that closing meanwhile waits for nobody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The things of one kind that Java holds.
pub(super) struct Handles<T>(Mutex<Table<T>>);

struct Table<T> {
    last: i64,
    things: Option<HashMap<i64, Arc<T>>>,
}

impl<T> Handles<T> {
    pub(super) const fn new() -> Handles<T> {
        Handles(Mutex::new(Table { last: 0, things: None }))
    }

    /// Keeps a thing, and gives the number that stands for it. No number is given twice.
    pub(super) fn keep(&self, thing: T) -> i64 {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.last += 1;
        let handle = table.last;
        table.things.get_or_insert_default().insert(handle, Arc::new(thing));
        handle
    }

    pub(super) fn get(&self, handle: i64) -> Option<Arc<T>> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.things.as_ref()?.get(&handle).cloned()
    }

    /// Lets go of it. Closing twice does nothing.
    pub(super) fn close(&self, handle: i64) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = table.things.as_mut().and_then(|things| things.remove(&handle));
        drop(table);
        // Freed outside the lock: a classifier takes a while.
        drop(closed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_stands_for_its_thing_until_it_is_closed() {
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
