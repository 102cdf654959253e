//! Checks that the pages of `docs/` show the quickstarts that are compiled and run.

/// A page's name and text, its quickstart, whose first line names the dependency, and the maximum number of lines of the
/// quickstart.
const PAGES: [(&str, &str, &str, usize); 4] = [
    ("kotlin.md", include_str!("../../docs/kotlin.md"), include_str!("../../docs/quickstart/Quickstart.kt"), 15),
    ("swift.md", include_str!("../../docs/swift.md"), include_str!("../../docs/quickstart/Quickstart.swift"), 15),
    ("java.md", include_str!("../../docs/java.md"), include_str!("../../docs/quickstart/Quickstart.java"), 15),
    ("c.md", include_str!("../../docs/c.md"), include_str!("../../docs/quickstart/quickstart.c"), 30),
];

#[test]
fn pages_show_the_quickstart_files() {
    for (name, page, quickstart, max_lines) in PAGES {
        let (_, code) = quickstart.split_once('\n').expect("a dependency and code");
        assert!(page.contains(&format!("\n{code}```\n")), "docs/{name} shows another quickstart than the file");
        assert!(quickstart.lines().count() <= max_lines, "docs/{name}: the quickstart has more than {max_lines} lines");
    }
}
