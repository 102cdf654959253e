//! Which frame of a DICOM file is looked at, and what is shown of its values: options of several subcommands.

use std::ops::Range;

use bedside::{Image, Result, Window};

#[derive(clap::Args)]
pub(crate) struct Shown {
    /// Look at this frame of a DICOM file, from 0
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) frame: u32,
    /// What of a DICOM file's values is shown: N, the Nth of its tables and windows, from 0, or CENTER,WIDTH
    #[arg(long, value_parser = parse_window, allow_hyphen_values = true, value_name = "WINDOW")]
    window: Option<Window>,
    /// Look at whole ultrasound frames of DICOM files, with the text and the scales around the tissue
    #[arg(long)]
    whole: bool,
}

impl Shown {
    /// The picture with the frame and the window that the options name.
    pub(crate) fn of<'a>(&self, image: Image<'a>) -> Image<'a> {
        let image = image.frame(self.frame).window(self.window.unwrap_or_default());
        if self.whole { image.whole() } else { image }
    }
}

/// Which frames of a DICOM file are looked at.
#[derive(clap::Args)]
pub(crate) struct Frames {
    #[command(flatten)]
    pub(crate) shown: Shown,
    /// Look at all frames of DICOM files, and print a line for each
    #[arg(long, value_parser = ["all"], conflicts_with = "frame", value_name = "all")]
    frames: Option<String>,
}

impl Frames {
    /// Whether all frames are asked for.
    pub(crate) fn are_all(&self) -> bool {
        self.frames.is_some()
    }

    /// The numbers of the frames of a picture that are asked for.
    pub(crate) fn of(&self, image: &Image<'_>) -> Result<Range<u32>> {
        if self.are_all() { Ok(0..image.frames()?) } else { Ok(self.shown.frame..self.shown.frame + 1) }
    }
}

fn parse_window(text: &str) -> Result<Window, String> {
    let wrong = || "give the number of a window, such as 1, or CENTER,WIDTH, such as -600,1500".to_owned();
    match text.split_once(',') {
        None => text.trim().parse().map(Window::Number).map_err(|_| wrong()),
        Some((center, width)) => {
            let number = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
            Ok(Window::Values { center: number(center)?, width: number(width)? })
        }
    }
}
