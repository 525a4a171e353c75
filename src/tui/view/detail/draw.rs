//! All about a user and one of their verifications: status, all mails with replies and events, key, times, the other
//! verifications, audit trail.

use ratatui::layout::Rect;

use super::{cursor, mails};

use crate::domain::Time;
use crate::domain::id::VerificationId;
use crate::domain::verdict::{Facts, Level};
use crate::domain::verification::{Counted, InAll, PROBABLY_SCANNED, Status, VerificationDetail};
use crate::domain::worker::OutboxView;
use crate::text::width;
use crate::tui::Model;
use crate::tui::model::{Link, View};
use crate::tui::screen::layout;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::audit::one_entry;
use crate::tui::view::empty::{self, State};
use crate::tui::view::pane::{Laid, Pane, Target, Targets};
use crate::tui::when;
use crate::tui::widget::address;
use crate::tui::widget::canvas::{Canvas, inset};
use crate::tui::widget::lines::Lines;
use crate::tui::widget::number::thousands;

/// The verification whose detail belongs on the screen.
#[must_use]
pub fn wanted(model: &Model) -> Option<VerificationId> {
    if let Some(wish) = &model.preview {
        return Some(wish.id);
    }
    match model.view {
        View::Account | View::Templates => None,
        View::Mail | View::Audit | View::Suppressed | View::Queue => model.opened,
        View::Verifications => {
            let pane = layout::whole(model).pane.width > 0;
            let selected = || model.verifications.selected().filter(|_| pane).map(|row| row.verification.id);
            model.opened.or_else(selected)
        }
    }
}

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let wanted = wanted(model);
    let detail = &model.detail;
    if wanted.is_some() && detail.missing {
        let gone = State::quiet("This verification no longer exists.").hint("Its user was deleted.");
        return empty::draw(canvas, area, &gone);
    }
    if let Some(problem) = detail.problem.as_ref().filter(|p| !p.away && wanted.is_some()) {
        return empty::draw(canvas, area, &State::problem(problem));
    }
    let laid = laid(model, canvas.theme, inset(area, 1).width);
    Pane::new(laid, model.detail.scroll, area.height, cursor::chosen(model)).draw(canvas, area);
}

/// The pane's lines, and where what can be opened from it is.
#[must_use]
pub fn laid(model: &Model, theme: &Theme, columns: u16) -> Laid {
    let mut lines = Lines::new(theme, columns);
    let Some(id) = wanted(model) else { return Laid::default() };
    if let Some(detail) = model.detail.data.as_deref().filter(|d| d.verification.id == id) {
        let targets = whole(&mut lines, model, theme, detail);
        return Laid { lines: lines.finish(), targets };
    }
    // What the list knows is shown at once; the rest follows.
    if let Some(row) =
        model.verifications.lists.iter().flat_map(|l| &l.items).map(|i| &i.row).find(|r| r.verification.id == id)
    {
        let detail = VerificationDetail {
            verification: row.verification.clone(),
            user: row.user.clone(),
            others: Vec::new(),
            sends: Vec::new(),
            other_sends: Vec::new(),
            in_all: InAll { verifications: Counted::of(1), mails: Counted::of(0) },
            audit: Vec::new(),
            suppression: None,
            act: None,
            is_oddly_opened: false,
        };
        head(&mut lines, model, theme, &detail);
        verification(&mut lines, model, theme, &detail);
    }
    lines.gap();
    let away = matches!(model.link, Link::Away { .. });
    lines.text(if away { "the rest comes when the database is back" } else { "loading…" }, Tone::Quiet);
    Laid { lines: lines.finish(), targets: Vec::new() }
}

fn whole(lines: &mut Lines<'_>, model: &Model, theme: &Theme, detail: &VerificationDetail) -> Targets {
    head(lines, model, theme, detail);
    verdict(lines, model, theme, detail);
    let mut targets = mails::draw(lines, model, theme, detail);
    verification(lines, model, theme, detail);
    targets.extend(verifications(lines, model, theme, detail));
    audit(lines, model, theme, detail);
    targets
}

fn head(lines: &mut Lines<'_>, model: &Model, theme: &Theme, detail: &VerificationDetail) {
    let user = &detail.user;
    let tone = if model.opened.is_some() { Tone::Here } else { Tone::Strong };
    address::explain(lines, theme, &user.email, tone);
    let dot = theme.glyphs().dot;
    let name = user.name.plain();
    let name = if name.as_str().is_empty() { "no name".to_owned() } else { name.into_string() };
    lines.text(&format!("{name} {dot} {} {dot} user {}", user.locale, user.id), Tone::Quiet);
    lines.gap();
    if user.delete_after.is_some() {
        lines.pieces(vec![(format!("{} being deleted", theme.glyphs().marks[1]), Tone::Bad)]);
        return;
    }
    let status = detail.verification.status(model.now);
    let (glyph, tone) = theme.status(status);
    let verification = &detail.verification;
    let (verb, time) = match status {
        Status::Pending => ("expires ", Some(verification.expires_at)),
        Status::Verified => ("", verification.verified_at),
        Status::Expired => ("", Some(verification.expires_at)),
        Status::Revoked => ("", verification.revoked_at),
    };
    let time = time.map(|time| format!(", {verb}{}", when::relative(time, model.now))).unwrap_or_default();
    lines.pieces(vec![(format!("{glyph} {status}"), tone), (time, Tone::Text)]);
}

/// What happened, and what to do now.
fn verdict(lines: &mut Lines<'_>, model: &Model, theme: &Theme, detail: &VerificationDetail) {
    let held_by = model.outbox.as_ref().and_then(OutboxView::why_waiting);
    let facts = Facts { detail, held_by: held_by.as_deref(), now: model.now };
    let verdict = facts.verdict(|at| when::relative(at, model.now));
    let (mark, tone) = match verdict.level {
        Level::Good => (theme.glyphs().marks[0], Tone::Good),
        Level::Calm => (theme.glyphs().dot, Tone::Text),
        Level::Warn => ("!", Tone::Warn),
        Level::Bad => (theme.glyphs().marks[1], Tone::Bad),
    };
    lines.marked(mark, &verdict.what, tone);
    lines.under(&verdict.advice, Tone::Strong);
    if model.replaced_by().is_some() && model.detail.chosen.is_none() {
        lines.under("Enter goes there.", Tone::Quiet);
    }
}

/// A time in figures, and how far away it is: on the same line where both fit.
pub(super) fn time(lines: &mut Lines<'_>, model: &Model, theme: &Theme, indent: usize, label: &str, time: Time) {
    let figures = when::absolute(time, model.setup.zone);
    let distance = when::relative(time, model.now);
    if lines.room(indent) >= width(&figures) + 3 + width(&distance) {
        let both = format!("{figures} {} {distance}", theme.glyphs().dot);
        lines.value_under(indent, label, &both, Tone::Text);
    } else {
        lines.value_under(indent, label, &figures, Tone::Text);
        lines.value_under(indent, "", &distance, Tone::Quiet);
    }
}

fn verification(lines: &mut Lines<'_>, model: &Model, theme: &Theme, detail: &VerificationDetail) {
    let verification = &detail.verification;
    lines.heading(&format!("Verification {}", verification.id));
    match &verification.key_fingerprint {
        Some(fingerprint) => lines.value("key", &format!("{fingerprint}{}", theme.glyphs().ellipsis), Tone::Text),
        None => lines.value("key", "not mailed yet", Tone::Quiet),
    }
    time(lines, model, theme, 0, "created", verification.created_at);
    // Of a link that is done with, no one asks when it would have been over.
    match verification.status(model.now) {
        Status::Pending => time(lines, model, theme, 0, "expires", verification.expires_at),
        Status::Expired => time(lines, model, theme, 0, "expired", verification.expires_at),
        Status::Verified | Status::Revoked => {}
    }
    match verification.opened_at {
        Some(opened_at) => time(lines, model, theme, 0, "opened", opened_at),
        None => lines.value("opened", "never", Tone::Quiet),
    }
    if detail.is_probably_scanned() {
        lines.value("", PROBABLY_SCANNED, Tone::Quiet);
    }
    if let Some(suppression) = &detail.suppression {
        let tone = if suppression.reason.is_some() { Tone::Bad } else { Tone::Quiet };
        lines.value("address", &suppression.in_words(|at| when::relative(at, model.now)), tone);
    }
    if let Some(act) = detail.act.as_ref().filter(|act| act.is_news(model.now)) {
        let at = when::relative(act.ended_at.unwrap_or(act.asked_at), model.now);
        let tone = if act.is_trouble() { Tone::Warn } else { Tone::Text };
        lines.value("at AWS", &format!("{}, {at}", act.in_words()), tone);
    }
    if let Some(verified_at) = verification.verified_at {
        time(lines, model, theme, 0, "verified", verified_at);
    }
    if let Some(revoked_at) = verification.revoked_at {
        time(lines, model, theme, 0, "revoked", revoked_at);
    }
}

/// All of the user's verifications, where there are several: newest first, each with its state.
fn verifications(lines: &mut Lines<'_>, model: &Model, theme: &Theme, detail: &VerificationDetail) -> Targets {
    let mut targets = Targets::new();
    if detail.others.is_empty() {
        return targets;
    }
    let all = detail.verifications();
    lines.heading(&format!("Verifications ({})", of_all(detail.in_all.verifications, all.len())));
    for one in all {
        let status = one.status(model.now);
        let (glyph, tone) = theme.status(status);
        let is_this = one.id == detail.verification.id;
        if !is_this {
            targets.push((lines.count(), Target::Verification(one.id)));
        }
        lines.pieces(vec![
            (format!(" {glyph} {status:<9}"), tone),
            (format!(" {}", one.id), Tone::Text),
            (if is_this { ", this one".into() } else { String::new() }, Tone::Quiet),
        ]);
        let key = one.key_fingerprint.as_ref().map_or_else(|| "not mailed".to_owned(), |f| format!("key {f}"));
        lines.under(&format!("{key}, created {}", when::relative(one.created_at, model.now)), Tone::Quiet);
    }
    targets
}

/// How many there are; and how many of them are here, where not all are.
pub(super) fn of_all(counted: Counted, shown: usize) -> String {
    let Counted { count, is_all } = counted;
    let all = if is_all { thousands(count) } else { format!("{}+", thousands(count)) };
    let is_cut = !is_all || usize::try_from(count).is_ok_and(|count| count > shown);
    if is_cut { format!("the newest {shown} of {all}") } else { all }
}

fn audit(lines: &mut Lines<'_>, model: &Model, theme: &Theme, detail: &VerificationDetail) {
    lines.heading("Audit trail");
    if detail.audit.is_empty() {
        lines.text("nothing yet", Tone::Quiet);
    }
    for entry in &detail.audit {
        one_entry(lines, model, theme, entry);
    }
}
