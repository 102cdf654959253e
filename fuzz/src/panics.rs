//! Which panics end a run.

use std::panic::{PanicHookInfo, set_hook, take_hook};

/// Has every panic end the process as a find, even one that somebody catches, but for those of tract's import: there a
/// panic that becomes an error is what the engine promises.
///
/// libFuzzer's own hook, which stands before this is called, aborts at every panic.
pub fn abort_unless_in_tract_import() {
    let abort = take_hook();
    set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        if !is_of_tract_import(panic) {
            abort(panic);
        }
    }));
}

/// Whether tract panics while it takes a graph in. A check of our own that fails there is ours.
fn is_of_tract_import(panic: &PanicHookInfo<'_>) -> bool {
    let ours = panic.location().is_none_or(|at| at.file().contains("/engine/src/") || at.file().contains("/fuzz/"));
    bedside_engine::fuzzing::is_importing() && !ours
}
