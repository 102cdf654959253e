//! What was measured of each picture, in a file beside the output that only grows: an interrupted run goes on from it.
//!
//! A line is JSON: first what the file is of, then a picture each. A line that was cut off is passed over.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bedside::Quality;
use bedside::manifest::{ColorMeant, Input};
use serde::{Deserialize, Serialize};

use crate::output::Failure;

/// What was measured of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    /// Its path below its folder.
    pub(super) file: String,
    /// Its source, where it is a foreign picture.
    pub(super) source: Option<String>,
    /// The bytes of the file, and when it was changed, in nanoseconds since 1970: where they differ, the picture is
    /// measured again.
    pub(super) bytes: u64,
    pub(super) modified: u64,
    /// The first 16 hex digits of the SHA-256 of the file.
    pub(super) sha256: String,
    /// The network that looked, from 0 on; none where all of them had learned from it.
    pub(super) network: Option<usize>,
    /// What it said, or why not.
    pub(super) outcome: Outcome,
}

/// What a network said of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// What the graph and the picture measure.
    Seen(Seen),
    /// The network learned from it.
    Learned,
    /// The picture could not be read.
    Unreadable(String),
}

/// What one run of a graph tells of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The graph's output values, one for each label.
    pub(super) values: Vec<f32>,
    pub(super) quality: Quality,
    /// The features that novelty is computed from.
    pub(super) features: Vec<f32>,
}

/// What the file is of: a run with other networks starts anew.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    form: u32,
    version: String,
    /// The hash of each graph, and how a picture becomes its input.
    networks: Vec<(String, Input)>,
    /// The tensors that features are means of.
    tensors: Vec<String>,
    /// The colours that are meant, by which colour is measured.
    color: Option<ColorMeant>,
}

/// The version of the lines.
const FORM: u32 = 3;

pub(super) struct Cache {
    file: File,
    path: PathBuf,
    measured: HashMap<Key, Measured>,
}

/// A picture's source and its path.
type Key = (Option<String>, String);

impl Cache {
    /// Opens the file beside the output, or makes it. `networks` has the hashes of the graphs that look and their inputs,
    /// `tensors` those of which features are taken.
    ///
    /// # Errors
    /// [`Failure::Usage`] where the file is none that a run has left.
    pub(super) fn open(
        output: &Path,
        networks: Vec<(String, Input)>,
        tensors: Vec<String>,
        color: Option<ColorMeant>,
    ) -> Result<Cache, Failure> {
        let path = path_of(output);
        let head = Head { form: FORM, version: env!("CARGO_PKG_VERSION").to_owned(), networks, tensors, color };
        let head = serde_json::to_string(&head).map_err(|error| failed(&path, &error))?;
        if !is_one(&path) {
            let what = "is no file of an interrupted run; remove it, or give the output another name";
            return Err(Failure::Usage(format!("{}: {what}", path.display())));
        }
        let found = read(&path, &head);
        let is_new = found.is_none();
        let mut options = OpenOptions::new();
        let options = if is_new { options.write(true).create(true).truncate(true) } else { options.append(true) };
        let mut file = options.open(&path).map_err(|error| failed(&path, &error))?;
        // A line that was cut off is ended, so that the next one stands by itself.
        let start = if is_new { format!("{head}\n") } else { "\n".to_owned() };
        file.write_all(start.as_bytes()).map_err(|error| failed(&path, &error))?;
        Ok(Cache { file, path, measured: found.unwrap_or_default() })
    }

    /// How many pictures an interrupted run left.
    pub(super) fn len(&self) -> usize {
        self.measured.len()
    }

    /// What was measured of a picture, if its file is the same.
    pub(super) fn take(&mut self, source: Option<&str>, file: &str, (bytes, modified): (u64, u64)) -> Option<Measured> {
        self.measured
            .remove(&(source.map(str::to_owned), file.to_owned()))
            .filter(|found| found.bytes == bytes && found.modified == modified)
    }

    /// Adds a picture.
    pub(super) fn add(&mut self, measured: &Measured) -> Result<(), Failure> {
        let line = serde_json::to_string(measured).map_err(|error| failed(&self.path, &error))?;
        self.file.write_all(format!("{line}\n").as_bytes()).map_err(|error| failed(&self.path, &error))
    }
}

/// Whether there is no file yet, or one that a run has left: of any version, or one that ended before its first line.
fn is_one(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return true };
    match BufReader::new(file).lines().next() {
        None => true,
        Some(line) => line.is_ok_and(|line| line.starts_with("{\"form\":")),
    }
}

/// The pictures of a file with this head; none where there is no such file.
fn read(path: &Path, head: &str) -> Option<HashMap<Key, Measured>> {
    let mut lines = BufReader::new(File::open(path).ok()?).lines();
    if lines.next()?.ok()? != head {
        return None;
    }
    let pictures = lines.map_while(Result::ok).filter_map(|line| serde_json::from_str::<Measured>(&line).ok());
    Some(pictures.map(|measured| ((measured.source.clone(), measured.file.clone()), measured)).collect())
}

/// Removes the file of a run that has ended.
pub(super) fn remove(output: &Path) {
    // What stays is passed over or replaced by the next run.
    let _ = fs::remove_file(path_of(output));
}

/// The length of a file, and when it was changed.
pub(super) fn stamp(path: &Path) -> (u64, u64) {
    fs::metadata(path).map_or((0, 0), |found| {
        let since = found.modified().ok().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
        (found.len(), since.map_or(0, |since| since.as_nanos() as u64))
    })
}

/// The file beside an output.
pub(super) fn path_of(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".rows.jsonl");
    PathBuf::from(name)
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(file: &str) -> Measured {
        Measured {
            file: file.to_owned(),
            source: None,
            bytes: 7,
            modified: 9,
            sha256: "0123456789abcdef".to_owned(),
            network: Some(0),
            outcome: Outcome::Unreadable("it is a \"line\"\nor two".to_owned()),
        }
    }

    #[test]
    fn cache_goes_on_after_a_line_that_was_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let output = folder.path().join("out.onnx");
        let input: Input = serde_json::from_value(serde_json::json!({
            "color": "rgb", "width": 2, "height": 2, "resize": {"policy": "stretch"}, "mean": [0, 0, 0], "std": [1, 1, 1],
        }))
        .expect("an input");
        let open = |networks: &[&str]| {
            let networks = networks.iter().map(|name| ((*name).to_owned(), input.clone())).collect();
            Cache::open(&output, networks, Vec::new(), None).ok().expect("it opens")
        };
        let mut cache = open(&["x"]);
        cache.add(&measured("a")).ok().expect("room");
        cache.file.write_all(b"{\"file\":\"b\",\"by").expect("room");
        let mut cache = open(&["x"]);
        assert_eq!(cache.len(), 1);
        cache.add(&measured("c")).ok().expect("room");
        let mut cache = open(&["x"]);
        assert_eq!((cache.take(None, "a", (7, 9)), cache.take(None, "c", (7, 8))), (Some(measured("a")), None));
        // Other networks start anew.
        assert_eq!(open(&["y"]).len(), 0);
        fs::write(path_of(&output), "file,label\n").expect("room");
        let refused = Cache::open(&output, Vec::new(), Vec::new(), None);
        assert!(matches!(refused, Err(Failure::Usage(_))) && path_of(&output).metadata().expect("a file").len() == 11);
    }
}
