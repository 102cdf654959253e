//! The sentences of reports, in the languages that they are written in.
//!
//! `en.rs` and `uk.rs` are written by `cargo xtask copy` from `docs/copy/deck.toml`, which the demo apps share. Names
//! of labels and texts of questions are in the manifest (`manifest::Text`).

mod en;
mod uk;

/// The sentences of one language. A placeholder stands in braces.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) app_notice: &'static str,
    pub(crate) triage_no_sign_advice: &'static str,
    pub(crate) triage_refer_advice: &'static str,
    pub(crate) triage_urgent_advice: &'static str,
    pub(crate) triage_unassessed_advice: &'static str,
    /// `{labels}` is the label's name.
    pub(crate) verdict_single: &'static str,
    /// `{labels}` are the labels' names.
    pub(crate) verdict_several: &'static str,
    pub(crate) verdict_undecided: &'static str,
    pub(crate) verdict_no_sign: &'static str,
    pub(crate) verdict_rejected: &'static str,
    /// `{question}` is the question's text, here and below.
    pub(crate) reason_scope_unanswered: &'static str,
    pub(crate) reason_scope_no: &'static str,
    pub(crate) reason_scope_out_of_range: &'static str,
    pub(crate) reason_source_camera: &'static str,
    pub(crate) reason_source_file: &'static str,
    pub(crate) reason_too_small: &'static str,
    /// Where the picture can be taken again, here and below.
    pub(crate) reason_too_small_again: &'static str,
    pub(crate) reason_too_dark: &'static str,
    pub(crate) reason_too_dark_again: &'static str,
    pub(crate) reason_too_bright: &'static str,
    pub(crate) reason_too_bright_again: &'static str,
    pub(crate) reason_low_contrast: &'static str,
    pub(crate) reason_low_contrast_again: &'static str,
    pub(crate) reason_out_of_focus: &'static str,
    pub(crate) reason_out_of_focus_again: &'static str,
    pub(crate) reason_colorless: &'static str,
    pub(crate) reason_colorless_again: &'static str,
    pub(crate) reason_colored: &'static str,
    pub(crate) reason_colored_again: &'static str,
    pub(crate) reason_novel: &'static str,
    pub(crate) warning_burned_in: &'static str,
    pub(crate) warning_overlay: &'static str,
    pub(crate) warning_other_region: &'static str,
}

/// English: the language of constants, of `Display`, and of reports in a language that has no sentences here.
pub(crate) const ENGLISH: &Words = &en::WORDS;

/// The sentences in a language, a BCP 47 tag: those of its base language (`uk` for `uk-UA`), or English.
pub(crate) fn words(language: &str) -> &'static Words {
    let base = language.split(['-', '_']).next().unwrap_or(language);
    if base.eq_ignore_ascii_case("uk") { &uk::WORDS } else { ENGLISH }
}
