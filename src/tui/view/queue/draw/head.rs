//! What the eye meets first: whether mail flows, and if not who or what stopped it; pace, quota, how long it takes.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::amazon::{EventQueue, SesAccount};
use crate::domain::brake::{Brake, BrakeCause, BrakeState};
use crate::domain::hook;
use crate::domain::job::JobState;
use crate::domain::reputation::{Hour, Rate};
use crate::domain::worker::{OutboxView, QUEUED_MAX};
use crate::text::pad;
use crate::tui::Model;
use crate::tui::model::Link;
use crate::tui::theme::{Theme, Tone};
use crate::tui::when;
use crate::tui::widget::gauge::gauge;
use crate::tui::widget::lines::Lines;
use crate::tui::widget::number::{rate, thousands, up_to};
use crate::tui::widget::sparkline::sparkline;

/// Columns of a gauge, where there is room.
const GAUGE: u16 = 20;

/// Columns of a label and the gap behind it, as [`Lines`] has them.
const LABEL: usize = 10;

/// Under how many columns for values there are no labels.
const NARROW: usize = 14;

/// A glyph, its tone, and the word for how mail flows.
fn flow(model: &Model, theme: &Theme) -> (&'static str, Tone, &'static str) {
    let glyphs = theme.glyphs();
    let [_, bad, attention] = glyphs.marks;
    let Some(outbox) = &model.outbox else { return (glyphs.off, Tone::Quiet, "Not known yet") };
    let is_worked = outbox.workers.iter().any(|worker| worker.works(model.now));
    let waits = outbox.queued + outbox.sending > 0;
    match &outbox.brake {
        _ if matches!(model.link, Link::Away { .. }) => (glyphs.off, Tone::Quiet, "As last seen"),
        Some(Brake { state: BrakeState::Draining, .. }) => (attention, Tone::Warn, "DRAINING"),
        Some(Brake { cause: BrakeCause::Operator | BrakeCause::Quota | BrakeCause::Restored, .. }) => {
            (theme.job(JobState::Paused).0, Tone::Warn, "PAUSED")
        }
        Some(_) => (bad, Tone::Bad, "PAUSED"),
        None if outbox.pace.left() == Some(0) => (attention, Tone::Warn, "QUOTA USED UP"),
        None if !is_worked && model.worker_due().is_some() => (glyphs.off, Tone::Quiet, "A worker starts"),
        None if !is_worked && waits => (attention, Tone::Warn, "NO WORKER IS SENDING"),
        None if !is_worked => (glyphs.off, Tone::Quiet, "No worker is sending"),
        None if waits => (glyphs.on, Tone::Good, "Mail flows"),
        None => (glyphs.on, Tone::Good, "Ready to send"),
    }
}

/// How it feels that mail flows so.
#[must_use]
pub fn tone(model: &Model, theme: &Theme) -> Tone {
    flow(model, theme).1
}

/// The first line: how mail flows, how much is queued, is being sent, is unknown.
#[must_use]
pub fn state(model: &Model, theme: &Theme) -> Vec<Span<'static>> {
    let (glyph, tone, word) = flow(model, theme);
    let style = theme.style(tone).add_modifier(ratatui::style::Modifier::BOLD);
    let mut spans = vec![Span::styled(format!("{glyph} {word}"), style)];
    let Some(outbox) = &model.outbox else { return spans };
    let mut count = |number: String, word: &str, tone: Tone| {
        spans.push(Span::raw("   "));
        spans.push(Span::styled(number, theme.style(tone)));
        spans.push(Span::styled(format!(" {word}"), theme.style(Tone::Quiet)));
    };
    if outbox.queued + outbox.sending == 0 {
        count("nothing".into(), "queued", Tone::Quiet);
    } else {
        count(up_to(QUEUED_MAX, outbox.queued), "queued", Tone::Strong);
        count(thousands(outbox.sending), "sending", Tone::Strong);
    }
    if outbox.unknown > 0 {
        count(up_to(QUEUED_MAX, outbox.unknown), "unknown", Tone::Warn);
    }
    spans
}

/// The lines under it.
pub(super) fn lines(model: &Model, outbox: &OutboxView, theme: &Theme, area: Rect) -> Vec<Line<'static>> {
    let columns = area.width;
    let mut lines = Lines::new(theme, columns);
    if let Some(brake) = &outbox.brake {
        // A long one leaves the lists their half; the dialog that resumes and the audit log have the rest.
        stopped(&mut lines, model, brake, usize::from(area.height / 3).max(3));
    }
    let mut out = lines.finish();
    out.push(pace(model, outbox, theme, columns));
    out.extend(quota(model, outbox, theme, columns));
    out.extend(rates(outbox, theme, columns));
    out.push(to_go(outbox, theme));
    if outbox.unknown > 0 {
        let words = "may have gone out; Mail shows them";
        out.push(line("unknown", vec![Span::styled(words, theme.style(Tone::Quiet))], theme));
    }
    let mut lines = Lines::new(theme, columns);
    for alert in &outbox.alerts {
        let words = alert.in_words(|at| when::brief(at, model.now, model.setup.zone));
        lines.value_within("alert", &words, if alert.error.is_some() { Tone::Warn } else { Tone::Text }, 2);
    }
    if let Some(of) = &outbox.account {
        account(&mut lines, model, of);
    }
    for queue in &outbox.event_queues {
        events(&mut lines, model, queue);
    }
    if let Some(words) = outbox.webhook.in_words() {
        let hint = if outbox.webhook.waiting().next().is_some() { " (A approves)" } else { "" };
        let tone = if outbox.webhook.is_trouble() { Tone::Warn } else { Tone::Text };
        lines.value_within("webhook", &format!("{words}{hint}"), tone, 2);
    }
    let ago = |at| when::relative(at, model.now);
    if let Some((words, is_trouble)) = hook::in_words(&outbox.hooks, outbox.as_of, ago, " (w shows them)") {
        lines.value_within("site", &words, if is_trouble { Tone::Warn } else { Tone::Text }, 2);
    }
    out.extend(lines.finish());
    out
}

/// What SES says of the account.
fn account(lines: &mut Lines<'_>, model: &Model, account: &SesAccount) {
    if let Some(standing) = &account.standing {
        let tone = match (standing.can_send, standing.is_trouble() || standing.is_sandbox) {
            (false, _) => Tone::Bad,
            (_, true) => Tone::Warn,
            _ => Tone::Text,
        };
        lines.value_within("account", &standing.in_words(), tone, 2);
    }
    if let Some((error, since)) = &account.error {
        let clock = when::time_of_day(*since, model.setup.zone);
        lines.value_within("account", &format!("cannot be asked since {clock}: {}", error.plain()), Tone::Warn, 2);
    }
}

/// The queue that SES's events come by.
fn events(lines: &mut Lines<'_>, model: &Model, queue: &EventQueue) {
    if let Some((error, since)) = &queue.error {
        let clock = when::time_of_day(*since, model.setup.zone);
        lines.value_within("events", &format!("cannot be read since {clock}: {}", error.plain()), Tone::Bad, 2);
    } else {
        let tone = if queue.is_trouble() { Tone::Warn } else { Tone::Text };
        lines.value_within("events", &queue.in_words(), tone, 2);
    }
}

fn stopped(lines: &mut Lines<'_>, model: &Model, brake: &Brake, most: usize) {
    if lines.room(0) < NARROW {
        // Labels would push the words off.
        lines.text(brake.reason.plain().as_str(), Tone::Strong);
        return;
    }
    let clock = when::time_of_day(brake.set_at, model.setup.zone);
    let ago = when::relative(brake.set_at, model.now);
    lines.value_within("reason", brake.reason.plain().as_str(), Tone::Strong, most);
    lines.value("by", &format!("{}, {ago} ({clock})", brake.set_by.plain()), Tone::Text);
    if let Some(until) = brake.until {
        let clock = when::time_of_day(until, model.setup.zone);
        lines.value("until", &format!("{clock}, {}", when::relative(until, model.now)), Tone::Text);
    }
    if let Some(probe_at) = brake.probe_at {
        let clock = when::time_of_day(probe_at, model.setup.zone);
        let words =
            format!("{clock}, {}, with one mail; all follow when it is taken", when::relative(probe_at, model.now));
        lines.value("next try", &words, Tone::Text);
    }
    let then = if brake.state == BrakeState::Draining { "resumes it all" } else { "resumes sending" };
    lines.labelled(
        "then",
        vec![
            ("U".into(), Tone::Key),
            (format!(" {then}; so does "), Tone::Quiet),
            ("verifydesk queue resume".into(), Tone::Text),
        ],
    );
    lines.gap();
}

fn line(label: &str, value: Vec<Span<'static>>, theme: &Theme) -> Line<'static> {
    let mut spans = vec![Span::styled(pad(label, LABEL, ""), theme.style(Tone::Quiet))];
    spans.extend(value);
    Line::from(spans)
}

/// A gauge where there is room for it, and the words behind it.
fn gauged(theme: &Theme, columns: u16, part: f64, tone: Tone, words: Vec<Span<'static>>) -> Vec<Span<'static>> {
    let wide = match columns {
        0..44 => 0,
        44..60 => GAUGE / 2,
        60..74 => GAUGE / 2 + 2,
        _ => GAUGE,
    };
    let mut spans = if wide > 0 { gauge(theme, part, wide, tone) } else { Vec::new() };
    if wide > 0 {
        spans.push(Span::raw("  "));
    }
    spans.extend(words);
    spans
}

/// Mails a second of all that are at work, by their last heartbeats.
fn speed(model: &Model, outbox: &OutboxView) -> f64 {
    let rates = outbox.workers.iter().filter(|worker| worker.is_alive(model.now)).map(|worker| worker.rate);
    rates.filter(|rate| rate.is_finite() && *rate > 0.0).sum()
}

fn pace(model: &Model, outbox: &OutboxView, theme: &Theme, columns: u16) -> Line<'static> {
    let pace = &outbox.pace;
    let now = speed(model, outbox);
    let mut words = vec![
        Span::styled(rate(now), theme.style(Tone::Strong)),
        Span::styled(format!(" of {}", rate(pace.limit)), theme.style(Tone::Text)),
    ];
    let is_lowered = pace.rate < pace.limit;
    if is_lowered {
        let ago = pace.lowered_at.map(|at| format!(" {}", when::relative(at, model.now))).unwrap_or_default();
        words.push(Span::styled(format!("  lowered to {}{ago}", rate(pace.rate)), theme.style(Tone::Warn)));
    }
    let part = if pace.limit > 0.0 { now / pace.limit } else { 0.0 };
    let tone = if is_lowered { Tone::Warn } else { Tone::Good };
    line("pace", gauged(theme, columns, part, tone, words), theme)
}

fn quota(model: &Model, outbox: &OutboxView, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let pace = &outbox.pace;
    let Some((quota, left)) = pace.daily_quota.zip(pace.left()) else {
        let words = format!("no daily limit is set; {} in the last 24 h", thousands(pace.used));
        return vec![line("quota", vec![Span::styled(words, theme.style(Tone::Quiet))], theme)];
    };
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    let part = pace.used as f64 / quota.max(1) as f64;
    let tone = match part {
        _ if left == 0 => Tone::Bad,
        part if part >= 0.9 => Tone::Warn,
        _ => Tone::Good,
    };
    let used = format!("{} of {} in 24 h", thousands(pace.used), thousands(quota));
    let (after, after_tone) = if left == 0 {
        ("  used up".to_owned(), Tone::Bad)
    } else {
        (format!("  {} left", thousands(left)), Tone::Strong)
    };
    let words = vec![Span::styled(used, theme.style(Tone::Text)), Span::styled(after, theme.style(after_tone))];
    let mut out = vec![line("quota", gauged(theme, columns, part, tone, words), theme)];
    if left == 0 {
        let free = match pace.next_place_at {
            Some(at) => {
                let clock = when::time_of_day(at, model.setup.zone);
                format!("the next place comes free at {clock}, {}", when::relative(at, model.now))
            }
            None => "when a place comes free is not known".to_owned(),
        };
        out.push(line("", vec![Span::styled(free, theme.style(Tone::Strong))], theme));
    }
    out
}

/// From which part of a limit on a rate is worth a warning.
const NEAR: f64 = 0.6;

/// How near the limits the last mails are, from which on nothing goes out any more.
fn rates(outbox: &OutboxView, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let reputation = &outbox.reputation;
    if reputation.sends == 0 {
        return Vec::new();
    }
    if !reputation.is_enough() {
        let words = format!(
            "{} of {}: too few mails for a rate",
            thousands(reputation.bounces.count),
            thousands(reputation.sends)
        );
        return vec![line("bounces", vec![Span::styled(words, theme.style(Tone::Quiet))], theme)];
    }
    let one = |label: &str, rate: Rate| {
        let near = rate.of_limit();
        let tone = match near {
            near if near >= 1.0 => Tone::Bad,
            near if near >= NEAR => Tone::Warn,
            _ => Tone::Good,
        };
        let count = format!("  {} of the last {}", thousands(rate.count), thousands(rate.of));
        let strong = if tone == Tone::Good { Tone::Text } else { tone };
        let words =
            vec![Span::styled(rate.in_words(), theme.style(strong)), Span::styled(count, theme.style(Tone::Quiet))];
        line(label, gauged(theme, columns, near, tone, words), theme)
    };
    vec![one("bounces", reputation.bounces), one("spam", reputation.complaints)]
}

/// The last 24 hours, a column an hour: what was sent, and what ended badly.
pub(super) fn day(outbox: &OutboxView, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let (hours, day) = (&outbox.reputation.hours, outbox.reputation.day());
    if hours.is_empty() || usize::from(columns) < LABEL + hours.len() + BAR_WORDS {
        return Vec::new();
    }
    let one = |label: &str, of: fn(&Hour) -> i64, count: i64, words: String, tone: Tone| {
        let bars = sparkline(theme, &hours.iter().map(of).collect::<Vec<_>>());
        let tone = if count > 0 { tone } else { Tone::Quiet };
        let spans =
            vec![Span::styled(bars, theme.style(tone)), Span::styled(format!("  {words}"), theme.style(Tone::Text))];
        line(label, spans, theme)
    };
    let bad = day.bounced + day.complained + day.failed;
    let parts = [(day.bounced, "bounced"), (day.complained, "complained"), (day.failed, "failed")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, word)| format!("{} {word}", thousands(count))).collect();
    let parts = if bad == 0 { "nothing bounced or failed".to_owned() } else { parts.join(", ") };
    vec![
        one("24 h", |hour| hour.sent, day.sent, format!("{} sent", thousands(day.sent)), Tone::Good),
        one("", |hour| hour.bounced + hour.complained + hour.failed, bad, parts, Tone::Bad),
    ]
}

/// Columns that the words behind the bars need.
const BAR_WORDS: usize = 28;

/// How many mails are to go out.
#[must_use]
pub fn mails_to_go(outbox: &OutboxView) -> String {
    format!("{}{}", thousands(outbox.to_go()), if outbox.queued > QUEUED_MAX { "+" } else { "" })
}

fn to_go(outbox: &OutboxView, theme: &Theme) -> Line<'static> {
    let total = outbox.to_go();
    let (strong, text, quiet) = (theme.style(Tone::Strong), theme.style(Tone::Text), theme.style(Tone::Quiet));
    if total == 0 {
        return line("to go", vec![Span::styled("nothing", quiet)], theme);
    }
    let is_more = outbox.queued > QUEUED_MAX;
    let mails = format!("{} {}", mails_to_go(outbox), if total == 1 { "mail" } else { "mails" });
    let left = outbox.pace.left().filter(|left| *left < total);
    if left == Some(0) {
        return line("to go", vec![Span::styled(mails, strong), Span::styled(", as places come free", text)], theme);
    }
    let time = when::about(outbox.pace.seconds_for(total));
    let held = outbox.brake.as_ref().is_some_and(|brake| brake.state == BrakeState::Paused);
    let mut words = vec![
        Span::styled(if is_more { format!("{time} at least") } else { time }, strong),
        Span::styled(format!(" for {mails}{}", if held { ", once it flows" } else { "" }), text),
    ];
    words
        .extend(left.map(|left| Span::styled(format!("; {} fit the quota", thousands(left)), theme.style(Tone::Warn))));
    line("to go", words, theme)
}
