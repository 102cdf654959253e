//! Tests of the reasons to refuse a picture.

use super::Quality;
use crate::manifest::{ColorMeant, Limit, QualityLimits};
use crate::quality::quality_reasons;
use crate::words::words;
use crate::{Query, ReasonKind, Source};

/// The limits that the note recommends for skin.
fn skin() -> QualityLimits {
    QualityLimits {
        focus: Some(Limit::min(0.26)),
        dark: Some(Limit::max(0.75)),
        bright: Some(Limit::max(0.45)),
        contrast: Some(Limit::min(0.04)),
        size: Some(Limit::min(0.5)),
        color: Some(ColorMeant::Rgb),
    }
}

/// The values of `skin()`, which are within it.
const AT_LIMITS: Quality = Quality { focus: 0.26, dark: 0.75, bright: 0.45, contrast: 0.04, color: 0.005, size: 0.5 };
/// Beyond all of them.
const BEYOND: Quality = Quality { focus: 0.25, dark: 0.76, bright: 0.46, contrast: 0.03, color: 0.004, size: 0.49 };

fn kinds(quality: Quality, limits: &QualityLimits) -> Vec<ReasonKind> {
    quality_reasons(&quality, limits, &Query::new(), words("en")).iter().map(|reason| reason.kind).collect()
}

#[test]
fn reasons_are_in_the_order_size_dark_bright_contrast_focus_colour() {
    let wanted = [
        ReasonKind::TooSmall,
        ReasonKind::TooDark,
        ReasonKind::TooBright,
        ReasonKind::LowContrast,
        ReasonKind::OutOfFocus,
        ReasonKind::Colorless,
    ];
    assert_eq!(kinds(BEYOND, &skin()), wanted);
    assert_eq!(kinds(AT_LIMITS, &skin()), []);
    assert_eq!(kinds(BEYOND, &QualityLimits::default()), []);
}

#[test]
fn each_limit_gives_its_own_reason() {
    let one = |change: fn(&mut Quality)| {
        let mut quality = AT_LIMITS;
        change(&mut quality);
        kinds(quality, &skin())
    };
    assert_eq!(one(|q| q.size = BEYOND.size), [ReasonKind::TooSmall]);
    assert_eq!(one(|q| q.dark = BEYOND.dark), [ReasonKind::TooDark]);
    assert_eq!(one(|q| q.bright = BEYOND.bright), [ReasonKind::TooBright]);
    assert_eq!(one(|q| q.contrast = BEYOND.contrast), [ReasonKind::LowContrast]);
    assert_eq!(one(|q| q.focus = BEYOND.focus), [ReasonKind::OutOfFocus]);
    assert_eq!(one(|q| q.color = BEYOND.color), [ReasonKind::Colorless]);
}

#[test]
fn colour_is_refused_where_grey_is_meant() {
    let limits = QualityLimits { color: Some(ColorMeant::Gray), ..QualityLimits::default() };
    assert_eq!(kinds(Quality { color: 0.05, ..AT_LIMITS }, &limits), []);
    assert_eq!(kinds(Quality { color: 0.051, ..AT_LIMITS }, &limits), [ReasonKind::Colored]);
}

#[test]
fn messages_ask_again_only_for_the_first_picture_of_a_camera() {
    let mut both = skin();
    both.color = Some(ColorMeant::Gray);
    let bad = Quality { color: 1.0, ..BEYOND };
    for (language, examine) in [("en", "xamine without the program."), ("uk", "глядайте без програми.")]
    {
        let messages = |limits: &QualityLimits, query: Query| -> Vec<String> {
            let quality = if limits.color == Some(ColorMeant::Gray) { bad } else { BEYOND };
            let reasons = quality_reasons(&quality, limits, &query.language(language), words(language));
            assert!(reasons.iter().all(|reason| reason.id.is_none() && reason.question.is_none()));
            reasons.into_iter().map(|reason| reason.message).collect()
        };
        for limits in [skin(), both] {
            let camera = || Query::new().source(Source::Camera);
            let again = messages(&limits, camera());
            assert!(again.iter().all(|message| !message.contains(examine)), "{again:?}");
            for query in [Query::new(), Query::new().source(Source::File), camera().refusals(1), camera().refusals(7)] {
                let last = messages(&limits, query);
                assert_eq!(last.len(), 6);
                assert!(last.iter().all(|message| message.ends_with(examine)), "{last:?}");
                assert!(last.iter().all(|message| !message.contains("again") && !message.contains("ще раз")));
            }
        }
    }
}

#[test]
fn message_says_what_is_wrong_and_what_to_do() {
    let of = |query: &Query| {
        let dark = Quality { dark: 0.9, ..AT_LIMITS };
        quality_reasons(&dark, &skin(), query, words(&query.language)).remove(0).message
    };
    assert_eq!(of(&Query::new()), "The picture is too dark: examine without the program.");
    assert_eq!(of(&Query::new().source(Source::Camera)), "The picture is too dark. Take it again with more light.");
    let ukrainian = Query::new().source(Source::Camera).language("uk");
    assert_eq!(of(&ukrainian), "Знімок надто темний. Зробіть його ще раз, де більше світла.");
}
