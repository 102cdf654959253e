//! Checks that words which the field's words have replaced are not used again.
//!
//! A word of [`INVENTED`] may stand neither in code nor in comments nor in the documentation. A word of [`AS_NAMES`]
//! may not be a name in code, or a part of one. `docs/notes/`, which records the past, and the changelog are left out.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::root;
use crate::step::Step;

/// A word, what the field calls it, and the folder in which it is looked for: everywhere where that is empty.
type Word = (&'static str, &'static str, &'static str);

/// Words that were ours.
const INVENTED: [Word; 14] = [
    ("crew", "thread pool", ""),
    ("desk", "job queue", ""),
    ("seat", "slot", "engine/"),
    ("seats", "slots", "engine/"),
    ("island", "partition", ""),
    ("islands", "partitions", ""),
    ("gemm_at", "indirect GEMM", ""),
    ("fives", "depthwise 5×5", ""),
    ("slack", "tail padding", ""),
    ("hands", "workers", "engine/"),
    ("narrow", "7-bit path", "engine/"),
    ("carried", "quantized", "engine/"),
    ("routine", "no_sign", ""),
    ("triagelevel", "triage", ""),
];

/// Words of ordinary English that say nothing as a name.
const AS_NAMES: [Word; 16] = [
    ("least", "min", ""),
    ("most", "max", ""),
    ("greatest", "max", ""),
    ("waiting", "deferred", "engine/"),
    ("places", "offsets", "engine/"),
    ("gather", "im2col", "engine/src/executable/"),
    ("exceptions", "outliers", "engine/"),
    ("rests", "residuals", "engine/"),
    ("shares", "scale ratios", "engine/"),
    ("shifts", "zero-point offsets", "engine/"),
    ("fixed", "addend", "engine/src/kernels/"),
    ("quad", "four-channel tile", "engine/"),
    ("turned", "transposed", "engine/"),
    ("apart", "CachePadded", "engine/"),
    ("picture", "input, activations", "engine/"),
    ("filters", "depthwise weights", "engine/"),
];

/// Fails where a word stands that another has replaced, and says where, and by what.
pub(crate) fn check() -> Result<()> {
    let listed = Step::new("git ls-files --cached --others --exclude-standard").output()?;
    let mut found = Vec::new();
    for path in listed.lines().filter(|path| is_read(path)) {
        let text = fs::read_to_string(root().join(path)).with_context(|| format!("{path}: can't be read"))?;
        let code = if is_rust(path) { code(&text) } else { String::new() };
        // Code ends before its comments do.
        let lines = text.lines().zip(code.lines().chain(std::iter::repeat("")));
        for (number, (line, code)) in lines.enumerate() {
            let wrong = in_line(path, line, code);
            found.extend(wrong.map(|(word, right)| format!("{path}:{}: `{word}`; say `{right}`", number + 1)));
        }
    }
    ensure!(found.is_empty(), "words that others have replaced (shown: the first 40):\n{}", {
        found.truncate(40);
        found.join("\n")
    });
    Ok(())
}

fn is_rust(path: &str) -> bool {
    extension(path) == Some("rs")
}

fn extension(path: &str) -> Option<&str> {
    Path::new(path).extension()?.to_str()
}

fn is_read(path: &str) -> bool {
    let is_source = matches!(
        extension(path),
        Some("java" | "kt" | "kts" | "md" | "py" | "rs" | "sh" | "swift" | "toml" | "xml" | "yml")
    );
    let is_record = path.starts_with("docs/notes/") || path == "CHANGELOG.md" || path == "xtask/src/words.rs";
    // What the apps say is not about kernels.
    is_source && !is_record && !path.starts_with("docs/copy/")
}

/// The replaced words of a line, with what replaces each. `code` is the line without strings and comments.
fn in_line<'a>(path: &'a str, line: &'a str, code: &'a str) -> impl Iterator<Item = (&'a str, &'static str)> {
    let invented = words_of(line).flat_map(with_parts).filter_map(move |word| replaced(&INVENTED, path, word));
    let names = names_of(code).filter_map(move |word| replaced(&AS_NAMES, path, word));
    invented.chain(names)
}

/// The Rust code of a file, line by line, without its comments and the contents of its strings.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = match next {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' => string_length(rest),
            'r' if rest.starts_with("r\"") || rest.starts_with("r#\"") => raw_string_length(rest),
            '\'' if rest.starts_with("'\"'") => 3,
            _ => 0,
        };
        if skipped > 0 {
            code.extend(rest[..skipped].chars().filter(|&c| c == '\n'));
            rest = &rest[skipped..];
        } else {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    code
}

/// The length of the string that a text begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text[1..].find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// The same for a raw string with one `#` or none.
fn raw_string_length(text: &str) -> usize {
    let (start, end) = if text.starts_with("r#") { (3, "\"#") } else { (2, "\"") };
    text[start..].find(end).map_or(text.len(), |at| start + at + end.len())
}

fn replaced<'a>(words: &[Word], path: &str, word: &'a str) -> Option<(&'a str, &'static str)> {
    let found = words.iter().find(|(ours, _, folder)| word.eq_ignore_ascii_case(ours) && path.starts_with(folder));
    found.map(|(_, right, _)| (word, *right))
}

fn words_of(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// The parts of the names in code, less those of `at_least` and `at_most`, which are English.
fn names_of(code: &str) -> impl Iterator<Item = &str> {
    words_of(code).flat_map(|name| {
        let english = ["at_least", "at_most"].iter().any(|phrase| name.contains(phrase));
        name.split('_').flat_map(capitalized_parts).filter(move |_| !english)
    })
}

/// A word, and the parts of it that begin with a capital: `IslandPlan`, `Island` and `Plan`.
fn with_parts(word: &str) -> impl Iterator<Item = &str> {
    let parts: Vec<&str> = capitalized_parts(word).collect();
    let is_whole = parts.len() == 1;
    std::iter::once(word).chain(parts.into_iter().filter(move |_| !is_whole))
}

/// The parts of a name in which each begins where a capital follows another letter.
fn capitalized_parts(name: &str) -> impl Iterator<Item = &str> {
    let mut starts = vec![0];
    let letters: Vec<(usize, char)> = name.char_indices().collect();
    starts.extend(
        letters.windows(2).filter(|pair| !pair[0].1.is_uppercase() && pair[1].1.is_uppercase()).map(|pair| pair[1].0),
    );
    starts.push(name.len());
    let ranges: Vec<(usize, usize)> = starts.windows(2).map(|pair| (pair[0], pair[1])).collect();
    ranges.into_iter().map(move |(start, end)| &name[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let code = if is_rust(path) { code(text) } else { String::new() };
        in_line(path, text, &code).map(|(word, _)| word.to_owned()).collect()
    }

    #[test]
    fn words_are_found_in_code_comments_and_documentation() {
        assert_eq!(found("docs/engine.md", "the crew, and its islands"), ["crew", "islands"]);
        assert_eq!(found("engine/src/a.rs", "let most = SLACK; // the desk"), ["SLACK", "desk", "most"]);
        assert_eq!(found("src/a.rs", "const MOST_PIXELS: u32 = 1;"), ["MOST"]);
        assert_eq!(found("src/A.kt", "class IslandPlan(val crew: Int)"), ["Island", "crew"]);
        assert_eq!(found("src/a.rs", "struct LeastSum;"), ["Least"]);
    }

    #[test]
    fn words_of_ordinary_english_are_left_alone() {
        assert!(found("engine/src/a.rs", "/// At most a picture: the least of them.").is_empty());
        assert!(found("src/a.rs", "fn it_gives_at_least_one() { panic!(\"at most\") }").is_empty());
        assert!(found("src/a.rs", "let picture = 1;").is_empty());
    }

    #[test]
    fn code_is_what_is_neither_string_nor_comment() {
        let text = "a(\"b \\\" \\\n c\", r#\"d\"e\"#, '\"', f) // g\nh";
        assert_eq!(code(text), "a(\n, , , f) \nh");
    }
}
