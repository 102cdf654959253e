//! Written by `cargo xtask copy` from docs/copy/deck.toml.

use super::Words;

#[rustfmt::skip]
pub(super) const WORDS: Words = Words {
    app_notice: "Дослідницька програма, не медичний виріб. Результат не замінює огляду лікаря.",
    triage_no_sign_advice: "На знімку немає ознак небезпеки. Це не робить його безпечним: зважайте на небезпечні ознаки.",
    triage_refer_advice: "Це має оглянути лікар.",
    triage_urgent_advice: "Це має невдовзі оглянути лікар.",
    triage_unassessed_advice: "Не оцінено: вирішуйте за небезпечними ознаками.",
    verdict_single: "Не можна виключити: {labels}.",
    verdict_several: "Нічого з цього не можна виключити: {labels}.",
    verdict_undecided: "Програма не може сказати, що на цьому знімку. Вирішує лікар.",
    verdict_no_sign: "На знімку немає ознак небезпеки.",
    verdict_rejected: "Програма не дає результату, бо:",
    reason_scope_unanswered: "Питання «{question}» без відповіді. Спершу дайте відповідь.",
    reason_scope_no: "На питання «{question}» відповіли «ні». Програма не для таких знімків: оглядайте без неї.",
    reason_scope_out_of_range: "Відповідь на питання «{question}» поза межами, для яких зроблено програму: оглядайте без неї.",
};
