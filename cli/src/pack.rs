//! `bedside pack`: one self-describing model file from a graph and a manifest.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bedside::manifest::{Golden, GoldenBy, GoldenInput, METADATA_KEY};
use bedside::{Binding, Classifier, Image, Limits, Manifest, Options};
use bedside_engine::Graph;

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
    let mut manifest =
        Manifest::from_json(&read_text(&arguments.manifest)?).map_err(|error| named(&arguments.manifest, &error))?;
    let graph = Graph::open(&arguments.graph, Limits::default().max_model_bytes)
        .map_err(|error| named(&arguments.graph, &bedside::Error::from(error)))?;
    let mut graph = fixed(graph, &mut manifest).map_err(|error| named(&arguments.graph, &error))?;

    if let Some(picture) = &arguments.golden {
        manifest.golden = Some(golden(picture, arguments.scores.as_deref(), &manifest, &mut graph)?);
    }
    let (bytes, classifier) = opened(&mut graph, &manifest)?;
    if manifest.golden.is_some() {
        classifier.self_test()?;
    }
    write_whole(&arguments.output, &bytes)?;

    let mut out = anstream::stdout().lock();
    line(&mut out, "written", format_args!("{} ({} bytes)", arguments.output.display(), bytes.len()))?;
    line(&mut out, "model", format_args!("{} {}", manifest.name, manifest.version))?;
    line(&mut out, "graph SHA-256", &classifier.identity().graph_sha256)?;
    line(&mut out, "golden sample", manifest.golden.map_or("none", |golden| golden.by.as_str()))?;
    Ok(())
}

/// The graph with its input's shape fixed, and the manifest's calibration bound to it.
fn fixed(mut graph: Graph, manifest: &mut Manifest) -> bedside::Result<Graph> {
    let binding = Binding::new(manifest, &graph)?;
    graph.fix_input_shape(&binding.signature.input, &binding.signature.shape)?;
    graph.fix_output_batch();
    // The hash is that of the graph as it will stand in the file.
    let graph = Graph::from_bytes(&graph.to_bytes())?;
    if let Some(calibration) = &mut manifest.calibration {
        graph.sha256().clone_into(&mut calibration.graph_sha256);
    }
    Ok(graph)
}

/// The model file's bytes, and what opens from them.
fn opened(graph: &mut Graph, manifest: &Manifest) -> bedside::Result<(Vec<u8>, Classifier)> {
    graph.set_metadata(METADATA_KEY, manifest.to_json());
    let bytes = graph.to_bytes();
    let classifier = Classifier::from_bytes(&bytes, Options::default())?;
    Ok((bytes, classifier))
}

fn golden(picture: &Path, scores: Option<&Path>, manifest: &Manifest, graph: &mut Graph) -> Result<Golden, Failure> {
    let size = fs::metadata(picture).map_err(|error| unreadable(picture, &error))?.len();
    if size > MAX_GOLDEN_BYTES {
        let problem =
            format!("{size} bytes are too many for a golden sample; give a picture of at most {MAX_GOLDEN_BYTES}");
        return Err(Failure::Usage(format!("{}: {problem}", picture.display())));
    }
    let bytes = fs::read(picture).map_err(|error| unreadable(picture, &error))?;
    let input = GoldenInput { image: BASE64.encode(&bytes) };
    let (by, scores) = match scores {
        Some(csv) => (GoldenBy::Lab, read_scores(csv, manifest)?),
        None => (GoldenBy::Itself, opened(graph, manifest)?.1.scores(&Image::from_bytes(bytes))?),
    };
    Ok(Golden { by, input, scores })
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
        let score: f32 = score.trim().parse().map_err(|_| wrong(format!("\"{score}\" is no number")))?;
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
    fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("{}: {error}", path.display()))
}

fn named(path: &Path, error: &bedside::Error) -> Failure {
    Failure::Failed(format!("{}: {error}", path.display()))
}
