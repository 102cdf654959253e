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
};
