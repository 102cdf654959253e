//! The gate: the reasons to refuse a picture that its measures give.

use super::Quality;
use crate::manifest::{ColorMeant, QualityLimits};
use crate::query::Query;
use crate::verdict::{Reason, ReasonKind};
use crate::words::Words;
use crate::{Source, manifest::Limit};

/// The reasons to refuse a picture of this quality; empty where it is within the limits. The order names a cause before
/// what follows from it: a pale picture lacks colour too.
///
/// A picture is asked for again only where it came from a camera and is the first of its case to be refused.
pub(crate) fn quality_reasons(quality: &Quality, limits: &QualityLimits, query: &Query, words: &Words) -> Vec<Reason> {
    let again = query.source == Some(Source::Camera) && query.refusals == 0;
    let color_limit = limits.color.map(ColorMeant::limit);
    let color_reason = match limits.color {
        Some(ColorMeant::Gray) => ReasonKind::Colored,
        Some(ColorMeant::Rgb) | None => ReasonKind::Colorless,
    };
    let measures: [(ReasonKind, Option<Limit>, f32); 6] = [
        (ReasonKind::TooSmall, limits.size, quality.size),
        (ReasonKind::TooDark, limits.dark, quality.dark),
        (ReasonKind::TooBright, limits.bright, quality.bright),
        (ReasonKind::LowContrast, limits.contrast, quality.contrast),
        (ReasonKind::OutOfFocus, limits.focus, quality.focus),
        (color_reason, color_limit, quality.color),
    ];
    let refused = measures.into_iter().filter(|(_, limit, value)| limit.is_some_and(|limit| !limit.admits(*value)));
    refused
        .map(|(kind, ..)| Reason { kind, id: None, question: None, message: message(kind, again, words).to_owned() })
        .collect()
}

/// What is wrong with a picture and what to do. `again` is whether it may be taken again.
fn message(kind: ReasonKind, again: bool, words: &Words) -> &'static str {
    let (first, other) = match kind {
        ReasonKind::TooSmall => (words.reason_too_small_again, words.reason_too_small),
        ReasonKind::TooDark => (words.reason_too_dark_again, words.reason_too_dark),
        ReasonKind::TooBright => (words.reason_too_bright_again, words.reason_too_bright),
        ReasonKind::LowContrast => (words.reason_low_contrast_again, words.reason_low_contrast),
        ReasonKind::OutOfFocus => (words.reason_out_of_focus_again, words.reason_out_of_focus),
        ReasonKind::Colored => (words.reason_colored_again, words.reason_colored),
        _ => (words.reason_colorless_again, words.reason_colorless),
    };
    if again { first } else { other }
}
