//! What UniFFI writes, mended.
//!
//! In both languages, code and library of two releases say so, and what to do; in Kotlin they are compared at all,
//! which UniFFI leaves to the app. And three faults in the Kotlin: an object handed over after it was closed was a
//! pointer to freed memory; a call refused half-way never gave back what it had handed over; and a closed object went
//! on taking calls for as long as there was always one under way.
//!
//! As written, a method clones the Rust side of its object and then of each argument, in their order; what is closed
//! meanwhile is not noticed, and where a later argument is refused the clones stay for ever. Mended, objects are held
//! open first, values are converted next, and clones are made last, when nothing can be refused any more.

use anyhow::{Context, Result, ensure};

/// How a method begins to hand things over.
const RECEIVER: &str = "(\n        it,\n        ";
/// How it ends.
const STATUS: &str = "_status)";

/// Texts that stand for the library or for all objects alike, as UniFFI writes them and as they should be. A library of
/// another release may lack a function before anything can be compared.
const REPLACED: [(&str, &str); 5] = [
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
    (
        "        Native.register(UniffiLib::class.java, ",
        "        IntegrityCheckingUniffiLib.ensureInitialized()\n        Native.register(UniffiLib::class.java, ",
    ),
    ("if (c == 0L) {", "if (c == 0L || this.wasDestroyed.get()) {"),
    ("return block(this.uniffiCloneHandle())", "return block(this.handle)"),
    ("return value.uniffiCloneHandle()", "return value.callWithHandle { value.uniffiCloneHandle() }"),
];

/// The values that can be refused, in the order in which they are converted: a buffer takes no memory of Rust's, so
/// that none is left behind when it is refused; of the others, only the query.
const REFUSABLE: [&str; 2] = ["FfiConverterByRefBytes.", "FfiConverterTypeQuery."];

/// What the code says on load where the library is another, as UniFFI writes it and as it should be: an app's maker has
/// nothing to clean or rebuild.
const MISMATCH: (&str, &str) = (
    "mismatch: try cleaning and rebuilding your project",
    "mismatch: this code and libbedside are of two releases; use both of one release",
);

/// What UniFFI wrote, with words that tell code and library of two releases. In Kotlin that is an
/// `UnsatisfiedLinkError`, as it is in Java.
pub(crate) fn mismatch(written: &str) -> Result<String> {
    ensure!(written.contains(MISMATCH.0), "UniFFI compares versions in another way now");
    let text = written.replace(MISMATCH.0, MISMATCH.1);
    Ok(text.replace("throw RuntimeException(\"UniFFI ", "throw UnsatisfiedLinkError(\"UniFFI "))
}

/// What UniFFI wrote, mended. `objects` are the names of the exported objects.
pub(crate) fn kotlin(written: &str, objects: &[&str]) -> Result<String> {
    let mut text = written.to_owned();
    for (wrong, right) in REPLACED {
        ensure!(text.contains(wrong), "UniFFI writes Kotlin in another way now: `{wrong}` is gone");
        text = text.replace(wrong, right);
    }
    let mut mended = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(RECEIVER) {
        let (arguments, after) = after.split_once(STATUS).context("UniFFI writes calls in another way now")?;
        let (before, function) = before.rsplit_once('\n').context("a call stands on a line of its own")?;
        mended.push_str(before);
        mended.push('\n');
        mended.push_str(&call(function.trim(), arguments, objects));
        rest = after;
    }
    ensure!(!mended.is_empty(), "UniFFI writes calls in another way now");
    Ok(mended + rest)
}

/// One call of `function` with these arguments, separated by commas at the ends of lines.
fn call(function: &str, arguments: &str, objects: &[&str]) -> String {
    let (mut held, mut values, mut handed) = (Vec::new(), Vec::new(), vec!["uniffiCloneHandle()".to_owned()]);
    for argument in arguments.split(",\n").map(|argument| argument.trim().trim_end_matches(',')) {
        let object = objects
            .iter()
            .find_map(|object| argument.strip_prefix(&format!("FfiConverterType{object}.lower("))?.strip_suffix(')'));
        if let Some(name) = object {
            held.push(name);
            handed.push(format!("{name}.uniffiCloneHandle()"));
        } else if !argument.is_empty() {
            let name = format!("argument{}", handed.len());
            values.push(["    val ", &name, " = ", argument, "\n"].concat());
            handed.push(name);
        }
    }
    values.sort_by_key(|value| {
        let place = REFUSABLE.iter().position(|refusable| value.contains(refusable));
        place.unwrap_or(REFUSABLE.len())
    });
    let values = values.concat();
    let open = held.iter().fold(String::new(), |open, name| open + "    " + name + ".callWithHandle {\n");
    let close = "\n    }".repeat(held.len());
    format!("{open}{values}    {function}({}, {STATUS}{close}", handed.join(", "))
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
    fn objects_are_held_then_values_converted_refusable_ones_first_then_clones_made() {
        let mended = kotlin(WRITTEN, &["Image"]).expect("as UniFFI writes it");
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
        assert_eq!(mended, wanted);
    }

    #[test]
    fn a_library_of_another_release_is_told_with_what_to_do() {
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
    fn what_uniffi_writes_in_another_way_is_refused() {
        assert!(mismatch("throw RuntimeException(\"another word\")").is_err());
        assert!(kotlin(&WRITTEN.replace("value.uniffi", "value.other"), &["Image"]).is_err());
        assert!(kotlin(&WRITTEN.replace("it,", "handle,"), &["Image"]).is_err());
    }
}
