//! What `bedside calibrate` fits, from plain rows.

mod eigen;
pub mod novelty;
