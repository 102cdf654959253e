//! `bedside pack`: one self-describing model file from a graph and a manifest.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bedside::manifest::{Golden, GoldenBy, GoldenInput, METADATA_KEY};
use bedside::{Binding, Classifier, Image, Limits, Manifest, Options};
use bedside_engine::Graph;
use serde_json::Value;

use crate::output::{Failure, line};

/// A golden picture goes into the model file: a larger one is a mistake.
const MAX_GOLDEN_BYTES: u64 = 1 << 20;

#[derive(clap::Args)]
#[command(after_help = "\
Example:
  bedside pack int8.onnx --manifest manifest.json -o model.onnx --golden lesion.jpg --scores scores.csv

Brings external data inside, fixes the batch at 1, binds the calibration to the packed graph, and runs the result before
it is written. SCORES has a line `label,score` and then one a label: probabilities from the lab's own runtime, before
temperature. Without it, Bedside's own scores are kept, marked `self`.")]
pub(crate) struct Arguments {
    /// The graph, as exported
    graph: PathBuf,
    /// Its manifest
    #[arg(long, value_name = "JSON")]
    manifest: PathBuf,
    /// Where to write the model
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// A picture to keep as golden sample
    #[arg(long, value_name = "IMAGE")]
    golden: Option<PathBuf>,
    /// Its scores
    #[arg(long, value_name = "CSV", requires = "golden")]
    scores: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let text = read_text(&arguments.manifest)?;
    let manifest = Manifest::from_json(&text).map_err(|error| named(&arguments.manifest, error))?;
    // The text is what is packed: fields that this version does not know stay in it.
    let mut json: Value = serde_json::from_str(&text).map_err(|error| Failure::Failed(error.to_string()))?;
    let graph = Graph::open(&arguments.graph, Limits::default().max_model_bytes)
        .map_err(|error| named(&arguments.graph, bedside::Error::from(error)))?;
    let mut graph = fixed(graph, &manifest).map_err(|error| named(&arguments.graph, error))?;
    if manifest.calibration.is_some() {
        json["calibration"]["graph_sha256"] = graph.sha256().into();
    }

    if let Some(picture) = &arguments.golden {
        json["golden"] = golden(picture, arguments.scores.as_deref(), &manifest, &mut graph, &json)?;
    }
    let (bytes, classifier) = opened(&mut graph, &json).map_err(|error| named(&arguments.graph, error))?;
    let passed = classifier.self_test()?;
    write_whole(&arguments.output, &bytes)?;

    let mut out = anstream::stdout().lock();
    line(&mut out, "written", format_args!("{} ({} bytes)", arguments.output.display(), bytes.len()))?;
    line(&mut out, "model", format_args!("{} {}", manifest.name, manifest.version))?;
    line(&mut out, "graph SHA-256", &classifier.identity().graph_sha256)?;
    line(&mut out, "golden sample", passed.map_or("none", |passed| passed.by.as_str()))?;
    Ok(())
}

/// The graph with its input's shape fixed. Its hash is that of the graph as it will stand in the file.
fn fixed(mut graph: Graph, manifest: &Manifest) -> bedside::Result<Graph> {
    let binding = Binding::new(manifest, &graph)?;
    graph.fix_input_shape(&binding.signature.input, &binding.signature.shape)?;
    graph.fix_output_batch();
    Ok(Graph::from_bytes(&graph.to_bytes())?)
}

/// The model file's bytes, and what opens from them.
fn opened(graph: &mut Graph, manifest: &Value) -> bedside::Result<(Vec<u8>, Classifier)> {
    graph.set_metadata(METADATA_KEY, manifest.to_string());
    let bytes = graph.to_bytes();
    let classifier = Classifier::from_bytes(&bytes, Options::default())?;
    Ok((bytes, classifier))
}

/// The manifest's field `golden`.
fn golden(
    picture: &Path,
    scores: Option<&Path>,
    manifest: &Manifest,
    graph: &mut Graph,
    json: &Value,
) -> Result<Value, Failure> {
    let size = fs::metadata(picture).map_err(|error| unreadable(picture, error))?.len();
    if size > MAX_GOLDEN_BYTES {
        let problem =
            format!("{size} bytes are too many for a golden sample; give a picture of at most {MAX_GOLDEN_BYTES}");
        return Err(Failure::Usage(format!("{}: {problem}", picture.display())));
    }
    let bytes = fs::read(picture).map_err(|error| unreadable(picture, error))?;
    let input = GoldenInput { image: BASE64.encode(&bytes) };
    let (by, scores) = if let Some(csv) = scores {
        (GoldenBy::Lab, read_scores(csv, manifest)?)
    } else {
        let scores = opened(graph, json).and_then(|(_, classifier)| classifier.scores(&Image::from_bytes(bytes)));
        (GoldenBy::Itself, scores.map_err(|error| named(picture, error))?)
    };
    serde_json::to_value(Golden { by, input, scores }).map_err(|error| Failure::Failed(error.to_string()))
}

/// The scores of a file with the columns `label,score`, in the labels' order.
fn read_scores(path: &Path, manifest: &Manifest) -> Result<Vec<f32>, Failure> {
    let wrong = |problem: String| Failure::Usage(format!("{}: {problem}", path.display()));
    let text = read_text(path)?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines.next() != Some("label,score") {
        return Err(wrong("the first line must be `label,score`".into()));
    }
    let mut scores = vec![None; manifest.output.labels.len()];
    for line in lines {
        let (label, score) = line.split_once(',').ok_or_else(|| wrong(format!("no comma in \"{line}\"")))?;
        let sound = score.trim().parse().ok().filter(|score| (0.0..=1.0).contains(score));
        let score: f32 = sound.ok_or_else(|| wrong(format!("\"{score}\" is no probability, 0 to 1")))?;
        let index = manifest.output.labels.iter().position(|l| l.id == label.trim());
        let index = index.ok_or_else(|| wrong(format!("the manifest has no label `{label}`")))?;
        if scores[index].replace(score).is_some() {
            return Err(wrong(format!("`{label}` stands twice")));
        }
    }
    let missing = manifest.output.labels.iter().zip(&scores).find(|(_, score)| score.is_none());
    match missing {
        Some((label, _)) => Err(wrong(format!("no score for `{}`", label.id))),
        None => Ok(scores.into_iter().flatten().collect()),
    }
}

/// Writes beside the target and renames: a stop half-way leaves what was there.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", path.display()));
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    let mut file = builder.tempfile_in(folder).map_err(|error| failed(&error))?;
    file.write_all(bytes).map_err(|error| failed(&error))?;
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error.error))?;
    Ok(())
}

fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, source: std::io::Error) -> Failure {
    bedside::Error::Io { path: path.to_owned(), source }.into()
}

fn named(path: &Path, error: bedside::Error) -> Failure {
    error.in_file(&path.display().to_string()).into()
}
