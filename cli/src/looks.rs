//! The log of looks at test sets: who looks often at a test set fits to it, so that each look is written down.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::output::Failure;
use crate::pack::check_writable;
use crate::paths::refuse_overwriting;

const HEAD: &str = "date,model,version,graph_sha256,set,commit,why\n";

/// Where looks are written down unless --looks says otherwise. Its folder is made where there is none.
const DEFAULT_LOG: &str = "docs/evidence/looks.csv";

/// A set of pictures that is looked at.
pub(crate) struct LookedSet {
    /// Its name, and what makes a test set of it where that is called otherwise.
    pub(crate) name: String,
    /// Whether it is a test set, at which each look is written down.
    pub(crate) is_test: bool,
}

/// Whether a split or a folder is called as those of test sets are.
pub(crate) fn is_test(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("test")
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LookArguments {
    /// Why a test set is looked at; needed where the split or a folder of the pictures is named `test`
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
    /// Where looks at a test set are written down
    #[arg(long, default_value = DEFAULT_LOG, value_name = "CSV")]
    looks: PathBuf,
}

impl LookArguments {
    /// Where a look at this set is written down; `None` where it is no test set.
    pub(crate) fn log(&self, set: &LookedSet) -> Option<&Path> {
        set.is_test.then_some(&self.looks)
    }

    /// Fails where a look at this set has no reason, or could not be written down or without replacing an input, so that
    /// nothing is measured then. Nothing is made.
    ///
    /// # Errors
    /// [`Failure::Usage`], which says what to give.
    pub(crate) fn check(&self, set: &LookedSet, inputs: &[&Path]) -> Result<(), Failure> {
        let Some(log) = self.log(set) else { return Ok(()) };
        if self.why.as_ref().is_none_or(|why| why.trim().is_empty()) {
            return Err(Failure::Usage(format!(
                "this is a test set ({}): say with `--why TEXT` what it is looked at for; the look is written down",
                set.name
            )));
        }
        refuse_overwriting(log, inputs)?;
        check(log)
    }

    /// Writes a look at this set down, where it is a test set.
    ///
    /// # Errors
    /// [`Failure::Failed`], which names the log.
    pub(crate) fn write(&self, set: &LookedSet, model: &Looked<'_>) -> Result<(), Failure> {
        match (self.log(set), &self.why) {
            (Some(log), Some(why)) => append(log, model, &set.name, why),
            _ => Ok(()),
        }
    }
}

/// The model that a set is looked at with.
pub(crate) struct Looked<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) graph_sha256: &'a str,
}

/// Fails where a line could not be appended to a log, or what is there is another file.
fn check(log: &Path) -> Result<(), Failure> {
    let wrong = |problem: &dyn std::fmt::Display| {
        let log = log.display();
        Failure::Usage(format!("{log}: looks at the test set can't be written down here: {problem}; see --looks"))
    };
    match fs::metadata(log) {
        Ok(found) => match begins_as_log(log, &found) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let head = HEAD.trim_end();
                Err(wrong(&format_args!("it is no list of looks, whose first line is `{head}`; name another file")))
            }
            Err(error) => Err(wrong(&error)),
        },
        Err(_) if is_default(log) => {
            // The folders below the first that is there will be made.
            let is_there = |folder: &&Path| !folder.as_os_str().is_empty() && folder.exists();
            let folder = log.ancestors().skip(1).find(is_there).unwrap_or(Path::new("."));
            tempfile::tempfile_in(folder).map(drop).map_err(|error| wrong(&error))
        }
        Err(_) => check_writable(log),
    }
}

fn is_default(log: &Path) -> bool {
    log == Path::new(DEFAULT_LOG)
}

/// Whether a file that can be appended to is a log of looks, or empty.
fn begins_as_log(log: &Path, found: &fs::Metadata) -> io::Result<bool> {
    let file = OpenOptions::new().read(true).append(true).open(log)?;
    if !found.is_file() {
        return Ok(true);
    }
    let mut head = Vec::new();
    // The end of the line may be two bytes.
    file.take(HEAD.len() as u64 + 1).read_to_end(&mut head)?;
    let first = String::from_utf8_lossy(&head).lines().next().map(str::to_owned);
    Ok(first.is_none_or(|first| first == HEAD.trim_end()))
}

/// Appends a line to the log, which is made where there is none. A last line that nothing ends is ended first.
fn append(log: &Path, model: &Looked<'_>, set: &str, why: &str) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::Failed(format!("{}: this look at the test set can't be written down: {error}", log.display()))
    };
    if let Some(folder) = log.parent().filter(|_| is_default(log)) {
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(log).map_err(|error| failed(&error))?;
    let line = line(model, set, why).map_err(|error| failed(&error))?;
    let before = match last_byte(&mut file).map_err(|error| failed(&error))? {
        None => HEAD,
        Some(b'\n') => "",
        Some(_) => "\n",
    };
    // In one piece, so that lines of two processes don't mix.
    file.write_all(format!("{before}{line}").as_bytes()).map_err(|error| failed(&error))
}

/// The last byte of a file; none where it is empty.
fn last_byte(file: &mut File) -> io::Result<Option<u8>> {
    if file.metadata()?.len() == 0 {
        return Ok(None);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(Some(last[0]))
}

fn line(model: &Looked<'_>, set: &str, why: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut row = csv::Writer::from_writer(Vec::new());
    let (date, commit) = (today(), commit().unwrap_or_default());
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    row.write_record([&date, model.name, model.version, model.graph_sha256, set, &commit, &why])?;
    Ok(String::from_utf8(row.into_inner()?)?)
}

/// The date in UTC, as `2026-11-29`.
pub(crate) fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = date_of(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The Gregorian date of the days since 1970-01-01 (Hinnant 2014, "chrono-compatible low-level date algorithms",
/// `civil_from_days`).
fn date_of(days: u64) -> (u64, u64, u64) {
    // Days since 0000-03-01; an era has 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The commit of the current folder's git checkout, with `-dirty` where something is changed; none outside of one.
pub(crate) fn commit() -> Option<String> {
    let found =
        Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]).output().ok()?;
    let text = String::from_utf8(found.stdout).ok()?;
    found.status.success().then(|| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_of_days_is_that_of_the_calendar() {
        // By Python's datetime: date(1970, 1, 1) + timedelta(days).
        for (days, date) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (20_786, (2026, 11, 29)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(date_of(days), date);
        }
    }
}
