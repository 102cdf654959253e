//! Collects the tests that the gate skipped. The gate prints them at its end, and under `CI` a skip fails it
//! (`docs/testing.md`).
//!
//! A test that can't run prints a line that begins with [`SKIPPED`]. It bypasses the test harness, which captures the
//! output of passing tests. Tests that are marked as ignored (Rust) or skipped (`JUnit`) count as skips too, unless
//! their reason names the job of `cargo xtask` that runs them, or says that they are measurements.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail, ensure};

use crate::root;

/// The prefix of a line about a skipped test.
const SKIPPED: &str = "skipped: ";
/// The prefix of a line about an instruction set that the processor lacks. Such a line fails nothing.
const PROCESSOR: &str = "not on this processor: ";

/// Part of the reason of a test that another job runs.
const JOB: &str = "cargo xtask ";
/// The prefix of the reason of a measurement.
const MEASUREMENT: &str = "a measurement";

/// The skips that have been read so far.
#[derive(Debug, Default)]
pub(crate) struct Skips {
    skipped: Vec<String>,
    /// Tests that another job runs.
    other_job: Vec<String>,
    processor: Vec<String>,
    /// `JUnit`'s tests over several runs: the reason where a test was skipped in all of them, `None` where it ran in
    /// one.
    junit: BTreeMap<String, Option<String>>,
}

impl Skips {
    /// Reads skips from the lines that a command printed, among them the harness's own lines about ignored tests.
    pub(crate) fn read(&mut self, lines: &[String]) {
        for line in lines {
            if let Some(what) = line.strip_prefix(SKIPPED) {
                self.skipped.push(what.to_owned());
            } else if let Some(what) = line.strip_prefix(PROCESSOR) {
                self.processor.push(what.to_owned());
            } else if let Some((name, reason)) = ignored(line) {
                self.sort(name, reason);
            }
        }
    }

    /// Reads skips from the `JUnit` reports of Maven's last run.
    pub(crate) fn read_reports(&mut self) -> Result<()> {
        let reports = reports()?;
        ensure!(!reports.is_empty(), "Maven has left no reports of tests");
        for report in reports {
            let text = fs::read_to_string(&report).with_context(|| format!("{}: can't be read", report.display()))?;
            let cases = cases(&text).with_context(|| format!("{}: is no report of tests", report.display()))?;
            self.merge(cases);
        }
        Ok(())
    }

    /// Adds the tests of one run, each with the reason where it was skipped.
    fn merge(&mut self, cases: Vec<(String, Option<String>)>) {
        for (name, skip) in cases {
            let before = self.junit.entry(name).or_insert_with(|| skip.clone());
            if skip.is_none() {
                *before = None;
            }
        }
    }

    /// Adds a skipped test to the list that its reason belongs to; a measurement belongs to none.
    fn sort(&mut self, name: &str, reason: &str) {
        let line = format!("{name}: {}", if reason.is_empty() { "no reason is given" } else { reason });
        if reason.contains(JOB) {
            self.other_job.push(line);
        } else if !reason.starts_with(MEASUREMENT) {
            self.skipped.push(line);
        }
    }

    /// Prints all skips, and fails under `CI` where a test was skipped.
    pub(crate) fn report(mut self) -> Result<()> {
        for (name, skip) in std::mem::take(&mut self.junit) {
            if let Some(reason) = skip {
                self.sort(&name, &reason);
            }
        }
        eprintln!();
        for (what, lines) in
            [("left to another job: ", &self.other_job), (PROCESSOR, &self.processor), (SKIPPED, &self.skipped)]
        {
            // A test that two of the gate's steps run is printed once.
            for line in lines.iter().collect::<BTreeSet<_>>() {
                eprintln!("{what}{line}");
            }
        }
        if self.skipped.is_empty() {
            eprintln!("{SKIPPED}nothing");
        } else if std::env::var_os("CI").is_some_and(|value| !value.is_empty()) {
            bail!("{} skipped, which under CI fails", self.skipped.len());
        }
        Ok(())
    }
}

/// Removes the reports of earlier runs, which would be read as those of the next.
pub(crate) fn forget_reports() -> Result<()> {
    for report in reports()? {
        fs::remove_file(&report).with_context(|| format!("{}: can't be removed", report.display()))?;
    }
    Ok(())
}

/// The paths of the `JUnit` reports of all of Maven's modules.
fn reports() -> Result<Vec<std::path::PathBuf>> {
    let folder = root().join("target/maven");
    let mut found = Vec::new();
    for module in fs::read_dir(&folder).into_iter().flatten() {
        for file in fs::read_dir(module?.path().join("surefire-reports")).into_iter().flatten() {
            let file = file?.path();
            if file.extension().is_some_and(|extension| extension == "xml") {
                found.push(file);
            }
        }
    }
    Ok(found)
}

/// The name and the reason of an ignored test, from a line of Rust's test harness; the reason may be empty.
fn ignored(line: &str) -> Option<(&str, &str)> {
    let (name, reason) = line.strip_prefix("test ")?.split_once(" ... ignored")?;
    Some((name, reason.strip_prefix(", ").unwrap_or(reason)))
}

/// The tests of a report in XML, each with the reason where it was skipped. The reason is an attribute where an
/// annotation skips a test; where a failed assumption does, it follows the exception's name in the first line of the
/// stack trace.
fn cases(report: &str) -> Result<Vec<(String, Option<String>)>> {
    let report = roxmltree::Document::parse(report)?;
    let tests = report.descendants().filter(|node| node.has_tag_name("testcase"));
    let case = |test: roxmltree::Node<'_, '_>| {
        let attribute = |name| test.attribute(name).unwrap_or_default();
        let skipped = test.children().find(|child| child.has_tag_name("skipped"));
        let reason = skipped.map(|skipped| {
            let trace = || skipped.text()?.lines().next()?.split_once(": ").map(|(_, reason)| reason);
            skipped.attribute("message").or_else(trace).unwrap_or_default().to_owned()
        });
        (format!("{}.{}", attribute("classname"), attribute("name")), reason)
    };
    Ok(tests.map(case).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Skips {
        let mut skips = Skips::default();
        skips.read(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
        skips
    }

    #[test]
    fn skips_are_read_from_printed_lines() {
        let skips = read(&[
            "running 3 tests",
            "test a::b ... ok",
            "skipped: memory: no /proc here",
            "not on this processor: avx512vnni",
            "test a::c ... ignored, needs a data set; `cargo xtask full` runs it",
            "test a::d ... ignored, a measurement: run it by hand",
            "test a::e ... ignored",
            "test a::f ... ignored, not today",
        ]);
        assert_eq!(skips.skipped, ["memory: no /proc here", "a::e: no reason is given", "a::f: not today"]);
        assert_eq!(skips.other_job, ["a::c: needs a data set; `cargo xtask full` runs it"]);
        assert_eq!(skips.processor, ["avx512vnni"]);
    }

    /// As the Surefire plug-in writes them (maven-surefire-plugin's `surefire-test-report.xsd`).
    #[test]
    fn cases_have_the_reason_of_each_skipped_test() {
        let report = r#"<testsuite name="A"><properties/>
            <testcase name="runs" classname="x.A" time="0.1"/>
            <testcase name="later" classname="x.A" time="0"><skipped message="needs &quot;it&quot;"/></testcase>
            <testcase name="never" classname="x.A" time="0">
              <skipped message="no /proc" type="org.opentest4j.TestAbortedException"><![CDATA[at <init>]]></skipped>
              <system-out>text</system-out>
            </testcase>
            <testcase name="aborted" classname="x.A" time="0.001">
<skipped><![CDATA[org.opentest4j.TestAbortedException: Assumption failed: takes long: cargo xtask soak runs it
	at org.junit.jupiter.api.Assumptions.throwAssumptionFailed(Assumptions.java:316)
]]></skipped></testcase></testsuite>"#;
        let found = cases(report).expect("well formed");
        let reason = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [
                ("x.A.runs".into(), None),
                ("x.A.later".into(), reason("needs \"it\"")),
                ("x.A.never".into(), reason("no /proc")),
                ("x.A.aborted".into(), reason("Assumption failed: takes long: cargo xtask soak runs it"))
            ]
        );
    }

    /// Cargo finds no test by itself in the root package (`autotests = false`), so that one that is not listed would never run.
    #[test]
    fn each_file_of_tests_is_listed_in_a_manifest() {
        let read = |path: &str| fs::read_to_string(root().join(path)).expect("a manifest");
        let (own, cli) = (read("Cargo.toml"), read("cli/Cargo.toml"));
        let files = fs::read_dir(root().join("tests")).expect("a folder").map(|entry| entry.expect("an entry").path());
        let tests: Vec<_> = files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect();
        assert!(!tests.is_empty());
        for test in tests {
            let name = test.file_stem().expect("a name").to_string_lossy();
            let is_listed = own.contains(&format!("[[test]]\nname = \"{name}\""))
                || cli.contains(&format!("path = \"../tests/{name}.rs\""));
            assert!(is_listed, "tests/{name}.rs: no [[test]] of Cargo.toml or cli/Cargo.toml names it");
        }
    }

    #[test]
    fn merge_keeps_a_test_that_ran_in_one_run_as_not_skipped() {
        let skipped = |name: &str| (name.to_owned(), Some("why".to_owned()));
        let ran = |name: &str| (name.to_owned(), None);
        let mut skips = Skips::default();
        skips.merge(vec![skipped("first"), ran("second"), skipped("never")]);
        skips.merge(vec![ran("first"), skipped("second"), skipped("never")]);
        let found: Vec<_> = skips.junit.into_iter().filter(|(_, skip)| skip.is_some()).collect();
        assert_eq!(found, [skipped("never")]);
    }
}
