//! Writes the apps' string files, and the sentences of the crate `bedside` (the core), from the copy deck,
//! `docs/copy/deck.toml`.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use crate::root;

const DECK: &str = "docs/copy/deck.toml";
const LANGUAGES: [&str; 2] = ["en", "uk"];
/// Android's string files, in the order of `LANGUAGES`.
const ANDROID: [&str; 2] =
    ["android/app/src/main/res/values/strings.xml", "android/app/src/main/res/values-uk/strings.xml"];
/// iOS's string catalogue of the app's own texts, for all languages.
const IOS: &str = "ios/DemoApp/DemoApp/Localizable.xcstrings";
/// The core's table of each language, in the order of `LANGUAGES`.
const CORE: [&str; 2] = ["src/words/en.rs", "src/words/uk.rs"];
/// The texts that the core has, which are the fields of `Words` in `src/words/mod.rs`.
const IN_CORE: [&str; 33] = [
    "app_notice",
    "triage_no_sign_advice",
    "triage_refer_advice",
    "triage_urgent_advice",
    "triage_unassessed_advice",
    "verdict_single",
    "verdict_several",
    "verdict_undecided",
    "verdict_no_sign",
    "verdict_rejected",
    "reason_scope_unanswered",
    "reason_scope_no",
    "reason_scope_out_of_range",
    "reason_source_camera",
    "reason_source_file",
    "reason_too_small",
    "reason_too_small_again",
    "reason_too_dark",
    "reason_too_dark_again",
    "reason_too_bright",
    "reason_too_bright_again",
    "reason_low_contrast",
    "reason_low_contrast_again",
    "reason_out_of_focus",
    "reason_out_of_focus_again",
    "reason_colorless",
    "reason_colorless_again",
    "reason_colored",
    "reason_colored_again",
    "reason_novel",
    "warning_burned_in",
    "warning_overlay",
    "warning_other_region",
];
/// iOS's string catalogue of the texts of Info.plist, which iOS itself shows.
const PLIST: &str = "ios/DemoApp/DemoApp/InfoPlist.xcstrings";
/// Keys of Info.plist, each with the deck's name of its text.
const IN_PLIST: [(&str, &str); 2] = [("CFBundleDisplayName", "app_name"), ("NSCameraUsageDescription", "plist_camera")];
/// What a text may be for alone: one platform's app, or the core, whose reports the apps show as they are.
const PLATFORMS: [&str; 3] = ["android", "ios", "core"];
/// The comment at the head of Android's files and of the core's.
const HEADER: &str = "Written by `cargo xtask copy` from docs/copy/deck.toml.";

/// One text of the deck.
struct Text {
    /// `home_title` for `[home.title]`.
    name: String,
    /// A note for translators.
    note: String,
    /// The one of `PLATFORMS` that has the text; `None` where both apps do.
    only: Option<String>,
    /// The text in each language, in the order of `LANGUAGES`.
    wording: [String; 2],
}

impl Text {
    fn is_on(&self, platform: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == platform)
    }
}

/// Writes all files that are made from the deck.
pub(crate) fn write() -> Result<()> {
    for (path, content) in files()? {
        let target = root().join(path);
        fs::create_dir_all(target.parent().expect("a file in a folder"))?;
        fs::write(&target, content).with_context(|| format!("{path}: not written"))?;
    }
    Ok(())
}

/// Fails where a committed file is not what the deck gives now.
pub(crate) fn check() -> Result<()> {
    for (path, content) in files()? {
        let committed = fs::read_to_string(root().join(path)).unwrap_or_default();
        ensure!(committed == content, "{path} is not what {DECK} says now; run `cargo xtask copy` and commit it");
    }
    Ok(())
}

/// The path and the content of each file that is made from the deck.
fn files() -> Result<Vec<(&'static str, String)>> {
    let text = fs::read_to_string(root().join(DECK)).with_context(|| DECK)?;
    let texts = deck(&text).with_context(|| DECK)?;
    let mut files: Vec<_> = (0..LANGUAGES.len()).map(|i| (ANDROID[i], strings_xml(&texts, i))).collect();
    let screens = texts.iter().filter(|text| text.is_on("ios") && !text.name.starts_with("plist_"));
    files.push((IOS, xcstrings(screens.map(|text| (text.name.as_str(), text)))));
    let plist = IN_PLIST.map(|(key, name)| (key, texts.iter().find(|text| text.name == name)));
    let plist = plist.into_iter().map(|(key, text)| Some((key, text?))).collect::<Option<Vec<_>>>();
    for (language, path) in CORE.into_iter().enumerate() {
        files.push((path, core(&texts, language)?));
    }
    files.push((PLIST, xcstrings(plist.context("a text of Info.plist is missing")?.into_iter())));
    Ok(files)
}

/// Parses the deck: one table for each screen, which holds one table for each text.
fn deck(text: &str) -> Result<Vec<Text>> {
    let screens: toml::Table = text.parse()?;
    let mut texts = Vec::new();
    for (screen, entries) in &screens {
        let entries = entries.as_table().with_context(|| format!("{screen}: not a table"))?;
        for (name, entry) in entries {
            let name = format!("{screen}_{name}");
            texts.push(parse_text(&name, entry).with_context(|| name.clone())?);
        }
    }
    Ok(texts)
}

/// Parses one text. Fails where a field is missing, empty or unknown, or where the languages differ in placeholders.
fn parse_text(name: &str, entry: &toml::Value) -> Result<Text> {
    let entry = entry.as_table().context("not a table")?;
    let field = |key: &str| {
        let text = entry.get(key).and_then(toml::Value::as_str).with_context(|| format!("{key} is missing"))?;
        ensure!(!text.trim().is_empty(), "{key} is empty");
        Ok(text.to_owned())
    };
    let only = entry.contains_key("only").then(|| field("only")).transpose()?;
    let text = Text { name: name.into(), note: field("note")?, only, wording: [field("en")?, field("uk")?] };
    if let Some(other) = entry.keys().find(|key| !["note", "only", "en", "uk"].contains(&key.as_str())) {
        bail!("{other} is no field of a text");
    }
    if let Some(only) = text.only.as_deref().filter(|only| !PLATFORMS.contains(only)) {
        bail!("{only} is no platform");
    }
    let sorted = |text: &str| {
        let mut names = placeholders(text);
        names.sort_unstable();
        names
    };
    ensure!(sorted(&text.wording[0]) == sorted(&text.wording[1]), "the languages differ in what is in braces");
    Ok(text)
}

/// The names in braces, in order of appearance.
fn placeholders(text: &str) -> Vec<String> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name.to_owned()).collect()
}

/// The text in a language, with each placeholder replaced by a numbered argument. Numbers follow the order of the
/// English text, from 1: `%1$s` where `kind` is `s`.
fn formatted(text: &Text, language: usize, kind: char) -> String {
    let names = placeholders(&text.wording[0]);
    let wording = &text.wording[language];
    if names.is_empty() {
        return wording.clone();
    }
    let escaped = wording.replace('%', "%%");
    names.iter().enumerate().fold(escaped, |wording, (index, name)| {
        wording.replace(&format!("{{{name}}}"), &format!("%{}${kind}", index + 1))
    })
}

/// The core's table of a language, in Rust.
fn core(texts: &[Text], language: usize) -> Result<String> {
    let mut file =
        format!("//! {HEADER}\n\nuse super::Words;\n\n#[rustfmt::skip]\npub(super) const WORDS: Words = Words {{\n");
    for name in IN_CORE {
        let text = texts.iter().find(|text| text.name == name).with_context(|| format!("{name} is missing"))?;
        writeln!(file, "    {name}: {:?},", text.wording[language]).expect("a string grows");
    }
    Ok(file + "};\n")
}

/// Android's string file for a language.
fn strings_xml(texts: &[Text], language: usize) -> String {
    let mut file = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- {HEADER} -->\n<resources>\n");
    for text in texts.iter().filter(|text| text.is_on("android")) {
        let wording = formatted(text, language, 's');
        let escaped = wording
            .replace('\\', "\\\\")
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('\'', "\\'")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        writeln!(file, "    <string name=\"{}\">{escaped}</string>", text.name).expect("a string grows");
    }
    file + "</resources>\n"
}

/// A string catalogue of Xcode that holds these texts, in all languages, under their keys.
fn xcstrings<'a>(texts: impl Iterator<Item = (&'a str, &'a Text)>) -> String {
    let entry = |text: &Text| {
        let localizations: Map<String, Value> = (0..LANGUAGES.len())
            .map(|i| {
                let unit = json!({"stringUnit": {"state": "translated", "value": formatted(text, i, '@')}});
                (LANGUAGES[i].to_owned(), unit)
            })
            .collect();
        json!({"comment": text.note, "extractionState": "manual", "localizations": localizations})
    };
    let strings: Map<String, Value> = texts.map(|(key, text)| (key.to_owned(), entry(text))).collect();
    let catalogue = json!({"sourceLanguage": "en", "strings": strings, "version": "1.0"});
    serde_json::to_string_pretty(&catalogue).expect("strings as JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(toml: &str) -> Vec<Text> {
        deck(toml).expect("a sound deck")
    }

    #[test]
    fn formatted_numbers_arguments_in_english_order() {
        let texts = texts("[a.b]\nnote = 'n'\nen = '{x} of {y}, 5 %'\nuk = '{y}: {x}'");
        assert_eq!(formatted(&texts[0], 0, 's'), "%1$s of %2$s, 5 %%");
        assert_eq!(formatted(&texts[0], 1, '@'), "%2$@: %1$@");
    }

    #[test]
    fn strings_xml_escapes_special_characters() {
        let texts = texts("[a.b]\nnote = 'n'\nen = \"\"\"can't <b> & \"so\"\n5 %\"\"\"\nuk = 'x'");
        assert!(strings_xml(&texts, 0).contains(r#"<string name="a_b">can\'t &lt;b> &amp; \"so\"\n5 %</string>"#));
    }

    #[test]
    fn texts_of_the_core_alone_are_in_no_app() {
        let texts = texts("[a.b]\nnote = 'n'\nonly = 'core'\nen = 'x'\nuk = 'x'");
        assert!(!texts[0].is_on("ios") && !texts[0].is_on("android") && !strings_xml(&texts, 0).contains("a_b"));
    }

    #[test]
    fn strings_xml_leaves_out_texts_of_other_platforms() {
        let texts = texts("[a.b]\nnote = 'n'\nonly = 'ios'\nen = 'x'\nuk = 'x'\n[a.c]\nnote = 'n'\nen = 'y'\nuk = 'y'");
        assert!(texts[0].is_on("ios") && texts[1].is_on("ios"));
        assert!(!strings_xml(&texts, 0).contains("a_b") && strings_xml(&texts, 0).contains("a_c"));
    }

    #[test]
    fn deck_refuses_missing_empty_and_unknown_fields() {
        for (toml, wanted) in [
            ("[a.b]\nnote = 'n'\nen = 'x'", "uk is missing"),
            ("[a.b]\nnote = 'n'\nen = 'x'\nuk = ' '", "uk is empty"),
            ("[a.b]\nnote = 'n'\nen = '{x}'\nuk = '{y}'", "the languages differ in what is in braces"),
            ("[a.b]\nnote = 'n'\nen = 'x'\nuk = 'x'\nde = 'x'", "de is no field of a text"),
            ("[a.b]\nnote = 'n'\nonly = 'bada'\nen = 'x'\nuk = 'x'", "bada is no platform"),
        ] {
            let error = deck(toml).err().expect("refused");
            assert_eq!(error.root_cause().to_string(), wanted);
        }
    }
}
