//! Written by `cargo xtask copy` from docs/copy/deck.toml.

use super::Words;

#[rustfmt::skip]
pub(super) const WORDS: Words = Words {
    app_notice: "Research software, not a medical device. A result does not replace a clinician's examination.",
    triage_no_sign_advice: "The program found no sign that asks for more. This does not exclude disease.",
    triage_refer_advice: "A clinician should look at it.",
    triage_urgent_advice: "A clinician should look at it soon.",
    triage_unassessed_advice: "The reasons say why, and what to do.",
    verdict_single: "Can't be excluded: {labels}.",
    verdict_several: "None of these can be excluded: {labels}.",
    verdict_no_finding: "No sign found by this program. This does not exclude disease.",
    verdict_rejected: "The program gives no result, because:",
    reason_scope_unanswered: "“{question}” has no answer. Answer it first.",
    reason_scope_no: "“{question}” was answered with no. The program was not made for such a picture: examine without it.",
    reason_scope_out_of_range: "The answer to “{question}” is outside what the program was made for: examine without it.",
};
