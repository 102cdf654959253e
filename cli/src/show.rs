//! `bedside show`: writes a picture as a model sees it, or one frame of a DICOM file.

use std::io::Write;
use std::path::PathBuf;

use bedside::{Image, tools};

use crate::frames::Shown;
use crate::output::{BOLD, Failure, line, plain};
use crate::pack::write_whole;
use crate::paths::refuse_overwriting;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  bedside show loop.dcm --frame 12 -o frame.png
  bedside show chest.dcm --window 1 -o soft-tissue.png

A picture is rotated upright. It keeps its size, and what is burned into it. Of an ultrasound frame of a DICOM
file the tissue is written, without what a scanner draws around it; --whole writes all of it.")]
pub(crate) struct Arguments {
    /// A picture (JPEG, PNG, WebP, BMP, TIFF, DICOM)
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    #[command(flatten)]
    shown: Shown,
    /// Where to write it, a PNG
    #[arg(long, short, value_name = "PNG")]
    output: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    refuse_overwriting(&arguments.output, &[&arguments.image])?;
    let image = Image::open(&arguments.image)?;
    let frames = image.frames()?;
    let png = arguments.shown.of(image).shown(u32::MAX).map_err(|error| tools::in_file(error, &arguments.image))?;
    write_whole(&arguments.output, &png)?;
    let mut out = anstream::stdout().lock();
    writeln!(out, "{BOLD}{}{BOLD:#}\n", plain(arguments.image.display()))?;
    line(&mut out, "Frame", format_args!("{} of {frames}, from 0", arguments.shown.frame))?;
    Ok(line(&mut out, "Written", arguments.output.display())?)
}
