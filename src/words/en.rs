//! Written by `cargo xtask copy` from docs/copy/deck.toml.

use super::Words;

#[rustfmt::skip]
pub(super) const WORDS: Words = Words {
    app_notice: "Research software, not a medical device. A result does not replace a clinician's examination.",
    triage_no_sign_advice: "No warning sign in this picture. That does not make it harmless: go by the danger signs.",
    triage_refer_advice: "A clinician should look at it.",
    triage_urgent_advice: "A clinician should look at it soon.",
    triage_unassessed_advice: "Not assessed: decide by the danger signs.",
    verdict_single: "Can't be excluded: {labels}.",
    verdict_several: "None of these can be excluded: {labels}.",
    verdict_undecided: "The program can't tell what this picture shows. A clinician should decide.",
    verdict_no_sign: "No warning sign in this picture.",
    verdict_rejected: "The program gives no result, because:",
    reason_scope_unanswered: "“{question}” has no answer. Answer it first.",
    reason_scope_no: "“{question}” was answered with no. The program was not made for such a picture: examine without it.",
    reason_scope_out_of_range: "The answer to “{question}” is outside what the program was made for: examine without it.",
    reason_source_camera: "The program was not made for pictures from a camera: examine without it.",
    reason_source_file: "The program was not made for pictures from a file: examine without it.",
    reason_too_small: "The picture, or the part of it that was chosen, has too few pixels: examine without the program.",
    reason_too_small_again: "The picture, or the part of it that was chosen, has too few pixels. Take it again, closer.",
    reason_too_dark: "The picture is too dark: examine without the program.",
    reason_too_dark_again: "The picture is too dark. Take it again with more light.",
    reason_too_bright: "The picture is too bright: examine without the program.",
    reason_too_bright_again: "The picture is too bright. Take it again with less light and no glare.",
    reason_low_contrast: "The picture is pale: light and dark differ too little. Examine without the program.",
    reason_low_contrast_again: "The picture is pale: light and dark differ too little. Clean the lens and take it again.",
    reason_out_of_focus: "The picture is out of focus: examine without the program.",
    reason_out_of_focus_again: "The picture is out of focus. Hold the camera still, wait until it is sharp, and take it again.",
    reason_colorless: "The picture has no colour, and the program was made for colour: examine without the program.",
    reason_colorless_again: "The picture has no colour, and the program was made for colour. Take it again in colour.",
    reason_colored: "The picture has colour, and the program was made for grey pictures: examine without the program.",
    reason_colored_again: "The picture has colour, and the program was made for grey pictures. Take the original file in place of a photo of it.",
    reason_novel: "This picture is unlike those that the program was made for: examine without it.",
    warning_burned_in: "A name or a number of a person may be written in this picture: look before you show it or send it.",
    warning_overlay: "The file has marks over its picture, which the program did not draw and did not look at.",
};
