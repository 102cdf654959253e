//! The signature of an engine: the input and the outputs that a graph is built for. Whoever builds the engine checks it
//! against the graph.

/// The input, its shape, and the outputs that an engine is built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the input.
    pub input: String,
    /// The shape of the input, in the graph's order of axes, batch included.
    pub shape: Vec<usize>,
    /// The names of the outputs, in the order in which [`Engine::run`](crate::Engine::run) returns them.
    pub outputs: Vec<String>,
}
