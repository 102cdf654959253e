//! What model makers need on a desktop, and phones never compile.
//!
//! [`statistics`] has the formulas by which a model is calibrated and evaluated: pure functions of numbers. They know
//! no files, manifests or models.

#![forbid(unsafe_code)]

pub mod statistics;
pub mod table;
