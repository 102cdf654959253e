//! Whether generated code and library belong together, as far as UniFFI does not tell.
//!
//! On load the generated code compares a checksum of each function with the library's. It covers the function's name, the
//! names of its types, and its documentation; but not the fields of a record nor the variants of an enum, which go over one
//! after the other, without a name. So a hash of these stands in the documentation of one function, and is compared with it.

const SOURCES: [&str; 3] = [include_str!("types.rs"), include_str!("error.rs"), include_str!("logger.rs")];

/// What goes over by value.
const KINDS: [&str; 3] = ["uniffi::Record", "uniffi::Enum", "uniffi::Error"];

/// The lines of what goes over by value, without comments.
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
fn the_hash_of_all_fields_stands_where_uniffi_compares_it() {
    // FNV-1a (Fowler, Noll and Vo), 32 bits.
    let hash = layout()
        .concat()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let words = format!("/// The fields of all types that go over have the hash {hash:08x}.");
    assert!(
        include_str!("image.rs").contains(&words),
        "what goes over has changed: write into image.rs\n    {words}\nand run `cargo xtask bindings`"
    );
}

#[test]
fn every_type_that_goes_over_is_in_the_layout() {
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
    // Wherever it is declared, and however its attribute is written.
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
