//! What is drawn around the views. Drawing changes nothing and cannot fail: every size has a picture, down to one cell and none.

pub mod banner;
pub mod deadline;
pub mod header;
pub mod layout;
pub mod notice;
