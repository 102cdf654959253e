//! Small pictures beside the files in a page's lists, where they are asked for.

use std::collections::BTreeMap;

use maud::{Markup, html as markup};

use super::Evaluation;
use crate::page::Cell;

/// How many rows of the lists have pictures, so that the page stays small.
const MAX_ROWS: usize = 100;

/// The small pictures of a page. They are of people: keep the page as the pictures are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pictures {
    /// Why the model has no heatmaps; `None` where it has some.
    pub no_heatmaps: Option<String>,
    /// Each file's picture.
    pub thumbnails: BTreeMap<String, Picture>,
    /// Where the evidence for a label lies in a file's picture, by file and label.
    pub heatmaps: BTreeMap<(String, String), Picture>,
}

/// A small picture, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    /// It is in the page.
    Shown {
        /// A `data:` URL.
        url: String,
        /// What stands below it; may be empty.
        caption: String,
    },
    /// There is none.
    Missing {
        /// Why.
        reason: String,
    },
}

impl Evaluation {
    /// The rows of the lists that have pictures: the file, and the label that was missed or wrongly named, of which the
    /// heatmap is. They are the worst errors, then the urgent misses, as many as a page may have.
    pub fn pictured(&self) -> impl Iterator<Item = (&str, &str)> {
        self.listed().take(MAX_ROWS)
    }

    fn listed(&self) -> impl Iterator<Item = (&str, &str)> {
        let worst = self.worst.iter().map(|worst| (worst.file.as_str(), worst.label.as_str()));
        worst.chain(self.urgent_misses.iter().map(|miss| (miss.file.as_str(), miss.label())))
    }
}

impl Pictures {
    fn is_empty(&self) -> bool {
        self.thumbnails.is_empty()
    }

    /// What a reader of the page must know of them.
    pub(super) fn notes(&self, evaluation: &Evaluation) -> Markup {
        let left_out = evaluation.listed().count().saturating_sub(MAX_ROWS);
        markup! {
            @if !self.is_empty() {
                p.notice { "This page holds pictures of patients: keep it as those pictures are kept." }
                p {
                    "Pictures stand beside the worst errors and the urgent misses. "
                    @if left_out > 0 {
                        "They are not shown for the last " (left_out) " of the urgent misses, so that the page stays small. "
                    }
                    @match &self.no_heatmaps {
                        Some(reason) => { "No heatmap: " (reason) "." }
                        None => {
                            "The colours of a heatmap are the evidence for the label that stands below, the lighter the \
                             more: from 0 to the number of logits there, and at least to 1. They say what moved the \
                             network, and not where a disease is."
                        }
                    }
                }
            }
        }
    }

    /// The heads of the columns that [`cells`](Self::cells) fills.
    pub(super) fn head(&self) -> &'static [&'static str] {
        match (self.is_empty(), &self.no_heatmaps) {
            (true, _) => &[],
            (false, Some(_)) => &["Picture"],
            (false, None) => &["Picture", "Heatmap"],
        }
    }

    /// The cells of a row of a list.
    pub(super) fn cells(&self, file: &str, label: &str) -> Vec<Cell> {
        let thumbnail = || cell(self.thumbnails.get(file), format!("The picture {file}"));
        let heatmap = || {
            let found = self.heatmaps.get(&(file.to_owned(), label.to_owned()));
            cell(found, format!("The evidence for {label} in {file}"))
        };
        match self.head().len() {
            0 => Vec::new(),
            1 => vec![thumbnail()],
            _ => vec![thumbnail(), heatmap()],
        }
    }
}

fn cell(picture: Option<&Picture>, alt: String) -> Cell {
    match picture {
        Some(Picture::Shown { url, caption }) => Cell::Picture { url: url.clone(), alt, caption: caption.clone() },
        Some(Picture::Missing { reason }) => Cell::Text(reason.clone()),
        None => Cell::Text("not shown".to_owned()),
    }
}
