//! The rule for which panics end a run. The engine says whether tract is importing a graph.

use std::panic::{PanicHookInfo, set_hook, take_hook};

/// Makes every panic end the process as a failure, a caught one too, except a panic of tract while it imports a graph,
/// which the engine turns into an error.
///
/// libFuzzer's own hook, which must be installed before this is called, aborts at every panic.
pub fn abort_unless_in_tract_import() {
    let abort = take_hook();
    set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        if !is_of_tract_import(panic) {
            abort(panic);
        }
    }));
}

/// Whether tract itself panics while it imports a graph. A panic in Bedside's own code during the import does not
/// count.
fn is_of_tract_import(panic: &PanicHookInfo<'_>) -> bool {
    let is_own = panic.location().is_none_or(|at| at.file().contains("/engine/src/") || at.file().contains("/fuzz/"));
    bedside_engine::fuzzing::is_importing() && !is_own
}
