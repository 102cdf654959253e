//! The limits beyond which a picture is refused: of its quality, and of its novelty.

use bedside::manifest::{NoveltyMethod, NoveltyModel, NoveltySample, NoveltyTables};
use bedside_tools::calibrate::method::Method;
use bedside_tools::calibrate::quality::Meant;
use bedside_tools::calibrate::{Fitted, FittedNovelty, method, quality};
use bedside_tools::statistics::Undefined;
use serde_json::Value;

use super::gather::Observed;
use crate::output::Failure;

/// Fits both, or says what is missing.
pub(super) fn fit(observed: &Observed, stated: Option<Meant>, are_folds: bool, fitted: &mut Fitted) {
    match quality::fit(&observed.sound, stated, &observed.copies) {
        Ok(found) => fitted.quality = Some(found),
        Err(why) => {
            fitted.missing.push(format!("limits of quality: {}", reason_of_quality(&why, observed.sound.len())));
        }
    }
    if are_folds {
        fitted.missing.push(
            "levels of novelty by the model: they are those of the fold networks, each of pictures that it did not learn \
             from and by tables of others of them"
                .to_owned(),
        );
    }
    let (held_out, foreign) = (observed.held_out(), observed.foreign());
    let seen = observed.seen();
    let fewest = method::originals(&seen).min(method::originals(&held_out));
    match method::fit(&seen, &held_out, &foreign) {
        Ok(found) => fitted.novelty = Some(found),
        Err(why) => {
            fitted.missing.push(format!("novelty: {}", reason(&why, fewest, method::MIN_PICTURES)));
        }
    }
    if foreign.is_empty() {
        fitted
            .missing
            .push("foreign pictures: without --foreign the method of novelty is not chosen by them".to_owned());
    }
}

fn reason_of_quality(why: &Undefined, pictures: usize) -> String {
    match why {
        Undefined::OutOfRange(_) => format!(
            "they would refuse more than {:.1} % of the sound pictures; look at those, and at the colours that are meant \
             (--color)",
            100.0 * quality::MAX_REFUSED
        ),
        _ => reason(why, pictures, quality::MIN_PICTURES),
    }
}

/// Why nothing was fitted on this many sound pictures.
fn reason(why: &Undefined, pictures: usize, needed: usize) -> String {
    match why {
        Undefined::TooFew => format!("there are {pictures} sound pictures, and it takes {needed}"),
        _ => why.to_string(),
    }
}

/// The manifest's `novelty`.
pub(super) fn novelty(fitted: &FittedNovelty, tensors: &[String]) -> Result<Value, Failure> {
    let levels = [fitted.soft as f32, fitted.hard as f32];
    let model = match &fitted.axes {
        None => NoveltyModel::energy(levels),
        Some(axes) => {
            let (mean, scale) = (axes.mean.clone(), axes.scale.clone());
            let mut tables = NoveltyTables::new(mean, scale, axes.axes.clone());
            tables.sample = fitted
                .sample
                .as_ref()
                .map(|(points, neighbors)| NoveltySample::new(*neighbors as u32, axes.dimensions, &points.concat()));
            let mut model = NoveltyModel::new(name(fitted.method), tensors.to_vec(), &tables, levels)?;
            (model.root, model.weight) = (axes.root, fitted.weight.map(|weight| weight as f32));
            model
        }
    };
    serde_json::to_value(model).map_err(|error| Failure::Failed(error.to_string()))
}

fn name(method: Method) -> NoveltyMethod {
    match method {
        Method::Energy => NoveltyMethod::Energy,
        Method::Mahalanobis => NoveltyMethod::Mahalanobis,
        Method::NearestNeighbors => NoveltyMethod::NearestNeighbors,
        Method::Combined => NoveltyMethod::Combined,
    }
}
