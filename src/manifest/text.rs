//! Texts of the manifest, which are in several languages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One text in one or more languages, keyed by BCP 47 tag (`en`, `uk`, `pt-BR`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(BTreeMap<String, String>);

impl Text {
    /// The text in `language` (a BCP 47 tag, in any case), else in its base language (`uk` for `uk-UA` or `uk_UA`),
    /// else in English, else in the first language by tag. `None` where there is no text in any language.
    ///
    /// ```
    /// use bedside::manifest::Text;
    ///
    /// let text = Text::from([("en", "mole"), ("uk", "родимка")]);
    /// assert_eq!(text.get("uk-UA"), Some("родимка"));
    /// assert_eq!(text.get("fr"), Some("mole"));
    /// ```
    #[must_use]
    pub fn get(&self, language: &str) -> Option<&str> {
        let base = language.split(['-', '_']).next().unwrap_or(language);
        [language, base, "en"]
            .into_iter()
            .find_map(|tag| self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(tag)))
            .or_else(|| self.0.iter().next())
            .map(|(_, text)| text.as_str())
    }

    /// The tags of the languages, sorted.
    ///
    /// ```
    /// use bedside::manifest::Text;
    ///
    /// let text = Text::from([("uk", "родимка"), ("en", "mole")]);
    /// assert_eq!(text.languages().collect::<Vec<_>>(), ["en", "uk"]);
    /// ```
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is no text in any language.
    ///
    /// ```
    /// assert!(bedside::manifest::Text::default().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag and the text of each language, sorted by tag.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(tag, text)| (tag.as_str(), text.as_str()))
    }

    /// Whether there is English text other than white space, under the tag `en` in lower case.
    pub(super) fn has_english(&self) -> bool {
        self.0.get("en").is_some_and(|text| !text.trim().is_empty())
    }
}

/// A text from pairs of a BCP 47 tag and the text in that language.
impl<const N: usize> From<[(&str, &str); N]> for Text {
    fn from(entries: [(&str, &str); N]) -> Text {
        Text(entries.into_iter().map(|(tag, text)| (tag.to_owned(), text.to_owned())).collect())
    }
}

/// A text from pairs of a BCP 47 tag and the text in that language. Of two pairs with one tag the later counts.
impl FromIterator<(String, String)> for Text {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Text {
        Text(entries.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn get_falls_back_to_base_language_then_english_then_first() {
        let text = Text::from([("en", "mole"), ("uk", "родимка"), ("pt-BR", "pinta")]);
        assert_eq!(text.get("uk"), Some("родимка"));
        assert_eq!(text.get("uk-UA"), Some("родимка"));
        assert_eq!(text.get("pt-br"), Some("pinta"));
        assert_eq!(text.get("fr"), Some("mole"));
        assert_eq!(Text::from([("uk", "родимка")]).get("fr"), Some("родимка"));
        assert_eq!(Text::default().get("en"), None);
    }
}
