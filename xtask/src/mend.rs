//! Fixes for the Kotlin and Swift code that UniFFI 0.32.2 generates.
//!
//! Each fix names the lines that it works around, in files below `uniffi_bindgen-0.32.2/src/bindings/`, and the issue
//! of `mozilla/uniffi-rs` where one is known. A fix whose text UniFFI no longer writes is an error.
//!
//! In both languages, a library of another release is reported in words that say what to do. In Kotlin, the versions
//! are also compared before the first call, which UniFFI leaves to the app. Three defects of the Kotlin code are fixed:
//! an argument that was closed before the call is passed as a pointer to freed memory; a call with a refused argument
//! leaks the handles that it has cloned; and a closed object accepts calls as long as another call is in flight.
//!
//! UniFFI's method clones the handle of the receiver and then lowers each argument in order. The fixed method holds all
//! objects open first, then lowers the other arguments, and clones the handles last, when nothing can be refused any
//! more.

use anyhow::{Context, Result, ensure};

/// The start of the arguments of a method's call: the receiver's handle (`kotlin/templates/macros.kt:29-37`).
const RECEIVER: &str = "(\n        it,\n        ";
/// The end of the arguments (`kotlin/templates/macros.kt:38`).
const STATUS: &str = "_status)";

/// Texts that are the same for all objects or occur once, as UniFFI writes them and as they should be.
const REPLACED: [(&str, &str); 5] = [
    // kotlin/templates/NamespaceLibraryTemplate.kt:78; no issue known. A library of another release may lack a
    // function, and then JNA fails before any version is compared, with an error that names the function only. The
    // library is loaded outside of `try`, so that a missing library keeps JNA's own message.
    (
        "        Native.register(IntegrityCheckingUniffiLib::class.java, findLibraryName(componentName = \"bedside\"))\n",
        concat!(
            "        val library = com.sun.jna.NativeLibrary.getInstance(findLibraryName(componentName = \"bedside\"))\n",
            "        try {\n",
            "            Native.register(IntegrityCheckingUniffiLib::class.java, library)\n",
            "        } catch (missing: UnsatisfiedLinkError) {\n",
            "            throw UnsatisfiedLinkError(\n",
            "                \"UniFFI functions mismatch: this code and libbedside are of two releases; use both of one release \" +\n",
            "                    \"(${missing.message})\",\n",
            "            )\n",
            "        }\n",
        ),
    ),
    // kotlin/templates/NamespaceLibraryTemplate.kt:99-100; no issue known. `IntegrityCheckingUniffiLib` compares the
    // versions when it is initialized. Only `uniffiEnsureInitialized` (line 138) does that, and no call does.
    (
        "        Native.register(UniffiLib::class.java, ",
        "        IntegrityCheckingUniffiLib.ensureInitialized()\n        Native.register(UniffiLib::class.java, ",
    ),
    // kotlin/templates/ObjectTemplate.kt:182; no issue known. `destroy` sets `wasDestroyed` and decrements the counter
    // once, which stays above 0 as long as calls overlap; so a closed object accepts further calls.
    ("if (c == 0L) {", "if (c == 0L || this.wasDestroyed.get()) {"),
    // kotlin/templates/ObjectTemplate.kt:191; issue 1155 (closed). The receiver's handle is cloned before the arguments
    // are lowered, and leaks where one is refused. `call` clones it last.
    ("return block(this.uniffiCloneHandle())", "return block(this.handle)"),
    // kotlin/templates/ObjectTemplate.kt:266; no issue known (issue 457, closed, covers the receiver only). An object
    // in a value is cloned without being held open, although it may be closed and freed already.
    ("return value.uniffiCloneHandle()", "return value.callWithHandle { value.uniffiCloneHandle() }"),
];

/// The converters that can refuse a value, in the order in which they run, before all others. A buffer that is not
/// direct is refused (`kotlin/templates/RustBufferTemplate.kt:83`); it takes no memory of Rust's, so that nothing leaks
/// when a later buffer or the query is refused. A query is refused where its cancel handle is closed, and frees its own
/// memory (`kotlin/templates/FfiConverterTemplate.kt:47-48`).
const REFUSABLE: [&str; 2] = ["FfiConverterByRefBytes.", "FfiConverterTypeQuery."];

/// The end of the message of a failed comparison of versions, as UniFFI writes it and as it should be, because the user
/// of a library can't clean or rebuild it. `kotlin/templates/NamespaceLibraryTemplate.kt:119` and `129`,
/// `swift/templates/wrapper.swift:74` and `76`; no issue known.
const MISMATCH: (&str, &str) = (
    "mismatch: try cleaning and rebuilding your project",
    "mismatch: this code and libbedside are of two releases; use both of one release",
);

/// UniFFI's code, Kotlin or Swift, with the message of [`MISMATCH`]. In Kotlin the error becomes an
/// `UnsatisfiedLinkError`, as in Java; UniFFI throws a `RuntimeException`
/// (`kotlin/templates/NamespaceLibraryTemplate.kt:119` and `129`).
///
/// # Errors
/// Where `written` has no such message.
pub(crate) fn mismatch(written: &str) -> Result<String> {
    ensure!(written.contains(MISMATCH.0), "UniFFI compares versions in another way now");
    let text = written.replace(MISMATCH.0, MISMATCH.1);
    Ok(text.replace("throw RuntimeException(\"UniFFI ", "throw UnsatisfiedLinkError(\"UniFFI "))
}

/// UniFFI's Kotlin code with [`REPLACED`] and with each call of a method rewritten. `objects` are the names of the
/// exported objects.
///
/// # Errors
/// Where a text that is to be replaced, or every call of a method, is missing.
pub(crate) fn kotlin(written: &str, objects: &[&str]) -> Result<String> {
    let mut text = written.to_owned();
    for (wrong, right) in REPLACED {
        ensure!(text.contains(wrong), "UniFFI writes Kotlin in another way now: `{wrong}` is gone");
        text = text.replace(wrong, right);
    }
    let mut output = String::new();
    let mut remaining = text.as_str();
    while let Some((before, after)) = remaining.split_once(RECEIVER) {
        let (arguments, after) = after.split_once(STATUS).context("UniFFI writes calls in another way now")?;
        let (before, function) = before.rsplit_once('\n').context("a call stands on a line of its own")?;
        output.push_str(before);
        output.push('\n');
        output.push_str(&call(function.trim(), arguments, objects));
        remaining = after;
    }
    ensure!(!output.is_empty(), "UniFFI writes calls in another way now");
    Ok(output + remaining)
}

/// A call of `function` with these arguments, which are separated by commas at the ends of lines. UniFFI lowers them in
/// order, right in the call, and clones an object's handle when it lowers it (`kotlin/templates/macros.kt:37` and
/// `114-118`; issue 1155, closed).
fn call(function: &str, arguments: &str, objects: &[&str]) -> String {
    let (mut objects_held, mut values, mut passed) = (Vec::new(), Vec::new(), vec!["uniffiCloneHandle()".to_owned()]);
    for argument in arguments.split(",\n").map(|argument| argument.trim().trim_end_matches(',')) {
        let object = objects
            .iter()
            .find_map(|object| argument.strip_prefix(&format!("FfiConverterType{object}.lower("))?.strip_suffix(')'));
        if let Some(name) = object {
            objects_held.push(name);
            passed.push(format!("{name}.uniffiCloneHandle()"));
        } else if !argument.is_empty() {
            let name = format!("argument{}", passed.len());
            values.push(["    val ", &name, " = ", argument, "\n"].concat());
            passed.push(name);
        }
    }
    values.sort_by_key(|value| {
        let rank = REFUSABLE.iter().position(|refusable| value.contains(refusable));
        rank.unwrap_or(REFUSABLE.len())
    });
    let values = values.concat();
    let open = objects_held.iter().fold(String::new(), |open, name| open + "    " + name + ".callWithHandle {\n");
    let close = "\n    }".repeat(objects_held.len());
    format!("{open}{values}    {function}({}, {STATUS}{close}", passed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As UniFFI 0.32.2 writes it.
    const WRITTEN: &str = "
    init {
        Native.register(IntegrityCheckingUniffiLib::class.java, findLibraryName(componentName = \"bedside\"))
    }
    init {
        Native.register(UniffiLib::class.java, name)
            if (c == 0L) {
            return block(this.uniffiCloneHandle())
        return value.uniffiCloneHandle()
    callWithHandle {
    uniffiRustCallWithError(BedsideException) { _status ->
    UniffiLib.classify(
        it,
        
        FfiConverterTypeImage.lower(`image`),
        FfiConverterTypeFrameFormat.lower(`format`),
        FfiConverterTypeQuery.lower(`query`),
        FfiConverterByRefBytes.lower(`bytes`),_status)
}
    UniffiLib.identity(
        it,
        _status)
";

    #[test]
    fn kotlin_holds_objects_then_lowers_values_then_clones_handles() {
        let found = kotlin(WRITTEN, &["Image"]).expect("as UniFFI writes it");
        let wanted = "
    init {
        val library = com.sun.jna.NativeLibrary.getInstance(findLibraryName(componentName = \"bedside\"))
        try {
            Native.register(IntegrityCheckingUniffiLib::class.java, library)
        } catch (missing: UnsatisfiedLinkError) {
            throw UnsatisfiedLinkError(
                \"UniFFI functions mismatch: this code and libbedside are of two releases; use both of one release \" +
                    \"(${missing.message})\",
            )
        }
    }
    init {
        IntegrityCheckingUniffiLib.ensureInitialized()
        Native.register(UniffiLib::class.java, name)
            if (c == 0L || this.wasDestroyed.get()) {
            return block(this.handle)
        return value.callWithHandle { value.uniffiCloneHandle() }
    callWithHandle {
    uniffiRustCallWithError(BedsideException) { _status ->
    `image`.callWithHandle {
    val argument4 = FfiConverterByRefBytes.lower(`bytes`)
    val argument3 = FfiConverterTypeQuery.lower(`query`)
    val argument2 = FfiConverterTypeFrameFormat.lower(`format`)
    UniffiLib.classify(uniffiCloneHandle(), `image`.uniffiCloneHandle(), argument2, argument3, argument4, _status)
    }
}
    UniffiLib.identity(uniffiCloneHandle(), _status)
";
        assert_eq!(found, wanted);
    }

    #[test]
    fn mismatch_says_what_to_do_in_both_languages() {
        let words = "mismatch: this code and libbedside are of two releases; use both of one release\")";
        let kotlin =
            "throw RuntimeException(\"UniFFI API checksum mismatch: try cleaning and rebuilding your project\")";
        let wanted = format!("throw UnsatisfiedLinkError(\"UniFFI API checksum {words}");
        assert_eq!(mismatch(kotlin).expect("as UniFFI writes it"), wanted);
        let swift = "fatalError(\"UniFFI contract version mismatch: try cleaning and rebuilding your project\")";
        let wanted = format!("fatalError(\"UniFFI contract version {words}");
        assert_eq!(mismatch(swift).expect("as UniFFI writes it"), wanted);
    }

    #[test]
    fn unknown_generated_code_is_an_error() {
        assert!(mismatch("throw RuntimeException(\"another word\")").is_err());
        assert!(kotlin(&WRITTEN.replace("value.uniffi", "value.other"), &["Image"]).is_err());
        assert!(kotlin(&WRITTEN.replace("it,", "handle,"), &["Image"]).is_err());
    }
}
