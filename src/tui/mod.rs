//! The console.

pub mod ansi;
pub mod canvas;
pub mod input;
pub mod signals;
pub mod surroundings;
pub mod terminal;
