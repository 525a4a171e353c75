//! How mail is received, in words: by the desk's own data, and by AWS's count where it is known, beside the limits.

use super::{Bar, Fact, Level, PanelFacts, Scale, fact, troubled};
use crate::domain::Time;
use crate::domain::account::PanelKind;
use crate::domain::account::rates::{AwsRate, AwsRates};
use crate::domain::account::view::AccountView;
use crate::domain::number::thousands;
use crate::domain::reputation::{BOUNCES, COMPLAINTS, Rate, Thresholds, percent};

pub(super) fn panel(view: &AccountView, shown: &impl Fn(Time) -> String) -> PanelFacts {
    let (own, is_enough) = (&view.reputation, view.reputation.is_enough());
    let at_aws = view.rates().copied().unwrap_or_default();
    let of =
        |label, rate: Rate, at_aws: Option<AwsRate>, limits| received(label, rate, is_enough, (at_aws, limits), shown);
    let day = own.day();
    let words = format!(
        "{} sent, {} bounced, {} complained, {} failed",
        thousands(day.sent),
        thousands(day.bounced),
        thousands(day.complained),
        thousands(day.failed)
    );
    let mut facts = vec![
        of("bounces", own.bounces, at_aws.bounces, BOUNCES),
        of("complaints", own.complaints, at_aws.complaints, COMPLAINTS),
        fact("24 h", words, Level::Plain),
    ];
    let asked = view.panels.iter().find(|panel| panel.kind == PanelKind::Rates);
    let (missing, trouble) = asked.map(troubled).unwrap_or_default();
    if asked.is_some() && at_aws == AwsRates::default() && missing.is_none() {
        facts.extend(match (view.rates(), &trouble) {
            (Some(_), _) => Some(fact("AWS", "has counted nothing in 14 days", Level::Plain)),
            (None, None) => Some(fact("AWS", "has not answered yet", Level::Plain)),
            (None, Some(_)) => None,
        });
    }
    PanelFacts {
        title: "Reputation",
        subject: if at_aws == AwsRates::default() {
            "by the desk's own data"
        } else {
            "by our own data, and AWS's count"
        }
        .into(),
        seen_at: Some(view.as_of),
        is_own: true,
        missing,
        trouble,
        facts,
    }
}

/// Our rate with how many mails it rests on, and AWS's, beside the limits of AWS and of our brake.
fn received(
    label: &'static str,
    rate: Rate,
    is_enough: bool,
    (at_aws, limits): (Option<AwsRate>, Thresholds),
    shown: &impl Fn(Time) -> String,
) -> Fact {
    // From 1 on it never stops.
    let brake = Some(rate.limit).filter(|limit| (f64::MIN_POSITIVE..1.0).contains(limit));
    let (count, of) = (thousands(rate.count), thousands(rate.of));
    let mut words = if is_enough {
        format!("{}, {count} of the last {of} mails", percent(rate.part()))
    } else {
        format!("{count} of {of} mails: too few for a rate")
    };
    let mut bars = Vec::new();
    if is_enough {
        bars.push(bar("ours", rate.part(), limits, brake));
    }
    if let Some(AwsRate { part, at }) = at_aws {
        words = format!("{words}; AWS counts {} ({})", percent(part), shown(at));
        bars.push(bar("AWS", part, limits, None));
    }
    let level = bars.iter().map(|bar| bar.level).max().unwrap_or_default();
    let scale = (!bars.is_empty()).then(|| scale(bars, limits, brake));
    Fact { scale, ..fact(label, words, level) }
}

/// A rate as a part of where AWS may pause.
fn bar(name: &'static str, part: f64, limits: Thresholds, brake: Option<f64>) -> Bar {
    let level = match part {
        part if part >= limits.review || brake.is_some_and(|brake| part >= brake) => Level::Bad,
        part if part >= limits.review / 2.0 => Level::Look,
        _ => Level::Good,
    };
    Bar { name, part: part / limits.pause, level }
}

/// What is at the same part has one mark.
fn scale(bars: Vec<Bar>, limits: Thresholds, brake: Option<f64>) -> Scale {
    let mut at: Vec<(f64, &str)> = vec![(limits.review, "review"), (limits.pause, "pause")];
    at.extend(brake.filter(|brake| *brake <= limits.pause).map(|brake| (brake, "brake")));
    at.sort_by(|a, b| a.0.total_cmp(&b.0));
    let marks = at.chunk_by(|a, b| percent(a.0) == percent(b.0)).map(|same| {
        let names: Vec<&str> = same.iter().map(|(_, name)| *name).collect();
        (same[0].0 / limits.pause, format!("{} {}", names.join(", "), percent(same[0].0)))
    });
    let marks = marks.collect();
    let of_brake = brake.map_or_else(|| "is off".to_owned(), |brake| format!("at {}", percent(brake)));
    let (review, pause) = (percent(limits.review), percent(limits.pause));
    Scale { bars, marks, in_words: format!("AWS reviews at {review}, may pause at {pause}; our brake {of_brake}") }
}
