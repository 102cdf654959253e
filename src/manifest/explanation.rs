//! The field `explanation`: the tensors of the graph from which a heatmap is computed.

use serde::{Deserialize, Serialize};

use super::check::{CONTROL, ensure};
use crate::Result;

/// The tensors from which a class activation map is computed (Zhou et al. 2016). `bedside pack` finds them in a graph that
/// ends in a mean over height and width and one fully connected layer.
///
/// ```
/// use bedside::manifest::Explanation;
///
/// let explanation = Explanation::new("/features/18/Relu_output_0", "classifier.1.weight");
/// assert_eq!(explanation.weights, "classifier.1.weight");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The name of the tensor before the pooling, of batch × channels × height × width.
    pub features: String,
    /// The name of the initializer that holds the weights of the linear head.
    pub weights: String,
}

impl Explanation {
    /// An explanation from these tensors of the graph.
    #[must_use]
    pub fn new(features: impl Into<String>, weights: impl Into<String>) -> Explanation {
        Explanation { features: features.into(), weights: weights.into() }
    }

    /// Checks that the names are such.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidManifest`](crate::ErrorKind::InvalidManifest), whose text names the field.
    pub(super) fn check(&self) -> Result<()> {
        for (field, name) in [("explanation.features", &self.features), ("explanation.weights", &self.weights)] {
            ensure(!name.is_empty(), field, "is empty; leave `explanation` out, and `bedside pack` finds it")?;
            ensure(!name.contains(char::is_control), field, CONTROL)?;
        }
        Ok(())
    }
}
