//! A manifest's JSON: read, checked, and compared with a graph.

#![no_main]

use std::sync::LazyLock;

use bedside::Manifest;
use bedside::tools::Binding;
use bedside_engine::ModelFile;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

/// The model that manifests are compared with.
static MODEL: LazyLock<ModelFile> = LazyLock::new(|| {
    let file = include_bytes!("../seeds/prepared_model/all-steps");
    ModelFile::from_bytes(file).expect("a sound model")
});

fuzz_target!(init: fuzz::abort_unless_in_tract_import(), |data: &[u8]| fuzz::timed(|| run(data)));

fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(manifest) = Manifest::from_json(text) else { return };
    let written = manifest.to_json();
    let again = Manifest::from_json(&written).expect("what is sound is sound when it is written and read again");
    assert_eq!(manifest, again);
    for language in ["uk", "en-GB", ""] {
        let _ = (manifest.title(language), manifest.intended_use().get(language));
    }
    let _ = Binding::new(&manifest, &MODEL);
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::written(&fuzz::json::mutate(&data[..size], max_size, seed), data, max_size)
});
