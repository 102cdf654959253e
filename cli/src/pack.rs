//! `bedside pack`: makes one self-describing model file from a graph and a manifest.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bedside::manifest::{Draft, Explanation, Golden, GoldenBy, MAX_BYTES, METADATA_KEY};
use bedside::tools::{self, Binding};
use bedside::{Classifier, Image, Limits, Manifest, Options};
use bedside_engine::{Graph, ModelFile, Prepared, Signature, read_bounded};
use serde_json::Value;

use crate::check::run_once;
use crate::output::{Failure, line};
use crate::paths::refuse_overwriting;

/// The maximum size of a golden picture, in bytes. It goes into the model file, so a larger one is taken for a mistake.
const MAX_GOLDEN_BYTES: u64 = 1 << 20;

/// The maximum size of a file of scores, in bytes. It has one line for each label.
const MAX_SCORES_BYTES: u64 = 1 << 20;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  bedside pack int8.onnx --manifest manifest.json -o model.onnx --golden lesion.jpg --scores scores.csv
  bedside pack model.onnx --prepare -o model.prepared

Brings external data inside, fixes the batch at 1, binds the calibration to the packed graph, finds what heatmaps are
computed from, and runs the result before it is written. The file of --scores has a line `label,score` and then one for each label: probabilities from the lab's
own runtime, before temperature. Without it, Bedside's own scores are kept, marked `self`.

A prepared model carries the same manifest and gives the same scores to the bit. It opens in apps that were built without
the ONNX importer too. A graph of which a part would run in floats can't be prepared: the error names that part. Keep the
ONNX file: a later version may read another form of prepared models.")]
pub(crate) struct Arguments {
    /// The graph, as exported, or packed before
    graph: PathBuf,
    /// Its manifest; may be left out where the graph was packed with one
    #[arg(long, value_name = "JSON")]
    manifest: Option<PathBuf>,
    /// Where to write the model
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Write the prepared form, where the whole graph runs in integers
    #[arg(long)]
    prepare: bool,
    /// A picture to keep as golden sample
    #[arg(long, value_name = "IMAGE")]
    golden: Option<PathBuf>,
    /// The golden picture's scores
    #[arg(long, value_name = "CSV", requires = "golden")]
    scores: Option<PathBuf>,
}

/// The graph in the form that is written.
enum Form {
    Onnx(Box<Graph>),
    Prepared(Box<Prepared>),
}

impl Form {
    /// The bytes of the model file with this manifest, and the classifier that opens from them.
    fn opened(&mut self, manifest: &Value) -> bedside::Result<(Vec<u8>, Classifier)> {
        let json = manifest.to_string();
        let bytes = match self {
            Form::Onnx(graph) => {
                graph.set_metadata(METADATA_KEY, json);
                graph.to_bytes()
            }
            Form::Prepared(prepared) => {
                prepared.set_metadata(METADATA_KEY, json);
                prepared.to_bytes()
            }
        };
        let classifier = Classifier::from_bytes(&bytes, Options::default())?;
        Ok((bytes, classifier))
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    refuse_overwriting(&arguments.output, &inputs(arguments))?;
    let graph = Graph::open(&arguments.graph, Limits::default().max_model_bytes)
        .map_err(|error| named(&arguments.graph, tools::engine_error(error)))?;
    let text = manifest_text(arguments, &graph)?;
    let manifest_path = arguments.manifest.as_deref().unwrap_or(&arguments.graph);
    let manifest = Manifest::from_json(&text).map_err(|error| named(manifest_path, error))?;
    // The JSON is packed as it was read, so that fields unknown to this version are kept.
    let mut json: Value = serde_json::from_str(&text).map_err(|error| Failure::Failed(error.to_string()))?;
    let (graph, signature) = with_fixed_shape(graph, &manifest).map_err(|error| named(&arguments.graph, error))?;
    let rebound = rebound(manifest, &graph);
    let explained = rebound.and_then(|manifest| with_explanation(&graph, manifest, &signature));
    let explained = explained.and_then(|(manifest, heatmaps)| {
        let (graph, signature) = bound(graph, &manifest)?;
        Ok((graph, signature, manifest, heatmaps))
    });
    let (graph, signature, manifest, heatmaps) = explained.map_err(|error| named(&arguments.graph, error))?;
    if let Some(explanation) = manifest.explanation() {
        json["explanation"] = serde_json::to_value(explanation).map_err(|error| Failure::Failed(error.to_string()))?;
    }
    if manifest.calibration().is_some() {
        json["calibration"]["graph_sha256"] = graph.sha256().into();
    }

    let mut form = if arguments.prepare {
        let prepared = Prepared::of(graph, &signature);
        Form::Prepared(Box::new(prepared.map_err(|error| named(&arguments.graph, tools::engine_error(error)))?))
    } else {
        Form::Onnx(Box::new(graph))
    };
    if let Some(picture) = &arguments.golden {
        json["golden"] = golden(picture, arguments.scores.as_deref(), &manifest, &mut form, &json)?;
    }
    let (bytes, classifier) = form.opened(&json).map_err(|error| named(&arguments.graph, error))?;
    run_once(&classifier).map_err(|error| named(&arguments.graph, error))?;
    let passed = classifier.self_test().map_err(|error| named(&arguments.graph, error))?;
    write_whole(&arguments.output, &bytes)?;

    let mut out = anstream::stdout().lock();
    line(&mut out, "written", format_args!("{} ({} bytes)", arguments.output.display(), bytes.len()))?;
    line(&mut out, "form", if arguments.prepare { "prepared" } else { "ONNX" })?;
    line(&mut out, "model", format_args!("{} {}", manifest.name(), manifest.version()))?;
    line(&mut out, "graph SHA-256", &classifier.identity().graph_sha256)?;
    line(&mut out, "heatmaps", heatmaps)?;
    line(&mut out, "golden sample", passed.map_or("none", |passed| passed.by.as_str()))?;
    Ok(())
}

/// The files that the output may not replace. A graph may be packed onto itself, because what is written has all of it; a
/// prepared model has not.
fn inputs(arguments: &Arguments) -> Vec<&Path> {
    let graph = arguments.prepare.then_some(&arguments.graph);
    let inputs = [arguments.manifest.as_ref(), arguments.golden.as_ref(), arguments.scores.as_ref(), graph];
    inputs.into_iter().flatten().map(PathBuf::as_path).collect()
}

/// The manifest's JSON: that of `--manifest`, or the one that the graph was packed with.
fn manifest_text(arguments: &Arguments, graph: &Graph) -> Result<String, Failure> {
    if let Some(path) = &arguments.manifest {
        return read_text(path, "the manifest", MAX_BYTES);
    }
    let inside = graph.metadata(METADATA_KEY).map(str::to_owned);
    inside.ok_or_else(|| {
        let path = arguments.graph.display();
        Failure::Usage(format!("{path}: the graph has no manifest inside; give one with `--manifest`"))
    })
}

/// The graph with its input's shape and its batch fixed, and its signature. The graph is read again from its bytes, so
/// that its hash is that of the graph in the written file.
fn with_fixed_shape(graph: Graph, manifest: &Manifest) -> bedside::Result<(Graph, Signature)> {
    let (mut graph, signature) = bound(graph, manifest)?;
    graph.fix_input_shape(&signature.input, &signature.shape).map_err(tools::engine_error)?;
    graph.fix_output_batch();
    Ok((Graph::from_bytes(&graph.to_bytes()).map_err(tools::engine_error)?, signature))
}

/// The graph, and the signature that it has with this manifest.
fn bound(graph: Graph, manifest: &Manifest) -> bedside::Result<(Graph, Signature)> {
    let file = ModelFile::from(graph);
    let signature = Binding::new(manifest, &file)?.signature;
    let ModelFile::Onnx(graph) = file else { unreachable!("it was made of a graph") };
    Ok((*graph, signature))
}

/// The manifest with its calibration bound to the graph, which has another hash since its shape is fixed.
fn rebound(manifest: Manifest, graph: &Graph) -> bedside::Result<Manifest> {
    let mut draft = Draft::from(manifest);
    if let Some(calibration) = &mut draft.calibration {
        graph.sha256().clone_into(&mut calibration.graph_sha256);
    }
    Manifest::try_from(draft)
}

/// The manifest with an `explanation`, its own or the one that is found in the graph, and what heatmaps are computed from,
/// or why there are no class activation maps.
fn with_explanation(graph: &Graph, manifest: Manifest, signature: &Signature) -> bedside::Result<(Manifest, String)> {
    let output = signature.outputs.first().map_or("", String::as_str);
    let head = match (manifest.explanation(), graph.head(output)) {
        (Some(stated), _) => (stated.features.clone(), stated.weights.clone()),
        (None, Ok(head)) => (head.features, head.initializer),
        (None, Err(error)) => return Ok((manifest, format!("by occlusion only: {error}"))),
    };
    let heatmaps = format!("class activation, from \"{}\" and \"{}\"", head.0, head.1);
    let mut draft = Draft::from(manifest);
    draft.explanation = Some(Explanation::new(head.0, head.1));
    Ok((Manifest::try_from(draft)?, heatmaps))
}

/// The manifest's field `golden`, with the scores of a file or, without one, Bedside's own.
fn golden(
    picture: &Path,
    scores: Option<&Path>,
    manifest: &Manifest,
    form: &mut Form,
    json: &Value,
) -> Result<Value, Failure> {
    let bytes = read(picture, "the golden sample", MAX_GOLDEN_BYTES)?;
    let image = BASE64.encode(&bytes);
    let (by, scores) = if let Some(csv) = scores {
        (GoldenBy::Lab, read_scores(csv, manifest)?)
    } else {
        let scores = form.opened(json).and_then(|(_, classifier)| classifier.scores(&Image::from_bytes(bytes)));
        (GoldenBy::Itself, scores.map_err(|error| named(picture, error))?)
    };
    serde_json::to_value(Golden::new(by, image, scores)).map_err(|error| Failure::Failed(error.to_string()))
}

/// The scores of a file with the columns `label,score`, in the order of the manifest's labels.
fn read_scores(path: &Path, manifest: &Manifest) -> Result<Vec<f32>, Failure> {
    let wrong = |problem: String| Failure::Usage(format!("{}: {problem}", path.display()));
    let text = read_text(path, "the list of scores", MAX_SCORES_BYTES)?;
    let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = rows.headers().map_err(|error| wrong(error.to_string()))?;
    if header.iter().ne(["label", "score"]) {
        return Err(wrong("the first line must be `label,score`".into()));
    }
    let mut scores = vec![None; manifest.labels().len()];
    for row in rows.records() {
        // The reader holds each row to the header's number of columns.
        let row = row.map_err(|error| wrong(error.to_string()))?;
        let (label, score) = (&row[0], &row[1]);
        let sound = score.parse().ok().filter(|score| (0.0..=1.0).contains(score));
        let score: f32 = sound.ok_or_else(|| wrong(format!("\"{score}\" is no probability, 0 to 1")))?;
        let index = manifest.labels().iter().position(|l| l.id == label);
        let index = index.ok_or_else(|| wrong(format!("the manifest has no label `{label}`")))?;
        if scores[index].replace(score).is_some() {
            return Err(wrong(format!("`{label}` stands twice")));
        }
    }
    let missing = manifest.labels().iter().zip(&scores).find(|(_, score)| score.is_none());
    match missing {
        Some((label, _)) => Err(wrong(format!("no score for `{}`", label.id))),
        None => Ok(scores.into_iter().flatten().collect()),
    }
}

/// The file that a path leads to, and its folder.
struct Target {
    path: PathBuf,
    folder: PathBuf,
    /// The file that is there.
    replaced: Option<fs::Metadata>,
}

impl Target {
    /// Where `path` is a symbolic link, the file that it leads to. Fails with what is wrong, after the name of the file.
    fn of(path: &Path) -> Result<Target, String> {
        let failed = |problem: &str| format!("{}: {problem}", path.display());
        let target = if path.is_symlink() { fs::canonicalize(path) } else { Ok(path.to_owned()) };
        let target = target
            .map_err(|error| failed(&format!("this link can't be followed, so give the name of a file: {error}")))?;
        let replaced = fs::metadata(&target).ok();
        if replaced.as_ref().is_some_and(|replaced| !replaced.is_file()) {
            return Err(failed("this is a folder or a device; give the name of a file"));
        }
        let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        if !folder.is_dir() {
            return Err(failed("there is no such folder; make it first"));
        }
        Ok(Target { path: target, folder, replaced })
    }
}

/// Fails where [`write_whole`] could not write a file, so that work does not end there.
///
/// # Errors
/// [`Failure::Usage`], which names the file.
pub(crate) fn check_writable(path: &Path) -> Result<(), Failure> {
    let target = Target::of(path).map_err(Failure::Usage)?;
    let probe = tempfile::tempfile_in(&target.folder);
    probe.map(drop).map_err(|error| Failure::Usage(format!("{}: can't be written: {error}", path.display())))
}

/// Writes a temporary file beside the target and renames it, so that an interrupted write leaves the old file. Where
/// `path` is a symbolic link, the file that it leads to is replaced. A replaced file keeps its permissions; a new one
/// has the permissions of any new file of the user.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", path.display()));
    let Target { path: target, folder, replaced } = Target::of(path).map_err(Failure::Failed)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        // The mode that programs create files with; the system clears the bits of the user's umask.
        let mode = replaced.as_ref().map_or(0o666, |replaced| replaced.mode() & 0o777);
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    let mut file = builder.tempfile_in(folder).map_err(|error| failed(&error))?;
    file.write_all(bytes).map_err(|error| failed(&error))?;
    if let Some(replaced) = replaced {
        // The umask has cleared bits of this mode too, so the permissions are set again.
        file.as_file().set_permissions(replaced.permissions()).map_err(|error| failed(&error))?;
    }
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    file.persist(&target).map_err(|error| failed(&error.error))?;
    Ok(())
}

/// The text of a file of at most `max_bytes`. `what` is its content in error messages.
fn read_text(path: &Path, what: &str, max_bytes: u64) -> Result<String, Failure> {
    String::from_utf8(read(path, what, max_bytes)?)
        .map_err(|_| Failure::Failed(format!("{}: {what} is not UTF-8 text", path.display())))
}

/// The bytes of a file of at most `max_bytes`. `what` is its content in error messages.
fn read(path: &Path, what: &str, max_bytes: u64) -> Result<Vec<u8>, Failure> {
    read_bounded(path, max_bytes).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => {
            Failure::Usage(format!("{}: {what} has {error}; give a shorter one", path.display()))
        }
        _ => tools::io_error(path, error).into(),
    })
}

/// The error as a failure that names the file.
fn named(path: &Path, error: bedside::Error) -> Failure {
    tools::in_file(error, path).into()
}
