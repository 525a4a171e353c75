//! Logs of the services, on stderr. Never of the console: it owns the screen.

use std::io::{self, IsTerminal as _, Write};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

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
    let layer = fmt::layer()
        .with_writer(|| Heedless(io::stderr()))
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false);
    // Fails only if logging was started before, which then goes on.
    let _ = registry().with(layer.with_filter(filter.and(filter_fn(is_fit)))).try_init();
}

/// Amazon's SDK logs whole requests, which hold links, for those who ask it for details.
fn is_fit(what: &Metadata<'_>) -> bool {
    !what.target().starts_with("aws_") || *what.level() <= Level::WARN
}
