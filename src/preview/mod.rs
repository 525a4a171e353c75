//! How a mail will look, and whether it is right: the room that the console's workbench, `verifydesk templates` and the
//! preview page are made from.
//!
//! Nothing in here opens a connection, ever: previews and checks work offline, and a link in a mail may be good for one
//! opening only.
//!
//! ```text
//! view.rs    how a mail program shows a mail: width, colour scheme, images, styles, Outlook
//! layout/    HTML and CSS → cells
//! cell_layout.rs a mail laid out in cells
//! fallback.rs HTML as text without layout, and a first text part
//! dom/       a rendered mail as a tree with lines and styles: what the checks look at
//! check/     the rules a verification mail is held to
//! proof.rs   a template rendered and taken apart: what the workbench shows of it
//! as_sent.rs whether what is shown is what was sent
//! part_comparison.rs what both parts must say
//! inbox.rs   what an inbox shows before a mail is opened
//! mime.rs    the bytes that are sent, as a tree
//! page/      a page on this machine that shows a mail in a browser
//! render_pool.rs how many renderings run, and for how long
//! watch.rs   word of changes to templates' files
//! source.rs  a template's source in pieces, for colours
//! ```

pub mod as_sent;
pub mod cell_layout;
pub mod check;
pub mod dom;
pub mod fallback;
pub mod inbox;
pub mod layout;
pub mod mime;
pub mod page;
pub mod part_comparison;
pub mod proof;
pub mod render_pool;
pub mod source;
pub mod view;
pub mod watch;
