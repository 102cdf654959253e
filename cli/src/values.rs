//! Values of options that several subcommands take.

use bedside_tools::statistics::Confidence;

pub(crate) fn parse_label_share(text: &str) -> Result<(String, f64), String> {
    let (label, share) = text.split_once('=').ok_or("give LABEL=SHARE, such as melanoma=0.02")?;
    Ok((label.trim().to_owned(), parse_inner_share(share.trim())?))
}

/// A share above 0 and below 1.
pub(crate) fn parse_inner_share(text: &str) -> Result<f64, String> {
    parse_share(text, |share| share > 0.0 && share < 1.0, "above 0 and below 1")
}

/// A share above 0 and at most 1.
pub(crate) fn parse_positive_share(text: &str) -> Result<f64, String> {
    parse_share(text, |share| share > 0.0 && share <= 1.0, "above 0 and at most 1")
}

/// A share of 0 or more and below 1.
pub(crate) fn parse_partial_share(text: &str) -> Result<f64, String> {
    parse_share(text, |share| (0.0..1.0).contains(&share), "of 0 or more and below 1")
}

/// A share of less than a half, above 0.
pub(crate) fn parse_half_width(text: &str) -> Result<f64, String> {
    parse_share(text, |share| share > 0.0 && share < 0.5, "above 0 and below 0.5")
}

fn parse_share(text: &str, is_in_range: impl Fn(f64) -> bool, range: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| is_in_range(*share));
    share.ok_or_else(|| format!("give a share {range}, such as 0.05 for 5 %"))
}

pub(crate) fn parse_confidence(text: &str) -> Result<Confidence, String> {
    let level = text.parse().map_err(|_| format!("\"{text}\" is no number"))?;
    Confidence::new(level).map_err(|_| "give a level above 0 and below 1, such as 0.95".to_owned())
}
