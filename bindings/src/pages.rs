//! The pages of `docs/` that show a quickstart show the file that is compiled and run.

/// A page and its quickstart, whose first line is the dependency.
const PAGES: [(&str, &str, &str); 3] = [
    ("kotlin.md", include_str!("../../docs/kotlin.md"), include_str!("../../docs/quickstart/Quickstart.kt")),
    ("swift.md", include_str!("../../docs/swift.md"), include_str!("../../docs/quickstart/Quickstart.swift")),
    ("java.md", include_str!("../../docs/java.md"), include_str!("../../docs/quickstart/Quickstart.java")),
];

/// How many lines a quickstart may have, its dependency included.
const LINES: usize = 15;

#[test]
fn every_page_shows_its_quickstart_as_it_is() {
    for (name, page, quickstart) in PAGES {
        let (_, code) = quickstart.split_once('\n').expect("a dependency and code");
        assert!(page.contains(&format!("\n{code}```\n")), "docs/{name} shows another quickstart than the file");
        assert!(quickstart.lines().count() <= LINES, "docs/{name}: the quickstart has more than {LINES} lines");
    }
}
