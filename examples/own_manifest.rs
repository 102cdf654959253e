//! Writes a manifest in Rust, checks it, and prints it as the JSON that `bedside pack` puts into a model file.
//!
//! ```console
//! $ cargo run --release -p bedside --example own_manifest > manifest.json
//! $ bedside pack graph.onnx --manifest manifest.json -o model.onnx
//! ```

use bedside::manifest::{Activation, Color, Draft, Input, Label, Output, Resize, ResizePolicy, ScopeQuestion, Text};
use bedside::{Manifest, Result, Triage};

fn main() -> Result<()> {
    println!("{}", manifest()?.to_json());
    Ok(())
}

fn manifest() -> Result<Manifest> {
    // How a picture becomes the input: as in the training's validation, here torchvision's usual one.
    let mut resize = Resize::new(ResizePolicy::Crop);
    resize.shorter_side = Some(256);
    let (mean, std) = (vec![0.485, 0.456, 0.406], vec![0.229, 0.224, 0.225]);
    let input = Input::new(Color::Rgb, (224, 224), resize, mean, std);

    // What the outputs mean, in the order of the graph's values. Choose operating points on pictures that were held
    // out of the training.
    let mut suspicious =
        Label::new("suspicious", Text::from([("en", "Suspicious lesion"), ("uk", "Підозріле новоутворення")]));
    suspicious.operating_point = Some(0.08);
    suspicious.triage = Triage::Urgent;
    let mut other = Label::new("other", Text::from([("en", "Other lesion"), ("uk", "Інше новоутворення")]));
    other.triage = Triage::NoSign;

    let mut draft =
        Draft::new("lesions", "1.0.0", "CC-BY-4.0", input, Output::new(Activation::Softmax, vec![suspicious, other]));
    draft.title = Text::from([("en", "Skin lesions")]);
    draft.intended_use = Text::from([("en", "To tell which lesions a dermatologist should look at first.")]);
    draft.not_for = Text::from([("en", "Nails, mucosa, scalp hair; persons under 18 years.")]);
    let mut age = ScopeQuestion::new("age");
    age.question = Text::from([("en", "How old is the person, in years?"), ("uk", "Скільки років людині?")]);
    age.required = true;
    age.min = Some(18.0);
    draft.scope = vec![age];

    // Nothing has been checked so far. This checks all fields, and its error names the one that is wrong.
    Manifest::try_from(draft)
}
