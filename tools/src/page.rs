//! A page of HTML that stands by itself: style and plots are in it, nothing is fetched, nothing runs.
//!
//! It has black on white and the reverse, after the reader's setting, and prints on A4. No colour says good or bad.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What a browser may do with the page: show its own style, and pictures that are in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1a1a1a; --pale: #5c5c5c; --rule: #c8c8c8; --paper: #ffffff; --line: #0b5394;
  --band: rgba(11, 83, 148, 0.16); }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --pale: #a6a6a6; --rule: #4a4a4a; --paper: #161616;
  --line: #8fbfe8; --band: rgba(143, 191, 232, 0.22); } }
@page { size: A4; margin: 16mm 15mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  font: 0.95rem/1.45 system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 0.3rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0.4rem; padding-top: 0.6rem; border-top: 1px solid var(--rule); break-after: avoid; }
h3 { font-size: 1rem; margin: 1.2rem 0 0.3rem; break-after: avoid; }
p { margin: 0.4rem 0; max-width: 46rem; }
.pale, caption, figcaption { color: var(--pale); }
.notice { border: 1px solid var(--ink); padding: 0.5rem 0.8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.6rem 0; font-size: 0.84rem; break-inside: auto; }
caption { text-align: left; padding-bottom: 0.25rem; break-after: avoid; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { text-align: left; vertical-align: top; padding: 0.22rem 0.7rem 0.22rem 0; border-bottom: 1px solid var(--rule); }
th { font-weight: 600; border-bottom-color: var(--ink); vertical-align: bottom; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.n span { white-space: nowrap; }
.n .none { color: var(--pale); font-style: italic; white-space: normal; }
td:first-child { min-width: 6.5rem; }
td.file { overflow-wrap: anywhere; min-width: 9rem; }
td.picture { min-width: 7rem; } td img { display: block; max-width: 8rem; max-height: 8rem; }
td.picture span { font-size: 0.85em; overflow-wrap: anywhere; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; }
figure { margin: 0.6rem 0; flex: 0 1 21.5rem; min-width: 0; break-inside: avoid; }
figure.broad { flex-basis: 100%; max-width: 43rem; }
figcaption { font-size: 0.85rem; }
svg { display: block; width: 100%; height: auto; font-size: 11px; font-family: inherit; }
svg text { fill: var(--ink); stroke: var(--paper); stroke-width: 2.5px; paint-order: stroke; } svg .small { font-size: 10px; fill: var(--pale); } svg .strong { font-weight: 600; }
svg line, svg path { fill: none; }
svg .axis { stroke: var(--ink); } svg .grid { stroke: var(--rule); stroke-width: 0.6; }
svg .chance { stroke: var(--pale); stroke-dasharray: 2 4; }
svg .line { stroke: var(--line); stroke-width: 1.7; } svg .band { fill: var(--band); }
svg .point { fill: var(--paper); stroke: var(--line); stroke-width: 1.7; }
svg .fill { fill: var(--band); stroke: var(--line); stroke-width: 1; }
svg .dash-1 { stroke-dasharray: 7 4; } svg .dash-2 { stroke-dasharray: 2 3; } svg .dash-3 { stroke-dasharray: 9 3 2 3; }
@media print { :root { --ink: #000; --pale: #444; --rule: #bbb; --paper: #fff; --line: #0b5394;
  --band: rgba(11, 83, 148, 0.16); } body { padding: 0; max-width: none; font-size: 9.5pt; } .wide { overflow: visible; }
  table { font-size: 8pt; } th, td { padding-right: 0.5rem; } td.picture { min-width: 23mm; }
  td img { max-width: 23mm; max-height: 23mm; print-color-adjust: exact; } figure { flex-basis: 47%; } }
";

/// A whole page.
#[must_use]
pub fn document(language: &str, title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang=(language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// A figure: a plot with a sentence below.
#[must_use]
pub fn figure(plot: &Markup, caption: &str) -> Markup {
    html! { figure { (plot) figcaption { (caption) } } }
}

/// A figure as wide as the page.
#[must_use]
pub fn broad_figure(plot: &Markup, caption: &str) -> Markup {
    html! { figure.broad { (plot) figcaption { (caption) } } }
}

/// A value of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Words, at the left.
    Text(String),
    /// A number, at the right.
    Number(String),
    /// The path of a picture, which may break anywhere.
    File(String),
    /// Why there is no number, at the right.
    None(String),
    /// A small picture.
    Picture {
        /// A `data:` URL. Of anything else the words are shown alone.
        url: String,
        /// What it shows, for readers who don't see it.
        alt: String,
        /// What stands below it; may be empty.
        caption: String,
    },
}

impl Cell {
    /// A count.
    #[must_use]
    pub fn count(count: u64) -> Self {
        Self::Number(count.to_string())
    }

    fn draw(&self) -> Markup {
        match self {
            Self::Text(text) => html! { td { (text) } },
            Self::Number(text) => number(text),
            Self::File(text) => html! { td.file { (text) } },
            Self::None(text) => html! { td.n { span.none { (text) } } },
            Self::Picture { url, alt, caption } => html! {
                td.picture {
                    @if url.starts_with("data:image/") { img src=(url) alt=(alt); } @else { (alt) " " }
                    @if !caption.is_empty() { span.pale { (caption) } }
                }
            },
        }
    }
}

/// A number at the right. It may break before its interval, and nowhere else.
fn number(text: &str) -> Markup {
    let (value, interval) = text.split_at(text.find(" (").unwrap_or(text.len()));
    html! { td.n { span { (value) } @if !interval.is_empty() { " " span.pale { (interval.trim_start()) } } } }
}

/// A table with the names of its columns; "none" where there are no rows. A column is at the right where one of its
/// values is a number.
#[must_use]
pub fn table(caption: &str, head: &[&str], rows: &[Vec<Cell>]) -> Markup {
    let is_number = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).any(|cell| matches!(cell, Cell::Number(_) | Cell::None(_)))
    };
    html! {
        @if rows.is_empty() {
            p.pale { (caption) @if !caption.is_empty() { ": " } "none." }
        } @else {
            div.wide { table {
                @if !caption.is_empty() { caption { (caption) } }
                thead { tr {
                    @for (column, name) in head.iter().enumerate() {
                        th.n[is_number(column)] scope="col" { (name) }
                    }
                } }
                tbody { @for row in rows { tr { @for cell in row { (cell.draw()) } } } }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_fetches_and_runs_nothing() {
        let page = document("en", "A <title>", &html! { p { "text" } });
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        assert!(page.contains("default-src 'none'") && page.contains("<title>A &lt;title&gt;</title>"));
        for mark in ["<script", "http:", "https:", "url(", "@import"] {
            assert!(!page.contains(mark), "{mark}");
        }
    }

    #[test]
    fn table_has_numbers_at_the_right_and_escapes_words() {
        let rows = [vec![Cell::File("<a>.jpg".into()), Cell::None("undefined".into())]];
        let interval = Cell::Number("0.9 (0.8 to 1.0)".into()).draw().into_string();
        assert_eq!(interval, r#"<td class="n"><span>0.9</span> <span class="pale">(0.8 to 1.0)</span></td>"#);
        let drawn = table("Of all", &["File", "AUC"], &rows).into_string();
        assert!(drawn.contains(r#"<td class="file">&lt;a&gt;.jpg</td>"#), "{drawn}");
        assert!(drawn.contains(r#"<th class="n" scope="col">AUC</th>"#), "{drawn}");
        assert!(drawn.contains(r#"<td class="n"><span class="none">undefined</span></td>"#), "{drawn}");
        assert_eq!(table("Misses", &["File"], &[]).into_string(), r#"<p class="pale">Misses: none.</p>"#);
    }

    #[test]
    fn picture_that_is_not_in_the_page_is_left_out() {
        let picture = |url: &str, caption: &str| {
            Cell::Picture { url: url.into(), alt: "A \"b\"".into(), caption: caption.into() }.draw().into_string()
        };
        assert_eq!(picture("https://example.org/a.png", ""), "<td class=\"picture\">A &quot;b&quot; </td>");
        let inside = picture("data:image/png;base64,AA==", "<c>");
        let wanted =
            "<img src=\"data:image/png;base64,AA==\" alt=\"A &quot;b&quot;\"><span class=\"pale\">&lt;c&gt;</span>";
        assert!(inside.contains(wanted), "{inside}");
    }
}
