//! Makes UniFFI's comparison of generated code and library cover the fields of all types.
//!
//! On load the generated code compares a checksum of each function with the library's. The checksum covers the
//! function's name, the names of its types, and its documentation, but not the fields of a record nor the variants of
//! an enum (mozilla/uniffi-rs issue 1789), which are passed one after the other without names. So the documentation of
//! one function has a hash of all fields and variants, which is compared with it.

/// The files that declare types that are passed by value.
const SOURCES: [&str; 4] =
    [include_str!("types.rs"), include_str!("explain.rs"), include_str!("error.rs"), include_str!("logger.rs")];

/// The derives of types that are passed by value.
const KINDS: [&str; 3] = ["uniffi::Record", "uniffi::Enum", "uniffi::Error"];

/// The lines that declare types that are passed by value, trimmed and without comments.
fn layout() -> Vec<&'static str> {
    let (mut layout, mut inside) = (Vec::new(), false);
    for line in SOURCES.into_iter().flat_map(str::lines) {
        let derives = line.starts_with("#[derive(");
        inside |= derives && KINDS.iter().any(|kind| line.contains(kind));
        if inside && !line.trim_start().starts_with("//") {
            layout.push(line.trim());
        }
        inside &= line != "}";
    }
    layout
}

#[test]
fn documentation_has_the_hash_of_all_fields() {
    // FNV-1a (Fowler, Noll and Vo), 32 bits.
    let hash = layout()
        .concat()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let words = format!("/// The hash of the fields of all types that are passed by value is {hash:08x}.");
    assert!(
        include_str!("image.rs").contains(&words),
        "the fields of a type have changed: write into image.rs\n    {words}\nand run `cargo xtask bindings`"
    );
}

#[test]
fn layout_covers_every_type_that_is_passed_by_value() {
    let layout = layout();
    let has = |line: &str| layout.contains(&line);
    for (head, fields) in [
        ("pub struct Finding {", ["pub label: String,", "pub over_operating_point: bool,"]),
        ("pub struct Query {", ["pub score_threshold: f32,", "pub language: String,"]),
        ("pub enum ErrorKind {", ["UnsupportedImage,", "SelfTest,"]),
        ("pub enum LogLevel {", ["Warn,", "Trace,"]),
    ] {
        assert!(has(head) && fields.into_iter().all(has), "{head}");
    }
    assert!(layout.iter().all(|line| !line.contains("fn ") && !line.starts_with("impl")), "no code");
    // Every declaration in this folder must be in the layout, however its attribute is written.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/kotlin_swift");
    let files = std::fs::read_dir(folder).expect("this folder").map(|file| file.expect("listed").path());
    let sources =
        files.filter(|file| !file.ends_with("layout.rs")).map(|file| std::fs::read_to_string(file).expect("text"));
    let declared = |source: String| KINDS.iter().map(|kind| source.matches(kind).count()).sum::<usize>();
    assert_eq!(
        layout.iter().filter(|line| line.starts_with("#[derive(")).count(),
        sources.map(declared).sum::<usize>()
    );
}
