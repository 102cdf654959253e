//! What a query asks of a heatmap.

use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;
use crate::verdict::Class;
use crate::{Error, ErrorKind, Result};

/// A heatmap to be computed with a classification: of which label, and how.
///
/// ```
/// use bedside::{Explain, ExplainMethod};
///
/// let explain = Explain::new().label("melanoma");
/// assert_eq!((explain.label.as_deref(), explain.method), (Some("melanoma"), ExplainMethod::ClassActivation));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explain {
    /// The id of the label that the evidence is for. By default the first label of the verdict, and where the verdict has
    /// none, the most probable one.
    pub label: Option<String>,
    /// How the heatmap is computed; a class activation map by default.
    pub method: ExplainMethod,
}

impl Explain {
    /// A class activation map of the first label of the verdict.
    #[must_use]
    pub fn new() -> Explain {
        Explain::default()
    }

    /// Sets the label that the evidence is for, by its id.
    #[must_use]
    pub fn label(self, id: impl Into<String>) -> Explain {
        Explain { label: Some(id.into()), ..self }
    }

    /// Sets how the heatmap is computed.
    ///
    /// ```
    /// use bedside::{Explain, ExplainMethod};
    ///
    /// let explain = Explain::new().method(ExplainMethod::Occlusion);
    /// assert_eq!(explain.method.as_str(), "occlusion");
    /// ```
    #[must_use]
    pub fn method(self, method: ExplainMethod) -> Explain {
        Explain { method, ..self }
    }

    /// Checks the label and the method against the model's manifest.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`], whose text names the field.
    pub(crate) fn check(&self, manifest: &Manifest, classes: &[Class]) -> Result<()> {
        let invalid = |problem: String| Err(Error::new(ErrorKind::InvalidQuery, format!("explain: {problem}")));
        if let Some(id) = &self.label
            && members(classes, id).is_none()
        {
            let ids: Vec<&str> = classes.iter().map(|class| class.label.id.as_str()).collect();
            return invalid(format!("the model has no label `{id}`; it has {}", ids.join(", ")));
        }
        if self.method == ExplainMethod::ClassActivation && manifest.explanation().is_none() {
            return invalid(format!(
                "the manifest of {} has no `explanation`, which a class activation map needs; pack the model anew with \
                 `bedside pack`, or ask for the method `occlusion`",
                manifest.name()
            ));
        }
        Ok(())
    }
}

/// The indices of the output values whose labels make up the class with this id; `None` where the model has none.
pub(crate) fn members<'a>(classes: &'a [Class], id: &str) -> Option<&'a [usize]> {
    classes.iter().find(|class| class.label.id == id).map(|class| class.members.as_slice())
}

/// How a heatmap is computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExplainMethod {
    /// A class activation map (Zhou et al. 2016): the features before the pooling, weighted by the linear head. It comes
    /// from the run that gave the scores and costs next to nothing. It needs the manifest's `explanation`.
    ///
    /// The mean of the map plus the label's bias is the label's logit.
    #[default]
    ClassActivation,
    /// Occlusion (Zeiler and Fergus 2014): by how much the label's log-odds fall where a part of the input is covered
    /// with the input's mean colour. It serves every model and takes 64 more runs of the graph.
    Occlusion,
}

impl ExplainMethod {
    /// All methods, in the order of declaration.
    pub const ALL: &'static [ExplainMethod] = &[ExplainMethod::ClassActivation, ExplainMethod::Occlusion];

    /// The name of the method in reports and in other languages, in snake case.
    ///
    /// ```
    /// assert_eq!(bedside::ExplainMethod::ClassActivation.as_str(), "class_activation");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ExplainMethod::ClassActivation => "class_activation",
            ExplainMethod::Occlusion => "occlusion",
        }
    }
}

// `ALL` has every method: the discriminant of the last variant is the number of variants less one.
const _: () = assert!(ExplainMethod::ALL.len() == ExplainMethod::Occlusion as usize + 1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Activation, Color, Draft, Explanation, Input, Label, Output, Resize, ResizePolicy, Text};
    use crate::verdict::Rule;

    fn manifest(explanation: Option<Explanation>) -> Manifest {
        let input = Input::new(Color::Gray, (8, 8), Resize::new(ResizePolicy::Stretch), vec![0.5], vec![0.5]);
        let labels = ["a", "b"].map(|id| Label::new(id, Text::from([("en", id)])));
        let mut draft = Draft::new("tiny", "1", "CC0-1.0", input, Output::new(Activation::Softmax, labels.to_vec()));
        draft.explanation = explanation;
        Manifest::try_from(draft).expect("sound")
    }

    fn checked(explain: &Explain, manifest: &Manifest) -> Result<()> {
        explain.check(manifest, &Rule::of(manifest).classes)
    }

    #[test]
    fn check_refuses_a_class_activation_map_without_an_explanation() {
        let error = checked(&Explain::new(), &manifest(None)).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::InvalidQuery);
        assert!(error.to_string().contains("`explanation`") && error.to_string().contains("bedside pack"), "{error}");
        assert!(checked(&Explain::new().method(ExplainMethod::Occlusion), &manifest(None)).is_ok());
        assert!(checked(&Explain::new(), &manifest(Some(Explanation::new("features", "weights")))).is_ok());
    }

    #[test]
    fn check_refuses_a_label_that_the_model_lacks() {
        let explain = |label: &str| Explain::new().method(ExplainMethod::Occlusion).label(label);
        assert!(checked(&explain("b"), &manifest(None)).is_ok());
        let error = checked(&explain("c"), &manifest(None)).expect_err("refused");
        assert_eq!(error.to_string(), "explain: the model has no label `c`; it has a, b");
    }

    #[test]
    fn methods_are_written_by_their_names() {
        for method in ExplainMethod::ALL {
            assert_eq!(serde_json::to_value(method).expect("JSON"), method.as_str());
        }
    }
}
