//! How many mails a second the worker sends, end to end: claim, render, MIME, SMTP, record; beside postfix's `smtp-source`
//! with mails of the same size, and beside Django's mail classes with the same templates over one open connection. All
//! of them send to one `smtp-sink`, in turns, and share the machine with it and with PostgreSQL.
//!
//! `make bench-send` runs it.

mod results;
mod stage;
mod usage;

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};

use results::Results;
use stage::{Sink, Site};
use usage::{Peak, Usage};

/// What is asked for on the command line.
struct Options {
    program: String,
    python: String,
    mails: usize,
    rounds: usize,
}

/// What one sender needed for its mails.
struct Run {
    seconds: f64,
    /// CPU seconds of the sender, of PostgreSQL and of the sink.
    own: f64,
    postgres: f64,
    sink: f64,
    /// The sender's largest resident set, in MiB, where it was watched.
    peak: Option<f64>,
}

const SENDERS: [&str; 4] = [
    "smtp-source, a connection a mail (-s 16)",
    "smtp-source, kept connections (-d -s 4)",
    "Django, one connection",
    "verifydesk worker --drain",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, python, mails, rounds] = arguments.as_slice() else {
        bail!("usage: bench_send VERIFYDESK PYTHON MAILS ROUNDS");
    };
    let options = Options {
        program: program.clone(),
        python: python.clone(),
        mails: mails.parse().context("MAILS is a number")?,
        rounds: rounds.parse().context("ROUNDS is a number")?,
    };
    let mut sink = Sink::start()?;
    let site = Site::new(&options.program, sink.port)?;
    let length = site.mail_size()?;
    println!("{} mails of {length} bytes a run, {} runs of each, in turns", options.mails, options.rounds);
    println!("{}", site.describe().await?);
    let mut results = Results::new(&SENDERS, options.mails);
    for round in 1..=options.rounds {
        for (sender, name) in SENDERS.iter().enumerate() {
            eprintln!("round {round}: {name}");
            let run = match sender {
                0 => smtp_source(&options, &sink, length, &["-s", "16"]),
                1 => smtp_source(&options, &sink, length, &["-d", "-s", "4"]),
                2 => django(&options, &sink),
                _ => worker(&options, &sink, &site).await,
            };
            let run = run.with_context(|| match sink.end() {
                Some(status) => format!("{name}: smtp-sink has ended with {status}"),
                None => (*name).to_owned(),
            })?;
            results.add(sender, run);
        }
    }
    print!("{results}");
    Ok(())
}

fn smtp_source(options: &Options, sink: &Sink, length: usize, how: &[&str]) -> anyhow::Result<Run> {
    let mut command = Command::new("smtp-source");
    command.args(how).args(["-l", &length.to_string(), "-m", &options.mails.to_string()]);
    command.args(["-f", "no-reply@example.org", "-t", "mina@example.com", "-M", "localhost"]);
    command.arg(format!("127.0.0.1:{}", sink.port));
    measured(command, sink, None).map(|(run, _)| run)
}

fn django(options: &Options, sink: &Sink) -> anyhow::Result<Run> {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new(&options.python);
    command.arg(format!("{root}/benches/django/send.py")).args(["--templates", &format!("{root}/templates")]);
    command.args(["--port", &sink.port.to_string(), "--count", &options.mails.to_string()]);
    let (mut run, said) = measured(command, sink, None)?;
    let said: serde_json::Value = serde_json::from_str(&said).context("send.py prints its time")?;
    run.seconds = said["seconds"].as_f64().context("send.py prints its time")?;
    Ok(run)
}

async fn worker(options: &Options, sink: &Sink, site: &Site) -> anyhow::Result<Run> {
    site.fill(options.mails).await?;
    // Such as `perf record -g`.
    let wrap = std::env::var("WRAP").unwrap_or_default();
    let mut words = wrap.split_whitespace().chain([options.program.as_str(), "worker", "--drain"]);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    site.settings(&mut command);
    let (run, _) = measured(command, sink, site.server())?;
    site.check(options.mails).await?;
    Ok(run)
}

/// Runs a sender to its end; gives what it needed and what it said.
fn measured(mut command: Command, sink: &Sink, postgres: Option<i32>) -> anyhow::Result<(Run, String)> {
    let usage = |pid: Option<i32>| pid.map_or(0.0, |pid| Usage::of(pid).seconds());
    let before = (Usage::of_children()?, usage(postgres), usage(Some(sink.pid())));
    let start = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?}"))?;
    let peak = Peak::watch(child.id());
    let output = child.wait_with_output()?;
    let seconds = start.elapsed().as_secs_f64();
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    let run = Run {
        seconds,
        own: Usage::of_children()?.seconds() - before.0.seconds(),
        postgres: usage(postgres) - before.1,
        sink: usage(Some(sink.pid())) - before.2,
        peak: peak.mib(),
    };
    Ok((run, String::from_utf8_lossy(&output.stdout).into_owned()))
}
