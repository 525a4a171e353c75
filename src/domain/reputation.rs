//! How mail is received: the rates by which the brake judges the last mails, and the last 24 hours.

/// Fewer results than this say nothing about a rate.
pub const RESULTS_MIN: i64 = 50;

/// From which parts of 1 on AWS looks into an account, and may pause it (SES developer guide, reputation messages).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    pub review: f64,
    pub pause: f64,
}

pub const BOUNCES: Thresholds = Thresholds { review: 0.05, pause: 0.1 };
pub const COMPLAINTS: Thresholds = Thresholds { review: 0.001, pause: 0.005 };

/// How many hours are looked back.
pub const HOURS: usize = 24;

/// The rates of the last mails beside their limits, and the last 24 hours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reputation {
    /// Mails that SES took since the brake was last released, as many of the last as the limits are for at most.
    pub sends: i64,
    /// Of so many of the last mails the limits are.
    pub window: i64,
    pub bounces: Rate,
    pub complaints: Rate,
    /// The oldest first, the present one last.
    pub hours: Vec<Hour>,
}

/// How many of the last mails ended in some way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    pub count: i64,
    /// Of so many.
    pub of: i64,
    /// From which part of 1 on nothing goes out any more, by this host's settings.
    pub limit: f64,
}

/// What happened in an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    pub sent: i64,
    pub bounced: i64,
    pub complained: i64,
    /// Given up, or rejected by SES.
    pub failed: i64,
}

impl Reputation {
    /// Whether there are enough results for a rate to say something.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.sends >= RESULTS_MIN.min(self.window)
    }

    /// The last 24 hours together.
    #[must_use]
    pub fn day(&self) -> Hour {
        self.hours.iter().fold(Hour::default(), |sum, hour| Hour {
            sent: sum.sent + hour.sent,
            bounced: sum.bounced + hour.bounced,
            complained: sum.complained + hour.complained,
            failed: sum.failed + hour.failed,
        })
    }
}

impl Rate {
    /// As a part of 1.
    #[must_use]
    pub fn part(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let part = self.count as f64 / self.of.max(1) as f64;
        part
    }

    /// How near the limit it is, which is 1.
    #[must_use]
    pub fn of_limit(self) -> f64 {
        if self.limit > 0.0 { self.part() / self.limit } else { 0.0 }
    }

    /// "2.9 % of 5 %"
    #[must_use]
    pub fn in_words(self) -> String {
        format!("{} of {}", percent(self.part()), percent(self.limit))
    }
}

/// "2.9 %", "5 %"; "0.04 %" where a limit is as low as that.
#[must_use]
pub fn percent(part: f64) -> String {
    let digits = if part < 0.01 { format!("{:.2}", part * 100.0) } else { format!("{:.1}", part * 100.0) };
    format!("{} %", digits.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_beside_their_limits() {
        let table = [
            (29, 1_000, 0.05, "2.9 % of 5 %", 0.58),
            (50, 1_000, 0.05, "5 % of 5 %", 1.0),
            (1, 1_000, 0.003, "0.1 % of 0.3 %", 1.0 / 3.0),
            (0, 0, 0.05, "0 % of 5 %", 0.0),
            (2, 5_000, 0.003, "0.04 % of 0.3 %", 0.0004 / 0.003),
            (1_000, 1_000, 1.0, "100 % of 100 %", 1.0),
        ];
        for (count, of, limit, words, near) in table {
            let rate = Rate { count, of, limit };
            assert_eq!(rate.in_words(), words);
            assert!((rate.of_limit() - near).abs() < 1e-9, "{words}");
        }
    }

    #[test]
    fn a_few_mails_say_nothing() {
        let of = |sends, window| Reputation { sends, window, ..Reputation::default() }.is_enough();
        assert_eq!([of(49, 1_000), of(50, 1_000), of(10, 10), of(9, 10)], [false, true, true, false]);
    }
}
