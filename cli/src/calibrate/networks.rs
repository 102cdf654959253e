//! The networks that look at pictures: the model, or those that stand in for it where it learned from them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bedside::manifest::Activation;

use super::{Arguments, Subject};
use crate::classes::labels;
use crate::labelled::Net;
use crate::output::Failure;
use crate::provenance::learned;

/// Which network looks at a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// One that did not learn from it.
    HeldOut,
    /// The one of the column `fold`, from 0 on, unless it learned from it.
    Fold(usize),
    /// The model, even if it learned from it.
    Model,
}

/// The networks that look at pictures.
pub(super) struct Networks {
    /// Those that look at labelled pictures, where there are several, and then the model.
    pub(super) all: Vec<Network>,
    /// Whether others stand in for the model.
    pub(super) are_folds: bool,
}

pub(super) struct Network {
    pub(super) net: Net,
    /// The first 16 hex digits of the SHA-256 of each picture that it learned from.
    pub(super) learned: BTreeSet<String>,
}

impl Network {
    /// The SHA-256 of its graph.
    fn graph(&self) -> &str {
        &self.net.classifier.identity().graph_sha256
    }
}

impl Networks {
    pub(super) fn open(
        arguments: &Arguments,
        subject: &Subject,
        tensors: &[String],
        has_column: bool,
    ) -> Result<Networks, Failure> {
        let are_folds = !arguments.folds.is_empty();
        let open = |path: &PathBuf, is_fold: bool| {
            let net = Net::open_observing(path, tensors, &[], arguments.threads)?;
            let wrong = |problem: &str| Failure::Usage(format!("{}: {problem}", path.display()));
            if labels(net.classifier.manifest()) != labels(&subject.manifest) {
                return Err(wrong("has other labels than the model"));
            }
            let learned = learned(net.classifier.manifest()).map_err(|problem| wrong(&problem))?;
            if is_fold && !has_column && learned.is_empty() {
                return Err(wrong(
                    "its `provenance.training_sha256` does not say what it learned from; add a column `fold` to the \
                     table of labels, with the number of the network that did not learn from the picture",
                ));
            }
            Ok(Network { net, learned })
        };
        let mut all: Vec<Network> = arguments.folds.iter().map(|path| open(path, true)).collect::<Result<_, _>>()?;
        all.push(open(&arguments.model, false)?);
        let networks = Networks { all, are_folds };
        networks.check_that_folds_differ(&arguments.folds)?;
        Ok(networks)
    }

    /// Fails where a network stands for two folds: it has learned from what one of them has not. The model may be one.
    fn check_that_folds_differ(&self, paths: &[PathBuf]) -> Result<(), Failure> {
        let mut known = BTreeSet::new();
        for (network, path) in self.all.iter().zip(paths) {
            if !known.insert(network.graph()) {
                return Err(Failure::Usage(format!("{}: is the network of another fold", path.display())));
            }
        }
        Ok(())
    }

    /// Whether a network is the model itself.
    pub(super) fn is_model(&self, network: usize) -> bool {
        self.all[network].graph() == self.all[self.all.len() - 1].graph()
    }

    /// Whether the graphs give logits, and no probabilities.
    pub(super) fn gives_logits(&self) -> bool {
        self.all.iter().all(|network| network.net.classifier.manifest().output().activation != Activation::None)
    }

    /// Those that look at labelled pictures.
    pub(super) fn held_out(&self) -> &[Network] {
        let count = self.all.len();
        if self.are_folds { &self.all[..count - 1] } else { &self.all }
    }

    /// The model itself.
    pub(super) fn model(&self) -> &Net {
        &self.all[self.all.len() - 1].net
    }

    /// The network that looks at a picture; none where all that might had learned from it.
    pub(super) fn of(&self, sha256: &str, which: Which) -> Option<usize> {
        match which {
            Which::Model => Some(self.all.len() - 1),
            Which::Fold(fold) => Some(fold).filter(|&fold| !self.all[fold].learned.contains(sha256)),
            Which::HeldOut => self.held_out().iter().position(|network| !network.learned.contains(sha256)),
        }
    }
}
