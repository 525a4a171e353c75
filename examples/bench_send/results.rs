//! The table that is printed.

use std::fmt;

use super::Run;

pub struct Results {
    mails: f64,
    senders: Vec<(&'static str, Vec<Run>)>,
}

impl Results {
    pub fn new(senders: &[&'static str], mails: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 mails")]
        Self { mails: mails as f64, senders: senders.iter().map(|&name| (name, Vec::new())).collect() }
    }

    pub fn add(&mut self, sender: usize, run: Run) {
        self.senders[sender].1.push(run);
    }

    /// The median of something over a sender's runs.
    fn median(&self, sender: usize, of: impl Fn(&Run) -> f64) -> f64 {
        let mut values: Vec<f64> = self.senders[sender].1.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn rate(&self, sender: usize) -> f64 {
        self.median(sender, |run| self.mails / run.seconds)
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:42} {:>7} {:>7} {:>9} {:>9} {:>9}   CPU µs a mail: {:>5} {:>10} {:>5}   {:>8}",
            "", "median", "best", "× source", "× kept", "× Django", "own", "PostgreSQL", "sink", "peak MiB"
        )?;
        for (sender, (name, runs)) in self.senders.iter().enumerate() {
            let rate = self.rate(sender);
            let best = runs.iter().map(|run| self.mails / run.seconds).fold(0.0, f64::max);
            let micros = |of: fn(&Run) -> f64| self.median(sender, of) / self.mails * 1e6;
            let peak = self.median(sender, |run| run.peak.unwrap_or(f64::NAN));
            writeln!(
                f,
                "{name:42} {rate:7.0} {best:7.0} {:9.2} {:9.2} {:9.2}                  {:5.0} {:10.0} {:5.0}   {peak:8.1}",
                rate / self.rate(0),
                rate / self.rate(1),
                rate / self.rate(2),
                micros(|run| run.own),
                micros(|run| run.postgres),
                micros(|run| run.sink),
            )?;
        }
        writeln!(f, "\nmails a second; ratios of medians; CPU by the median run")
    }
}
