//! ONNX models with a manifest, which are opened and run. A model without a manifest gets one that fits it.

#![no_main]

use bedside::manifest::METADATA_KEY;
use bedside::{Classifier, Error, ErrorKind, Image, Options, Query};
use bedside_engine::Graph;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

/// The maximum number of pixels of an input that is run; models with larger inputs are only opened.
const MAX_PIXELS: u32 = 64 * 64;

fuzz_target!(init: fuzz::abort_unless_in_tract_import(), |data: &[u8]| fuzz::timed(|| run(data)));

fn run(data: &[u8]) {
    let Ok(mut graph) = Graph::from_bytes(data) else {
        assert!(Classifier::from_bytes(data, Options::default()).is_err());
        return;
    };
    let model = if graph.metadata(METADATA_KEY).is_some() {
        data.to_vec()
    } else {
        let manifest = fuzz::fitting::manifest(&graph);
        graph.set_metadata(METADATA_KEY, manifest.to_string());
        graph.to_bytes()
    };
    let _ = (graph.operators(), graph.parameters(), graph.opset(), graph.producer());
    let classifier = match Classifier::from_bytes(&model, Options::new()) {
        Ok(classifier) => classifier,
        Err(error) => return assert_not_internal(&error),
    };
    let input = classifier.manifest().input();
    if input.width * input.height > MAX_PIXELS {
        return;
    }
    let pixels: Vec<u8> = (0..12 * 9 * 3).map(|at| (at * 7) as u8).collect();
    let image = Image::rgb8(12, 9, 36, pixels).expect("whole rows");
    if let Err(error) = classifier.classify(&image, &Query::default()) {
        assert_not_internal(&error);
    }
}

fn assert_not_internal(error: &Error) {
    assert!(error.kind() != ErrorKind::Internal, "{error}");
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::written(&fuzz::onnx::mutate(&data[..size], max_size, seed), data, max_size)
});
