//! What model makers need on a desktop, and phones never compile.
//!
//! | module | what it has |
//! |---|---|
//! | [`statistics`] | the formulas by which a model is calibrated and evaluated: pure functions of numbers |
//! | [`calibrate`] | what is fitted to pictures that a model has not learned from |
//! | [`samplesize`] | how many patients a stated bound takes |
//! | [`table`] | reading the CSV files that say what pictures show, and what a model scored |
//! | [`calibrate`] | what is fitted after training: from rows of scores to a manifest's calibration, and to a page |
//! | [`evaluate`] | what a model does on labelled pictures: from rows to numbers, and to a page |
//! | [`plot`], [`page`] | plots as SVG, and a page of HTML that stands by itself |
//!
//! None of them knows manifests or runs a model.

#![forbid(unsafe_code)]

pub mod calibrate;
pub mod evaluate;
pub mod page;
pub mod plot;
pub mod samplesize;
pub mod statistics;
pub mod table;
