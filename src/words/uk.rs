//! Written by `cargo xtask copy` from docs/copy/deck.toml.

use super::Words;

#[rustfmt::skip]
pub(super) const WORDS: Words = Words {
    app_notice: "Дослідницька програма, не медичний виріб. Результат не замінює огляду лікаря.",
    triage_no_sign_advice: "Програма не знайшла ознак, що потребують більшого. Це не виключає хвороби.",
    triage_refer_advice: "Це має оглянути лікар.",
    triage_urgent_advice: "Це має невдовзі оглянути лікар.",
    triage_unassessed_advice: "Причини вказують, чому і що робити.",
    verdict_single: "Не можна виключити: {labels}.",
    verdict_several: "Нічого з цього не можна виключити: {labels}.",
    verdict_no_finding: "Програма не знайшла ознак. Це не виключає хвороби.",
    verdict_rejected: "Програма не дає результату, бо:",
    reason_scope_unanswered: "Питання «{question}» без відповіді. Спершу дайте відповідь.",
    reason_scope_no: "На питання «{question}» відповіли «ні». Програма не для таких знімків: оглядайте без неї.",
    reason_scope_out_of_range: "Відповідь на питання «{question}» поза межами, для яких зроблено програму: оглядайте без неї.",
};
