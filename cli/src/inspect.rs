//! `bedside inspect`: prints what a model file says about itself and what it holds.

use std::io::Write;
use std::path::PathBuf;

use bedside::manifest::{Calibration, DEFAULT_OPERATING_POINT};
use bedside::tools::{self, Binding};
use bedside::{Limits, Manifest};
use bedside_engine::{Description, Engine, Graph, ModelFile, Prepared, Signature, multiply_adds};

use crate::output::{BOLD, Failure, line, plain};

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  bedside inspect models/skin-lesion/model.onnx
  bedside inspect graph-as-exported.onnx
  bedside inspect model.prepared")]
pub(crate) struct Arguments {
    /// The model, packed or prepared, or a bare graph
    model: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let path = &arguments.model;
    let file = ModelFile::open(path, Limits::default().max_model_bytes)
        .map_err(|error| tools::in_file(tools::engine_error(error), path))?;
    let mut out = anstream::stdout().lock();
    writeln!(out, "{BOLD}{}{BOLD:#}", plain(path.display()))?;

    let manifest = tools::manifest_of(&file, Some(path));
    writeln!(out, "\n{BOLD}Manifest{BOLD:#}")?;
    match &manifest {
        Ok(manifest) => describe(&mut out, manifest)?,
        Err(error) => line(&mut out, "not usable", error)?,
    }
    let binding = manifest.as_ref().ok().map(|manifest| Binding::new(manifest, &file));

    writeln!(out, "\n{BOLD}Graph{BOLD:#}")?;
    match &file {
        ModelFile::Onnx(graph) => {
            let signature = binding.as_ref().and_then(|binding| Some(&binding.as_ref().ok()?.signature));
            describe_graph(&mut out, graph, signature)?;
        }
        ModelFile::Prepared(prepared) => describe_prepared(&mut out, prepared)?,
    }

    writeln!(out, "\n{BOLD}Integrity{BOLD:#}")?;
    let sha256 = file.sha256();
    line(&mut out, "graph SHA-256", &sha256)?;
    integrity(&mut out, manifest.as_ref().ok(), &sha256)?;
    let list_steps = matches!(file, ModelFile::Prepared(_));
    match binding {
        None => line(&mut out, "served", "unknown: no manifest")?,
        Some(Err(error)) => line(&mut out, "served", format_args!("no: {error}"))?,
        Some(Ok(binding)) => match Engine::load(file, &binding.signature, 1) {
            Ok(engine) => {
                describe_engine(&mut out, &engine)?;
                if let (true, Ok((_, steps))) = (list_steps, engine.steps()) {
                    describe_steps(&mut out, steps)?;
                }
            }
            Err(error) => line(&mut out, "served", format_args!("no: {error}"))?,
        },
    }
    Ok(())
}

/// Writes the steps of a program in the order in which they run, each with the shape of its result.
fn describe_steps(out: &mut impl Write, steps: &[Description]) -> std::io::Result<()> {
    writeln!(out, "\n{BOLD}Steps{BOLD:#}")?;
    for step in steps {
        let [_, height, width, channels] = step.shape;
        line(out, &format!("{height}×{width}×{channels}"), format_args!("{}: {}", step.operation, step.tensor))?;
    }
    Ok(())
}

fn describe_prepared(out: &mut impl Write, prepared: &Prepared) -> std::io::Result<()> {
    line(out, "form", "prepared: a program without its graph, which opens without the ONNX importer")?;
    for input in prepared.inputs() {
        line(out, "input", input)?;
    }
    for output in prepared.outputs() {
        line(out, "output", output)?;
    }
    line(out, "multiply-adds", millions(prepared.multiply_adds()))
}

/// Writes which parts of a graph run in integers, which run in floats, and why.
fn describe_engine(out: &mut impl Write, engine: &Engine) -> std::io::Result<()> {
    let reason = match engine.steps() {
        Ok((kernels, steps)) => {
            return line(out, "served", format_args!("yes, in integers by the {kernels} kernels: {}", counted(steps)));
        }
        Err(reason) => reason,
    };
    let (partitions, floats) = engine.partitions();
    if partitions.is_empty() {
        return line(out, "served", format_args!("yes, in floats by tract: {reason}"));
    }
    line(out, "served", "yes, partly in integers")?;
    for steps in partitions {
        line(out, "in integers", counted(steps))?;
    }
    // One line for all nodes with the same operator and reason.
    let mut lines: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for node in floats {
        match lines.iter_mut().find(|(operator, reason, _)| *operator == node.operator && *reason == node.reason) {
            Some((.., nodes)) => nodes.push(&node.node),
            None => lines.push((&node.operator, &node.reason, vec![&node.node])),
        }
    }
    for (operator, reason, nodes) in lines {
        line(out, "in floats", format_args!("{operator} at {}: {reason}", nodes.join(", ")))?;
    }
    Ok(())
}

/// The number of steps of each operation, as text.
fn counted(steps: &[Description]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for step in steps {
        let operation = step.operation.split(' ').next().unwrap_or_default();
        match counts.iter_mut().find(|(name, _)| *name == operation) {
            Some((_, count)) => *count += 1,
            None => counts.push((operation, 1)),
        }
    }
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

fn describe(out: &mut impl Write, manifest: &Manifest) -> std::io::Result<()> {
    let (input, output) = (manifest.input(), manifest.output());
    line(out, "name", format_args!("{} {}: {}", manifest.name(), manifest.version(), manifest.title("en")))?;
    line(out, "license", manifest.license())?;
    for (heading, text) in [("intended use", manifest.intended_use()), ("not for", manifest.not_for())] {
        line(out, heading, text.get("en").unwrap_or("not stated").replace('\n', " "))?;
    }
    for question in manifest.scope() {
        let need = match question.level {
            Some(level) => format!("danger sign, {level}"),
            None if question.required => "required".into(),
            None => "optional".into(),
        };
        line(out, "asks", format_args!("`{}` ({need}): {}", question.id, question.question.get("en").unwrap_or("")))?;
    }
    line(
        out,
        "picture",
        format_args!("{:?} {}×{}, {:?}", input.color, input.width, input.height, input.resize.policy)
            .to_string()
            .to_lowercase(),
    )?;
    line(out, "mean, std", format_args!("{:?}, {:?}", input.mean, input.std))?;
    line(out, "activation", format!("{:?}", output.activation).to_lowercase())?;
    let in_group = |id: &String| {
        let group = output.groups.iter().find(|group| group.labels.contains(id));
        group.map_or(String::new(), |group| format!(", shown as {}", group.id))
    };
    for label in &output.labels {
        let name = label.name.get("en").unwrap_or(&label.id);
        line(out, "label", format_args!("{}: {name}{}", label.id, in_group(&label.id)))?;
    }
    for label in manifest.shown_labels() {
        let point = label.operating_point.unwrap_or(DEFAULT_OPERATING_POINT);
        line(out, "verdict has", format_args!("{} from {point:.4} on: {}", label.id, label.triage))?;
    }
    manifest.calibration().map_or(Ok(()), |calibration| describe_calibration(out, calibration))
}

fn describe_calibration(out: &mut impl Write, calibration: &Calibration) -> std::io::Result<()> {
    let fitted = calibration.fitted_on.as_deref().unwrap_or("unstated data");
    let rescaling = match (&calibration.scale, &calibration.bias) {
        (None, None) => format!("temperature {}", calibration.temperature.unwrap_or(1.0)),
        _ => "scale and bias of each label".into(),
    };
    line(out, "calibration", format_args!("{rescaling}, fitted on {fitted}"))?;
    for (id, threshold) in &calibration.thresholds {
        if let (Some(miss), Some(count)) = (threshold.miss, threshold.count) {
            let unit = calibration.unit.as_deref().unwrap_or("case");
            line(out, "stated miss", format_args!("{id}: {:.1} %, fitted on {count} ({unit})", miss * 100.0))?;
        }
    }
    if let Some(action) = calibration.action {
        line(out, "action", format_args!("urgent from a sum of {action:.4} of all urgent labels on"))?;
    }
    line(out, "may say no_sign", if calibration.no_sign { "yes" } else { "no" })
}

fn describe_graph(out: &mut impl Write, graph: &Graph, signature: Option<&Signature>) -> std::io::Result<()> {
    line(out, "producer", graph.producer())?;
    line(out, "operator set", graph.opset().map_or("unknown".into(), |version| version.to_string()))?;
    for input in graph.inputs() {
        line(out, "input", input)?;
    }
    for output in graph.outputs() {
        line(out, "output", output)?;
    }
    let mut operators: Vec<(String, usize)> = graph.operators().into_iter().collect();
    operators.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let operators: Vec<String> = operators.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
    line(out, "operators", operators.join(", "))?;
    line(out, "parameters", millions(graph.parameters()))?;
    let cost = match signature {
        Some(signature) => multiply_adds(graph.clone(), signature).map(millions).map_err(|error| error.to_string()),
        None => Err("unknown: they need a manifest that fits the graph".into()),
    };
    line(out, "multiply-adds", cost.unwrap_or_else(|problem| problem))
}

fn integrity(out: &mut impl Write, manifest: Option<&Manifest>, sha256: &str) -> std::io::Result<()> {
    let Some(manifest) = manifest else { return Ok(()) };
    let calibration = match manifest.calibration() {
        None => "none",
        Some(c) if c.graph_sha256 == sha256 => "fitted on this graph",
        Some(_) => "fitted on ANOTHER graph: the model does not open",
    };
    line(out, "calibration", calibration)?;
    let golden = match manifest.golden() {
        None => "none".into(),
        Some(golden) => format!("by {}; `bedside check` runs it", golden.by.as_str()),
    };
    line(out, "golden sample", golden)
}

fn millions(count: u64) -> String {
    format!("{:.2} million", count as f64 / 1e6)
}
