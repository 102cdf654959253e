//! The book of `docs/`, by mdBook. `docs/book.toml` has its settings.

use anyhow::Result;

use crate::step::{Step, tool};

/// The version of mdBook.
const MDBOOK: &str = "0.5.4";
/// The version of the check of links, which mdBook runs.
const LINKS: &str = "0.13.0";

/// Builds the book, and fails where a link within the repository leads nowhere.
pub(crate) fn build() -> Result<()> {
    let mdbook = tool("mdbook", MDBOOK, &["mdbook"], &[])?[0].display().to_string();
    let links = tool("mdbook-linkcheck2", LINKS, &["mdbook-linkcheck2"], &[])?[0].clone();
    let path = std::env::var("PATH").unwrap_or_default();
    let path = match links.parent() {
        Some(folder) => format!("{}:{path}", folder.display()),
        None => path,
    };
    Step::new(&mdbook).words("build docs").env("PATH", &path).run().map(drop)
}
