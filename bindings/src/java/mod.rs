//! Java, by JNI: the native methods of the class `dev.bedside.jni.Native`.
//!
//! A method takes numbers, a request (`wire`) and direct buffers, and returns a reply: how the call ended, then its
//! result or its error. So nothing here builds Java objects or throws, and no name of a Java field or constructor has
//! to survive a shrinker. Classifiers, pictures and cancel handles are held by number (`handles`).
//!
//! Only the log calls into Java.
//!
//! The Java classes and this library are separate files. `bindings/wire.txt` describes what each expects of the other,
//! and `protocol` returns its version.

#![allow(clippy::must_use_candidate, reason = "only Java calls these")]

mod logger;
mod reply;
mod request;
#[cfg(test)]
mod samples;
mod wire;

use std::sync::Arc;

use bedside::{CancelHandle, Classifier, Error, ErrorKind, Result, Window};
use jni::errors::ThrowRuntimeExAndDefault;
use jni::objects::{JByteArray, JByteBuffer, JClass, JObject};
use jni::{Env, EnvUnowned, jni_mangle};

use crate::frame::Frame;
use crate::guard::guarded;
use crate::handles::Handles;
use crate::picture::Picture;
use wire::{Reader, Writer};

static CLASSIFIERS: Handles<Classifier> = Handles::new();
static IMAGES: Handles<Picture> = Handles::new();
static CANCEL_HANDLES: Handles<CancelHandle> = Handles::new();

/// Why a call gives no result.
enum Failure {
    /// An error of the library.
    Error(Error),
    /// An object of the call was closed; its kind, for the message.
    Closed(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

/// The reply to a call that succeeded, or why there is no result.
type Outcome = Result<Writer, Failure>;

/// Runs a call and returns its reply. A panic becomes [`ErrorKind::Internal`].
fn answered<'caller>(
    mut env: EnvUnowned<'caller>,
    call: impl FnOnce(&mut Env<'caller>) -> Outcome,
) -> JByteArray<'caller> {
    let outcome = env.with_env(|env| -> jni::errors::Result<JByteArray<'caller>> {
        let reply = match guarded(|| Ok(call(env))).map_err(Failure::from).flatten() {
            Ok(mut result) => result.finish(),
            Err(Failure::Error(error)) => reply::failed(&error),
            Err(Failure::Closed(what)) => reply::closed(what),
        };
        env.byte_array_from_slice(&reply)
    });
    // Fails only where the JVM can't allocate the reply; a Java exception is pending then.
    outcome.resolve::<ThrowRuntimeExAndDefault>()
}

/// The bytes of a Java array.
fn bytes(env: &Env<'_>, array: &JByteArray<'_>) -> Result<Vec<u8>, Error> {
    env.convert_byte_array(array)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("a Java array can't be read: {error}")))
}

/// The bytes of a direct buffer, from its start to its capacity, without a copy; empty for null.
///
/// # Safety
/// The buffer must stay alive for `'a`. A buffer that is an argument stays alive until the native method returns. A
/// write into it by Java meanwhile is a data race, which the documentation forbids.
#[allow(unsafe_code, reason = "memory of the JVM, borrowed for one call")]
unsafe fn plane<'a>(env: &Env<'_>, buffer: &JByteBuffer<'_>) -> Result<&'a [u8], Error> {
    if buffer.is_null() {
        return Ok(&[]);
    }
    let unread = |error| Error::new(ErrorKind::Internal, format!("a buffer can't be read: {error}"));
    let length = env.get_direct_buffer_capacity(buffer).map_err(unread)?;
    if length == 0 {
        return Ok(&[]);
    }
    let address = env.get_direct_buffer_address(buffer).map_err(unread)?;
    // SAFETY: the JVM gives the address and length of memory that belongs to the buffer, which the caller keeps alive.
    Ok(unsafe { std::slice::from_raw_parts(address, length) })
}

/// The bytes of the three planes of a call.
#[allow(unsafe_code, reason = "see `plane`")]
fn planes<'a>(env: &Env<'_>, buffers: &'a [JByteBuffer<'_>; 3]) -> Result<[&'a [u8]; 3], Error> {
    let [first, second, third] = buffers;
    // SAFETY: the slices live no longer than the references to the buffers, which are arguments of the native method.
    unsafe { Ok([plane(env, first)?, plane(env, second)?, plane(env, third)?]) }
}

/// The reply to a call that makes an object: its handle.
fn kept<T>(table: &Handles<T>, object: T) -> Writer {
    reply::handle(table.keep(object).get() as i64)
}

/// The number of a handle in its table; 0, which no object has, where it can't be one.
fn number(handle: i64) -> usize {
    usize::try_from(handle).unwrap_or(0)
}

fn classifier(handle: i64) -> Result<Arc<Classifier>, Failure> {
    CLASSIFIERS.get(number(handle)).ok_or(Failure::Closed("classifier"))
}

fn image(handle: i64) -> Result<Arc<Picture>, Failure> {
    IMAGES.get(number(handle)).ok_or(Failure::Closed("image"))
}

fn cancel_handle(handle: i64) -> Result<Arc<CancelHandle>, Failure> {
    CANCEL_HANDLES.get(number(handle)).ok_or(Failure::Closed("cancel handle"))
}

/// `protocol()`: the version of the native methods, requests and replies. Java calls it before any other method.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn protocol<'caller>(_env: EnvUnowned<'caller>, _class: JClass<'caller>) -> i32 {
    wire::PROTOCOL
}

/// `openClassifier(byte[] request)`: path and options. The reply is the handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn open_classifier<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    request: JByteArray<'caller>,
) -> JByteArray<'caller> {
    answered(env, |env| {
        let request = bytes(env, &request)?;
        let mut request = Reader::new(&request);
        let (path, options) = (request.string()?, request::options(&mut request)?);
        request.end()?;
        Ok(kept(&CLASSIFIERS, Classifier::open(path, options)?))
    })
}

/// `classifierFromBytes(byte[] model, byte[] request)`: options. The reply is the handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn classifier_from_bytes<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    model: JByteArray<'caller>,
    request: JByteArray<'caller>,
) -> JByteArray<'caller> {
    answered(env, |env| {
        let request = bytes(env, &request)?;
        let mut request = Reader::new(&request);
        let options = request::options(&mut request)?;
        request.end()?;
        Ok(kept(&CLASSIFIERS, Classifier::from_bytes(bytes(env, &model)?, options)?))
    })
}

/// `classify(long classifier, long image, byte[] query)`. The reply is the report.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn classify<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    image_handle: i64,
    query: JByteArray<'caller>,
) -> JByteArray<'caller> {
    answered(env, |env| {
        let (classifier, image) = (classifier(handle)?, image(image_handle)?);
        let query = request::query(&bytes(env, &query)?)?;
        Ok(reply::report(&classifier.classify(&image.image()?, &query)?))
    })
}

/// `classifyPlanes(long classifier, ByteBuffer first, ByteBuffer second, ByteBuffer third, byte[] format, byte[]
/// query)`: direct buffers, whose whole capacity is the plane; null where the layout has one plane. The reply is the
/// report.
#[allow(clippy::too_many_arguments, reason = "the native method's own")]
#[jni_mangle("dev.bedside.jni.Native")]
pub fn classify_planes<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    first: JByteBuffer<'caller>,
    second: JByteBuffer<'caller>,
    third: JByteBuffer<'caller>,
    format: JByteArray<'caller>,
    query: JByteArray<'caller>,
) -> JByteArray<'caller> {
    answered(env, |env| {
        let classifier = classifier(handle)?;
        let (frame, query) = (format_of(env, &format)?, request::query(&bytes(env, &query)?)?);
        let buffers = [first, second, third];
        Ok(reply::report(&classifier.classify(&frame.image(planes(env, &buffers)?)?, &query)?))
    })
}

/// The frame that a request describes.
fn format_of(env: &Env<'_>, format: &JByteArray<'_>) -> Result<Frame, Error> {
    request::frame(&bytes(env, format)?)
}

/// `check(long classifier, byte[] query)`.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn check<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    query: JByteArray<'caller>,
) -> JByteArray<'caller> {
    answered(env, |env| {
        classifier(handle)?.check(&request::query(&bytes(env, &query)?)?)?;
        Ok(reply::done())
    })
}

/// `scopeReasons(long classifier, byte[] query)`. The reply is a list of reasons.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn scope_reasons<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    query: JByteArray<'caller>,
) -> JByteArray<'caller> {
    answered(env, |env| Ok(reply::reasons(&classifier(handle)?.scope_reasons(&request::query(&bytes(env, &query)?)?)?)))
}

/// `warmUp(long classifier)`.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn warm_up<'caller>(env: EnvUnowned<'caller>, _class: JClass<'caller>, handle: i64) -> JByteArray<'caller> {
    answered(env, |_| {
        classifier(handle)?.warm_up()?;
        Ok(reply::done())
    })
}

/// `selfTest(long classifier)`. The reply is the source of the golden scores and the largest difference, or nothing
/// where the model has no golden sample.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn self_test<'caller>(env: EnvUnowned<'caller>, _class: JClass<'caller>, handle: i64) -> JByteArray<'caller> {
    answered(env, |_| Ok(reply::self_test(classifier(handle)?.self_test()?)))
}

/// `scores(long classifier, long image)`. The reply is a list of floats.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn scores<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    image_handle: i64,
) -> JByteArray<'caller> {
    answered(env, |_| {
        let (classifier, image) = (classifier(handle)?, image(image_handle)?);
        Ok(reply::scores(&classifier.scores(&image.image()?)?))
    })
}

/// `manifest(long classifier, byte[] language)`. The reply is the model's description of itself.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn manifest<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    language: JByteArray<'caller>,
) -> JByteArray<'caller> {
    answered(env, |env| {
        let classifier = classifier(handle)?;
        let language = Reader::new(&bytes(env, &language)?).string()?;
        Ok(reply::manifest(classifier.manifest(), &language))
    })
}

/// `identity(long classifier)`. The reply is the model's name and version, and the graph's SHA-256.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn identity<'caller>(env: EnvUnowned<'caller>, _class: JClass<'caller>, handle: i64) -> JByteArray<'caller> {
    answered(env, |_| Ok(reply::identity(classifier(handle)?.identity())))
}

/// `loadTimesMs(long classifier)`. The reply is three doubles, in milliseconds: read, import, optimize.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn load_times_ms<'caller>(env: EnvUnowned<'caller>, _class: JClass<'caller>, handle: i64) -> JByteArray<'caller> {
    answered(env, |_| Ok(reply::load_times(&classifier(handle)?.load_times())))
}

/// `closeClassifier(long classifier)`.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn close_classifier<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
) -> JByteArray<'caller> {
    answered(env, |_| {
        CLASSIFIERS.close(number(handle));
        Ok(reply::done())
    })
}

/// `openImage(byte[] path)`. The reply is the handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn open_image<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    path: JByteArray<'caller>,
) -> JByteArray<'caller> {
    answered(env, |env| {
        let path = Reader::new(&bytes(env, &path)?).string()?;
        Ok(kept(&IMAGES, Picture::open(&path)?))
    })
}

/// `imageFromBytes(byte[] file)`. The reply is the handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn image_from_bytes<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    file: JByteArray<'caller>,
) -> JByteArray<'caller> {
    answered(env, |env| Ok(kept(&IMAGES, Picture::from_bytes(bytes(env, &file)?))))
}

/// `imageFromPlanes(ByteBuffer first, ByteBuffer second, ByteBuffer third, byte[] format)`. The reply is the handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn image_from_planes<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    first: JByteBuffer<'caller>,
    second: JByteBuffer<'caller>,
    third: JByteBuffer<'caller>,
    format: JByteArray<'caller>,
) -> JByteArray<'caller> {
    answered(env, |env| {
        let frame = format_of(env, &format)?;
        let buffers = [first, second, third];
        Ok(kept(&IMAGES, Picture::copied(planes(env, &buffers)?, frame)?))
    })
}

/// `rotated(long image, int rotation)`. The reply is the new picture's handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn rotated<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    rotation: i32,
) -> JByteArray<'caller> {
    answered(env, |_| Ok(kept(&IMAGES, image(handle)?.rotated(request::rotation(rotation)?))))
}

/// `mirrored(long image)`. The reply is the new picture's handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn mirrored<'caller>(env: EnvUnowned<'caller>, _class: JClass<'caller>, handle: i64) -> JByteArray<'caller> {
    answered(env, |_| Ok(kept(&IMAGES, image(handle)?.mirrored())))
}

/// `frame(long image, int number)`. The reply is the new picture's handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn frame<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    number: i32,
) -> JByteArray<'caller> {
    answered(env, |_| Ok(kept(&IMAGES, image(handle)?.frame(size("frame", number)?))))
}

/// A number of Java that must be at least 0.
fn size(name: &str, number: i32) -> Result<u32> {
    Reader::new(&number.to_be_bytes()).size(name)
}

/// `frames(long image)`. The reply is the number of frames.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn frames<'caller>(env: EnvUnowned<'caller>, _class: JClass<'caller>, handle: i64) -> JByteArray<'caller> {
    answered(env, |_| Ok(reply::count(image(handle)?.frames()?)))
}

/// `numberedWindow(long image, int number)`. The reply is the new picture's handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn numbered_window<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    number: i32,
) -> JByteArray<'caller> {
    answered(env, |_| {
        let window = Window::Number(size("window", number)?);
        Ok(kept(&IMAGES, image(handle)?.window(window)))
    })
}

/// `whole(long image)`. The reply is the new picture's handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn whole<'caller>(env: EnvUnowned<'caller>, _class: JClass<'caller>, handle: i64) -> JByteArray<'caller> {
    answered(env, |_| Ok(kept(&IMAGES, image(handle)?.whole())))
}

/// `shown(long image, int maxSide)`. The reply is a PNG.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn shown<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    max_side: i32,
) -> JByteArray<'caller> {
    answered(env, |_| Ok(reply::file(&image(handle)?.shown(size("max_side", max_side)?)?)))
}

/// `window(long image, double center, double width)`. The reply is the new picture's handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn window<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    center: f64,
    width: f64,
) -> JByteArray<'caller> {
    answered(env, |_| Ok(kept(&IMAGES, image(handle)?.window(Window::Values { center, width }))))
}

/// `overlay(long image, byte[] heatmap)`. The reply is the bytes of a PNG.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn overlay<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
    heatmap: JByteArray<'caller>,
) -> JByteArray<'caller> {
    answered(env, |env| {
        let (image, heatmap) = (image(handle)?, request::heatmap(&bytes(env, &heatmap)?)?);
        Ok(reply::file(&heatmap.overlay(&image.image()?)?))
    })
}

/// `closeImage(long image)`.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn close_image<'caller>(env: EnvUnowned<'caller>, _class: JClass<'caller>, handle: i64) -> JByteArray<'caller> {
    answered(env, |_| {
        IMAGES.close(number(handle));
        Ok(reply::done())
    })
}

/// `newCancelHandle()`. The reply is the handle.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn new_cancel_handle<'caller>(env: EnvUnowned<'caller>, _class: JClass<'caller>) -> JByteArray<'caller> {
    answered(env, |_| Ok(kept(&CANCEL_HANDLES, CancelHandle::new())))
}

/// `cancel(long cancelHandle)`.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn cancel<'caller>(env: EnvUnowned<'caller>, _class: JClass<'caller>, handle: i64) -> JByteArray<'caller> {
    answered(env, |_| {
        cancel_handle(handle)?.cancel();
        Ok(reply::done())
    })
}

/// `isCancelled(long cancelHandle)`. The reply is a flag.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn is_cancelled<'caller>(env: EnvUnowned<'caller>, _class: JClass<'caller>, handle: i64) -> JByteArray<'caller> {
    answered(env, |_| Ok(reply::flag(cancel_handle(handle)?.is_cancelled())))
}

/// `closeCancelHandle(long cancelHandle)`.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn close_cancel_handle<'caller>(
    env: EnvUnowned<'caller>,
    _class: JClass<'caller>,
    handle: i64,
) -> JByteArray<'caller> {
    answered(env, |_| {
        CANCEL_HANDLES.close(number(handle));
        Ok(reply::done())
    })
}

/// `setLogger(Logger logger, int level)`.
#[jni_mangle("dev.bedside.jni.Native")]
pub fn set_logger<'caller>(
    env: EnvUnowned<'caller>,
    class: JClass<'caller>,
    receiver: JObject<'caller>,
    level: i32,
) -> JByteArray<'caller> {
    answered(env, |env| {
        logger::set(env, &class, &receiver, level)?;
        Ok(reply::done())
    })
}

/// `PanicProbe.arm()`, in libraries built for tests: makes the next call panic.
#[cfg(feature = "test-panic")]
#[jni_mangle("dev.bedside.jni.PanicProbe")]
pub fn arm<'caller>(_env: EnvUnowned<'caller>, _class: JClass<'caller>) {
    crate::guard::probe::bedside_test_panic();
}
