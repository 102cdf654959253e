//! The small pictures of an evaluation's page: those of its lists, with heatmaps of the labels that were missed or wrongly
//! named.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bedside::{Image, tools};
use bedside_tools::evaluate::{Evaluation, Picture, Pictures};
use bedside_tools::table::below;

use crate::labelled::Net;

/// The pictures of the page. What can't be shown has the reason in its place.
pub(super) fn of(net: &Net, images: &Path, evaluation: &Evaluation) -> Pictures {
    let mut pictures = Pictures { no_heatmaps: net.no_heatmaps(), ..Pictures::default() };
    for (file, label) in evaluation.pictured() {
        let image = match opened(images, file) {
            Ok(image) => image,
            Err(reason) => {
                pictures.thumbnails.insert(file.to_owned(), Picture::Missing { reason });
                continue;
            }
        };
        pictures.thumbnails.entry(file.to_owned()).or_insert_with(|| thumbnail(&image));
        if pictures.no_heatmaps.is_none() {
            let place = (file.to_owned(), label.to_owned());
            pictures.heatmaps.entry(place).or_insert_with(|| heatmap(net, &image, label));
        }
    }
    pictures
}

fn opened(images: &Path, file: &str) -> Result<Image<'static>, String> {
    Image::open(below(images, file)?).map_err(|error| error.to_string())
}

fn thumbnail(image: &Image<'_>) -> Picture {
    tools::thumbnail(image).map_or_else(|error| missing(&error), |jpeg| shown(&jpeg, String::new()))
}

/// The class activation map over the picture, as `bedside explain` computes it.
fn heatmap(net: &Net, image: &Image<'_>, label: &str) -> Picture {
    let heatmap = match net.explained(image, label).map(|report| report.heatmap) {
        Ok(Some(heatmap)) => heatmap,
        Ok(None) => return missing(&"no heatmap: the picture was rejected"),
        Err(error) => return missing(&format_args!("no heatmap: {error}")),
    };
    if !heatmap.evidence {
        return missing(&format_args!("no evidence for {label}"));
    }
    match tools::heatmap_thumbnail(&heatmap, image) {
        Ok(jpeg) => shown(&jpeg, format!("{label}, up to {:.1} logits", heatmap.max)),
        Err(error) => missing(&format_args!("no heatmap: {error}")),
    }
}

fn shown(jpeg: &[u8], caption: String) -> Picture {
    Picture::Shown { url: format!("data:image/jpeg;base64,{}", BASE64.encode(jpeg)), caption }
}

fn missing(reason: &dyn std::fmt::Display) -> Picture {
    Picture::Missing { reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_that_is_not_there_any_more_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = opened(folder.path(), "a.jpg").expect_err("there is none");
        assert!(error.contains("a.jpg"), "{error}");
    }

    #[test]
    fn picture_that_is_damaged_leaves_the_reason() {
        let Picture::Missing { reason } = thumbnail(&Image::from_bytes(&b"\xff\xd8 no picture"[..])) else {
            panic!("it is shown")
        };
        assert!(!reason.is_empty());
    }
}
