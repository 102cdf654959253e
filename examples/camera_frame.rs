//! Classifies a frame of a camera where it lies in memory, without a copy, and ends a classification that takes too
//! long from another thread.
//!
//! ```console
//! $ cargo run --release -p bedside --example camera_frame
//! ```

use std::thread;
use std::time::Duration;

use bedside::{
    Answer, CancelHandle, Classifier, ErrorKind, Image, Options, Query, Result, Rotation, Yuv420, YuvMatrix, YuvRange,
};

fn main() -> Result<()> {
    let classifier = Classifier::open("models/skin-lesion/model.onnx", Options::new())?;
    // The first run is slower than later ones: do it before the camera opens.
    classifier.warm_up()?;

    // A grey frame of 640×480 pixels in NV21: a plane of Y, then V and U alternating. The fields of `Yuv420` take the
    // three planes of Android's `Image` as they are.
    let (width, height) = (640, 480);
    let bytes = vec![128; 640 * 480 * 3 / 2];
    let frame = Yuv420::nv21(width, height, &bytes, YuvMatrix::Bt601, YuvRange::Full)?;
    // The camera's sensor lies on its side in the phone.
    let image = Image::yuv420(frame)?.rotated(Rotation::Clockwise90);

    let cancel = CancelHandle::new();
    let query =
        Query::new().answer("dermatoscope", Answer::Yes).answer("mole_like", Answer::Yes).cancel(cancel.clone());
    thread::spawn(move || {
        thread::sleep(Duration::from_secs(2));
        cancel.cancel();
    });
    match classifier.classify(&image, &query) {
        Ok(report) => println!("{}\n{}", report.summary, report.notice),
        Err(error) if error.kind() == ErrorKind::Cancelled => println!("not done within two seconds"),
        Err(error) => return Err(error),
    }
    Ok(())
}
