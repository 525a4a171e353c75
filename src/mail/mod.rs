//! A mail from its words to the server that takes it: templates make the text, [`message`] makes the bytes,
//! [`transport`] hands them over and says exactly what became of them.

pub mod link;
pub mod made_of;
pub mod message;
pub mod sender;
pub mod templates;
pub mod transport;
pub mod verification;

mod header;
mod words;
