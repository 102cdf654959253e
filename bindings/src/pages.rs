//! Checks that the pages of `docs/` show the quickstarts that are compiled and run.

/// A page's name and text, and its quickstart, whose first line names the dependency.
const PAGES: [(&str, &str, &str); 3] = [
    ("kotlin.md", include_str!("../../docs/kotlin.md"), include_str!("../../docs/quickstart/Quickstart.kt")),
    ("swift.md", include_str!("../../docs/swift.md"), include_str!("../../docs/quickstart/Quickstart.swift")),
    ("java.md", include_str!("../../docs/java.md"), include_str!("../../docs/quickstart/Quickstart.java")),
];

/// The maximum number of lines of a quickstart, its dependency included.
const MAX_LINES: usize = 15;

#[test]
fn pages_show_the_quickstart_files() {
    for (name, page, quickstart) in PAGES {
        let (_, code) = quickstart.split_once('\n').expect("a dependency and code");
        assert!(page.contains(&format!("\n{code}```\n")), "docs/{name} shows another quickstart than the file");
        assert!(quickstart.lines().count() <= MAX_LINES, "docs/{name}: the quickstart has more than {MAX_LINES} lines");
    }
}
