//! Parts that screens are made of.

pub mod canvas;
pub mod field;
pub mod gauge;
pub mod laid;
pub mod number;
pub mod sheet;
pub mod table;
pub mod tabs;
pub mod toast;
pub mod wrap;
