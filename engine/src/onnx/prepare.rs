//! Compiles a graph to a prepared model. `prepared/` has the model and its file format.

use super::{Graph, build};
use crate::guard::guarded;
use crate::prepared::Prepared;
use crate::{Error, Result, Signature};

impl Prepared {
    /// Prepares a graph for one signature. The prepared model keeps the graph's hash and metadata.
    ///
    /// # Errors
    /// Those of [`Engine::build`](crate::Engine::build); [`Error::Unsupported`] names the operator, the node and the
    /// reason where the graph as a whole is not one program.
    pub fn of(graph: Graph, signature: &Signature) -> Result<Prepared> {
        guarded("import", || {
            let (sha256, metadata) = (graph.digest(), graph.all_metadata());
            let endings: Vec<_> = signature.outputs.iter().map(|name| graph.ending(name)).collect();
            let program = build::program(graph, signature)?;
            let prepared = Prepared::of_program(program, sha256, metadata, signature, endings);
            prepared.map_err(|what| Error::Unsupported(format!("the graph can't be prepared: {what}")))
        })
    }
}
