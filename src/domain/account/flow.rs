//! What became of the mails: by day, and from the link to who is verified, also by the domains of their addresses.

use crate::domain::alert::PEOPLE_MIN;
use crate::domain::idn;
use crate::text::{Plain, Untrusted};

/// How many days are looked back.
pub const DAYS: usize = 14;

/// Up to how many mails in a state a day is counted.
pub const COUNTED_MAX: i64 = 20_000;

/// What became of the mails of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// All that SES took, whatever became of them.
    pub accepted: i64,
    pub delivered: i64,
    pub bounced: i64,
    pub complained: i64,
    pub rejected: i64,
}

/// A row of the chart of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    pub name: &'static str,
    pub is_bad: bool,
    pub counts: Vec<i64>,
}

impl Series {
    /// All days together.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.counts.iter().sum()
    }

    /// Whether a day has more than were counted.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.counts.iter().any(|count| *count >= COUNTED_MAX)
    }
}

/// The days as rows of a chart.
#[must_use]
pub fn series(days: &[Day]) -> [Series; 5] {
    let of = |name, is_bad, count: fn(&Day) -> i64| Series { name, is_bad, counts: days.iter().map(count).collect() };
    [
        of("accepted", false, |day| day.accepted),
        of("delivered", false, |day| day.delivered),
        of("bounced", true, |day| day.bounced),
        of("complained", true, |day| day.complained),
        of("rejected", true, |day| day.rejected),
    ]
}

/// How far the newest links came.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Funnel {
    pub made: i64,
    /// Of no more than so many it was looked.
    pub most: i64,
    /// Those of which SES took a mail, and so on.
    pub accepted: i64,
    pub delivered: i64,
    pub opened: i64,
    pub verified: i64,
    /// Seconds from the making of the link: the median, and that of 95 in 100.
    pub to_open: Option<(f64, f64)>,
    pub to_verify: Option<(f64, f64)>,
}

/// A step of the funnel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    pub name: &'static str,
    pub count: i64,
    pub times: Option<(f64, f64)>,
}

impl Funnel {
    /// From the link to who is verified.
    #[must_use]
    pub fn steps(&self) -> [Step; 5] {
        let step = |name, count, times| Step { name, count, times };
        [
            step("links", self.made, None),
            step("accepted", self.accepted, None),
            step("delivered", self.delivered, None),
            step("opened", self.opened, self.to_open),
            step("verified", self.verified, self.to_verify),
        ]
    }

    /// What part of all it is.
    #[must_use]
    pub fn part(&self, step: Step) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let part = step.count as f64 / self.made.max(1) as f64;
        part
    }
}

/// How far the newest links to a domain came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DomainFunnel {
    /// In lower case.
    pub domain: Untrusted,
    pub funnel: Funnel,
}

impl DomainFunnel {
    /// The domain in its own script.
    #[must_use]
    pub fn shown(&self) -> Plain {
        idn::shown(&self.domain)
    }

    /// Whether a step is reached by less than half as large a part as of all links, and that is no chance.
    #[must_use]
    pub fn is_low(&self, all: &Funnel, step: Step) -> bool {
        let of_all = all.steps().into_iter().find(|of| of.name == step.name).map_or(0.0, |of| all.part(of));
        self.funnel.made >= PEOPLE_MIN && self.funnel.part(step) < of_all / 2.0
    }
}

/// "40 s", "12 min", "3.2 h", "2 d"
#[must_use]
pub fn lasting(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_low_where_half_as_many_come_as_far() {
        let all = Funnel { made: 200, accepted: 200, delivered: 180, opened: 160, verified: 160, ..Funnel::default() };
        let table = [(20, 8, false), (20, 7, true), (19, 0, false), (100, 41, false), (100, 39, true), (0, 0, false)];
        for (made, opened, is_low) in table {
            let of = DomainFunnel { domain: "naver.com".into(), funnel: Funnel { made, opened, ..Funnel::default() } };
            let step = of.funnel.steps()[3];
            assert_eq!((step.name, of.is_low(&all, step)), ("opened", is_low), "{opened} of {made}");
            assert!(!of.is_low(&Funnel::default(), step), "nothing to compare it with");
        }
    }

    #[test]
    fn times_in_a_word() {
        let table = [(40.4, "40 s"), (120.0, "2 min"), (11_520.0, "3.2 h"), (216_000.0, "2.5 d")];
        for (seconds, words) in table {
            assert_eq!(lasting(seconds), words);
        }
    }
}
