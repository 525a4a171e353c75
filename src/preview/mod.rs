//! How a mail will look, and whether it is right: the room that the console's workbench, `verifydesk templates` and the
//! preview page are made from.
//!
//! Nothing in here opens a connection, ever: previews and checks work offline, and a link in a mail may be good for one
//! opening only.
//!
//! ```text
//! view.rs    how a mail program shows a mail: width, colour scheme, images, styles, Outlook
//! laid.rs    a mail laid out in cells
//! layout/    HTML and CSS → cells
//! dom/       a rendered mail as a tree with lines and styles: what the checks look at
//! fallback.rs HTML as text without layout, and a first text part
//! check/     the rules a verification mail is held to
//! ```

pub mod check;
pub mod dom;
pub mod fallback;
pub mod laid;
pub mod layout;
pub mod view;
