//! Values of options that several subcommands take.

use bedside_tools::statistics::Confidence;

pub(crate) fn parse_label_share(text: &str) -> Result<(String, f64), String> {
    let (label, share) = text.split_once('=').ok_or("give LABEL=SHARE, such as melanoma=0.02")?;
    Ok((label.trim().to_owned(), parse_share(share.trim())?))
}

pub(crate) fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("give a share, 0 to 1, such as 0.05 for 5 %".to_owned()),
    }
}

pub(crate) fn parse_confidence(text: &str) -> Result<Confidence, String> {
    let level = text.parse().map_err(|_| format!("\"{text}\" is no number"))?;
    Confidence::new(level).map_err(|_| "give a level above 0 and below 1, such as 0.95".to_owned())
}
