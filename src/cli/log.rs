//! Logs of the services, on stderr. Never of the console: it owns the screen.

use std::io::{self, IsTerminal as _, Write};

use tracing_subscriber::EnvFilter;

/// stderr, whose reader may go away: a worker continues without its log.
struct Heedless(io::Stderr);

impl Write for Heedless {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts logging. `RUST_LOG` chooses what; by default what verifydesk itself has to say.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,verifydesk=info"));
    // Fails only if logging was started before, which then goes on.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Heedless(io::stderr()))
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .try_init();
}
