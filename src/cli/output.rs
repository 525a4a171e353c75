//! Standard output and standard error, whose readers may go away at any time.

use std::io::{self, IsTerminal as _, Write as _};

pub fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")
}

/// Text with its own ends of lines.
pub fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a line on stderr if that is possible: a program must not end because no one reads its remarks.
pub fn remark(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// How many columns a table may take: the terminal's, or any number where the output is none.
pub fn columns() -> usize {
    if io::stdout().is_terminal() {
        crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns).max(20))
    } else {
        usize::MAX
    }
}

/// Puts a line on stderr in the place of the one before; an empty one removes it. No one may be looking any more where it
/// is drawn, which stops nothing.
pub fn redraw(line: &str) {
    let mut err = io::stderr().lock();
    let _ = write!(err, "\r{line}\x1b[K");
    let _ = err.flush();
}

/// Whether a line can be redrawn: both outputs go to a terminal that can do so.
pub fn can_redraw() -> bool {
    io::stdout().is_terminal()
        && io::stderr().is_terminal()
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
