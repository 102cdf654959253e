//! The input and the outputs that a graph is built for.

/// What an engine is built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The input's name.
    pub input: String,
    /// The input's shape, batch included.
    pub shape: Vec<usize>,
    /// The outputs wanted, in the order in which [`Engine::run`](crate::Engine::run) gives them.
    pub outputs: Vec<String>,
}
