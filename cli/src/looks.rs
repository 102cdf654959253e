//! The log of looks at test sets: who looks often at a test set fits to it, so that each look is written down.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::output::Failure;
use crate::paths::refuse_overwriting;

const HEAD: &str = "date,model,version,graph_sha256,set,commit,why\n";

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LookArguments {
    /// Why a test set is looked at; needed for a set named `test`
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
    /// Where looks at a test set are written down
    #[arg(long, default_value = "docs/evidence/looks.csv", value_name = "CSV")]
    looks: PathBuf,
}

impl LookArguments {
    /// Where a look at a set of this name is written down; `None` where it is no test set.
    pub(crate) fn log(&self, set: &str) -> Option<&Path> {
        set.eq_ignore_ascii_case("test").then_some(&self.looks)
    }

    /// Fails where a look at this set has no reason, or could not be written down or without replacing an input, so that
    /// nothing is measured then. Nothing is made.
    ///
    /// # Errors
    /// [`Failure::Usage`], which says what to give.
    pub(crate) fn check(&self, set: &str, inputs: &[&Path]) -> Result<(), Failure> {
        let Some(log) = self.log(set) else { return Ok(()) };
        if self.why.as_ref().is_none_or(|why| why.trim().is_empty()) {
            return Err(Failure::Usage(
                "this is a test set: say with `--why TEXT` what it is looked at for; the look is written down"
                    .to_owned(),
            ));
        }
        refuse_overwriting(log, inputs)?;
        check(log)
    }

    /// Writes a look at this set down, where it is a test set.
    ///
    /// # Errors
    /// [`Failure::Failed`], which names the log.
    pub(crate) fn write(&self, set: &str, model: &Looked<'_>) -> Result<(), Failure> {
        match (self.log(set), &self.why) {
            (Some(log), Some(why)) => append(log, model, set, why),
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

fn check(log: &Path) -> Result<(), Failure> {
    let is_there = |folder: &&Path| folder.as_os_str().is_empty() || folder.exists();
    let found = if log.exists() {
        OpenOptions::new().append(true).open(log).map(drop)
    } else {
        // The folders below the first that is there will be made.
        let folder = log.ancestors().skip(1).find(is_there).filter(|folder| !folder.as_os_str().is_empty());
        tempfile::tempfile_in(folder.unwrap_or(Path::new("."))).map(drop)
    };
    found.map_err(|error| {
        let log = log.display();
        Failure::Usage(format!("{log}: looks at the test set can't be written down here: {error}; see --looks"))
    })
}

/// Appends a line to the log, which is made where there is none, with its folder.
fn append(log: &Path, model: &Looked<'_>, set: &str, why: &str) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::Failed(format!("{}: this look at the test set can't be written down: {error}", log.display()))
    };
    if let Some(folder) = log.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(log).map_err(|error| failed(&error))?;
    let is_empty = file.metadata().map_err(|error| failed(&error))?.len() == 0;
    let line = line(model, set, why).map_err(|error| failed(&error))?;
    let text = if is_empty { format!("{HEAD}{line}") } else { line };
    // In one piece, so that lines of two processes don't mix.
    file.write_all(text.as_bytes()).map_err(|error| failed(&error))
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
