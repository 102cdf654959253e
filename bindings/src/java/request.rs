//! Requests of Java: options, a query, the format of a frame. The Java classes of these names write the fields in the
//! same order. A source, a method, a rotation, a matrix and a range are their ordinals in Java's enums, an answer and a layout numbers
//! that both sides list.

use bedside::{
    Answer, Error, ErrorKind, Explain, ExplainMethod, Heatmap, Limits, Options, Query, Region, Result, Rotation,
    Source, YuvMatrix, YuvRange,
};

use crate::frame::{Frame, Layout, PixelFormat, Strides};

use super::wire::Reader;
use super::{Failure, cancel_handle};

pub(super) fn options(request: &mut Reader<'_>) -> Result<Options> {
    let options = Options::new().threads(request.size("threads")?);
    let limits = Limits::new()
        .max_declared_pixels(request.long_size("max_declared_pixels")?)
        .max_decoded_bytes(request.long_size("max_decoded_bytes")?)
        .max_model_bytes(request.long_size("max_model_bytes")?);
    Ok(options.limits(limits))
}

pub(super) fn query(request: &[u8]) -> Result<Query, Failure> {
    let mut request = Reader::new(request);
    let mut query = Query::new();
    query.max_results = request.optional(|request| request.size("max_results"))?;
    query.score_threshold = request.float()?;
    query.allow = request.list(Reader::string)?;
    query.deny = request.list(Reader::string)?;
    query.language = request.string()?;
    query.region = request.optional(region)?;
    query.prevalence = request.list(|request| Ok((request.string()?, request.float()?)))?.into_iter().collect();
    query.answers = request.list(|request| Ok((request.string()?, answer(request)?)))?.into_iter().collect();
    query.source = request.optional(source)?;
    query.refusals = request.size("refusals")?;
    query.explain = request.optional(explain)?;
    if let Some(handle) = request.optional(|request| request.long_size("cancel"))? {
        query.cancel = Some((*cancel_handle(handle as i64)?).clone());
    }
    request.end()?;
    Ok(query)
}

fn region(request: &mut Reader<'_>) -> Result<Region> {
    Region::new(request.float()?, request.float()?, request.float()?, request.float()?)
}

fn answer(request: &mut Reader<'_>) -> Result<Answer> {
    match request.byte()? {
        0 => Ok(Answer::Yes),
        1 => Ok(Answer::No),
        2 => Ok(Answer::Number(request.double()?)),
        other => Err(unknown("an answer", other.into())),
    }
}

fn explain(request: &mut Reader<'_>) -> Result<Explain> {
    let mut explain = Explain::new();
    explain.label = request.optional(Reader::string)?;
    explain.method = method(request)?;
    Ok(explain)
}

fn method(request: &mut Reader<'_>) -> Result<ExplainMethod> {
    match request.byte()? {
        0 => Ok(ExplainMethod::ClassActivation),
        1 => Ok(ExplainMethod::Occlusion),
        other => Err(unknown("a method", other.into())),
    }
}

pub(super) fn heatmap(request: &[u8]) -> Result<Heatmap> {
    let mut request = Reader::new(request);
    let mut heatmap = Heatmap::default();
    (heatmap.label, heatmap.method) = (request.string()?, method(&mut request)?);
    (heatmap.width, heatmap.height) = (request.size("width")?, request.size("height")?);
    heatmap.values = request.list(Reader::float)?;
    for number in heatmap.frame.as_flattened_mut() {
        *number = request.double()?;
    }
    heatmap.picture = [request.size("picture")?, request.size("picture")?];
    for edge in &mut heatmap.seen {
        *edge = request.double()?;
    }
    (heatmap.max, heatmap.evidence) = (request.float()?, request.flag()?);
    request.end()?;
    Ok(heatmap)
}

fn source(request: &mut Reader<'_>) -> Result<Source> {
    match request.byte()? {
        0 => Ok(Source::Camera),
        1 => Ok(Source::File),
        other => Err(unknown("a source", other.into())),
    }
}

pub(super) fn frame(format: &[u8]) -> Result<Frame> {
    let mut format = Reader::new(format);
    let layout = match format.byte()? {
        0 => Layout::Encoded,
        1 => packed(PixelFormat::Rgb8, &mut format)?,
        2 => packed(PixelFormat::Rgba8, &mut format)?,
        3 => packed(PixelFormat::Bgra8, &mut format)?,
        4 => packed(PixelFormat::Gray8, &mut format)?,
        5 => yuv420(&mut format)?,
        other => return Err(unknown("a layout", other.into())),
    };
    let frame = Frame { layout, rotation: rotation(format.byte()?.into())?, mirrored: format.flag()? };
    format.end()?;
    Ok(frame)
}

fn packed(pixels: PixelFormat, format: &mut Reader<'_>) -> Result<Layout> {
    Ok(Layout::Packed {
        format: pixels,
        width: format.size("width")?,
        height: format.size("height")?,
        row_stride: format.size("row_stride")?,
    })
}

fn yuv420(format: &mut Reader<'_>) -> Result<Layout> {
    Ok(Layout::Yuv420 {
        width: format.size("width")?,
        height: format.size("height")?,
        strides: Strides {
            y_row: format.size("y_row")?,
            y_pixel: format.size("y_pixel")?,
            u_row: format.size("u_row")?,
            u_pixel: format.size("u_pixel")?,
            v_row: format.size("v_row")?,
            v_pixel: format.size("v_pixel")?,
        },
        matrix: match format.byte()? {
            0 => YuvMatrix::Bt601,
            1 => YuvMatrix::Bt709,
            other => return Err(unknown("a matrix", other.into())),
        },
        range: match format.byte()? {
            0 => YuvRange::Limited,
            1 => YuvRange::Full,
            other => return Err(unknown("a range", other.into())),
        },
    })
}

pub(super) fn rotation(number: i32) -> Result<Rotation> {
    match number {
        0 => Ok(Rotation::Upright),
        1 => Ok(Rotation::Clockwise90),
        2 => Ok(Rotation::Clockwise180),
        3 => Ok(Rotation::Clockwise270),
        other => Err(unknown("a rotation", other)),
    }
}

fn unknown(what: &str, number: i32) -> Error {
    Error::new(
        ErrorKind::Internal,
        format!("the Java side sent {number} for {what}: are jar and library of one version?"),
    )
}
