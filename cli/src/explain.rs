//! `bedside explain`: draws where the evidence for a label lies in a picture.

use std::io::Write;
use std::path::PathBuf;

use bedside::{Answer, Classifier, Explain, ExplainMethod, Image, Options, Query, Region, notice, tools};

use crate::classify::{Looked, json_line, once, parse_answer, parse_region, write_detailed};
use crate::frames::Shown;
use crate::output::{DIM, Failure, line};
use crate::pack::write_whole;
use crate::paths::{of_models, refuse_overwriting};

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  bedside explain models/skin-lesion/model.onnx lesion.jpg --answer dermatoscope=yes --answer mole_like=yes -o heatmap.png
  bedside explain model.onnx lesion.jpg --answer dermatoscope=yes --label melanoma --method occlusion -o heatmap.png

A class activation map comes from the run that gives the scores. It needs a graph that ends in a mean over height and
width and one linear layer, as `bedside pack` finds. Occlusion serves every graph and takes 64 more runs.

A heatmap says what moved the network, and not where a disease is.

Exit status: 0; 1 where the picture or the model failed, or the picture was rejected; 2 for wrong usage.")]
pub(crate) struct Arguments {
    /// The model
    model: PathBuf,
    /// A picture (JPEG, PNG, WebP, BMP, TIFF, DICOM)
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    #[command(flatten)]
    shown: Shown,
    /// Where to write the picture with the heatmap over it, a PNG of at most 1024 pixels a side
    #[arg(long, short, value_name = "PNG")]
    output: PathBuf,
    /// The label that the evidence is for. Default: the first of the verdict
    #[arg(long, value_name = "ID")]
    label: Option<String>,
    /// How the heatmap is computed: `class-activation` or `occlusion`
    #[arg(long, default_value = "class-activation", value_parser = parse_method, value_name = "METHOD")]
    method: ExplainMethod,
    /// Language of the report's sentences, names and questions, such as `uk`
    #[arg(long, default_value = "en", value_name = "TAG")]
    lang: String,
    /// Look at this part only: LEFT,TOP,WIDTH,HEIGHT, each 0 to 1, in the upright picture
    #[arg(long, value_parser = parse_region, value_name = "L,T,W,H")]
    region: Option<Region>,
    /// An answer to a question of the model: `yes`, `no` or a number. May be given several times
    #[arg(long = "answer", value_parser = parse_answer, value_name = "ID=VALUE")]
    answers: Vec<(String, Answer)>,
    /// Print one line of JSON, the report with the heatmap's numbers
    #[arg(long)]
    json: bool,
    /// How many threads a run may use
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N")]
    threads: u16,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut inputs = of_models([&arguments.model]);
    inputs.push(arguments.image.clone());
    refuse_overwriting(&arguments.output, &inputs.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
    let classifier = Classifier::open(&arguments.model, Options::new().threads(arguments.threads.into()))?;
    let query = arguments.query()?;
    classifier.check(&query)?;
    let image = arguments.shown.of(Image::open(&arguments.image)?);
    let report = classifier.classify(&image, &query).map_err(|error| tools::in_file(error, &arguments.image))?;
    if let Some(heatmap) = &report.heatmap {
        let png = heatmap.overlay(&image).map_err(|error| tools::in_file(error, &arguments.image))?;
        write_whole(&arguments.output, &png)?;
    }
    let mut out = anstream::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", json_line(&Looked { file: &arguments.image, frame: None }, Ok(&report)))?;
    } else {
        write_detailed(&mut out, &arguments.image, &report)?;
        if let Some(heatmap) = &report.heatmap {
            let (label, max) = (&heatmap.label, heatmap.max);
            let evidence = if heatmap.evidence {
                format!("up to {max:.1} logits for {label}")
            } else {
                format!("none for {label}")
            };
            line(&mut out, "Evidence", evidence)?;
            line(&mut out, "Written", arguments.output.display())?;
        }
        writeln!(out, "\n{DIM}{}{DIM:#}", notice(&arguments.lang))?;
    }
    match report.heatmap {
        Some(_) => Ok(()),
        None => Err(Failure::Failed(format!(
            "{}: the picture was rejected, so that there is no heatmap",
            arguments.image.display()
        ))),
    }
}

impl Arguments {
    /// The query that the options make.
    fn query(&self) -> Result<Query, Failure> {
        let mut explain = Explain::new().method(self.method);
        explain.label.clone_from(&self.label);
        let mut query = Query::new().language(&self.lang).explain(explain);
        query.region = self.region;
        query.answers = once("--answer", &self.answers)?;
        Ok(query)
    }
}

fn parse_method(text: &str) -> Result<ExplainMethod, String> {
    let named = |method: &&ExplainMethod| method.as_str().replace('_', "-") == text.replace('_', "-");
    ExplainMethod::ALL.iter().find(named).copied().ok_or_else(|| "give `class-activation` or `occlusion`".into())
}
