//! Parts that screens are made of.

pub mod address;
pub mod canvas;
pub mod field;
pub mod gauge;
pub mod laid;
pub mod lines;
pub mod modal;
pub mod number;
pub mod rendered;
pub mod scope;
pub mod severity;
pub mod sparkline;
pub mod table;
pub mod tabs;
pub mod toast;
pub mod wrap;
