//! All about a verification: user, status, key, times, mails with replies and events, audit trail.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::Time;
use crate::domain::id::VerificationId;
use crate::domain::send::{SendEvent, SendRow};
use crate::domain::verdict::{Facts, Level};
use crate::domain::verification::{PROBABLY_SCANNED, Status, Verification, VerificationDetail};
use crate::domain::worker::OutboxView;
use crate::text::{Untrusted, width};
use crate::tui::Model;
use crate::tui::model::{Link, View};
use crate::tui::screen::layout;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::audit::one_entry;
use crate::tui::view::empty::{self, State};
use crate::tui::when;
use crate::tui::widget::address;
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::lines::Lines;

/// The verification whose detail belongs on the screen.
#[must_use]
pub fn wanted(model: &Model) -> Option<VerificationId> {
    match model.view {
        View::Queue | View::Templates => None,
        View::Mail | View::Audit => model.opened,
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
    let area = inset(area, 1);
    let lines = lines(model, canvas.theme, area.width);
    let most = lines.len().saturating_sub(usize::from(area.height));
    for (n, line) in (0..area.height).zip(lines.iter().skip(detail.scroll.min(most))) {
        canvas.line(row(area, n), line);
    }
}

#[must_use]
pub fn lines(model: &Model, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let mut lines = Lines::new(theme, columns);
    let Some(id) = wanted(model) else { return Vec::new() };
    if let Some(detail) = model.detail.data.as_deref().filter(|d| d.verification.id == id) {
        whole(&mut lines, model, theme, detail);
        return lines.finish();
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
            audit: Vec::new(),
            suppression: None,
            is_oddly_opened: false,
        };
        head(&mut lines, model, theme, &detail);
        verification(&mut lines, model, theme, &detail);
    }
    lines.gap();
    let away = matches!(model.link, Link::Away { .. });
    lines.text(if away { "the rest comes when the database is back" } else { "loading…" }, Tone::Quiet);
    lines.finish()
}

fn whole(lines: &mut Lines<'_>, model: &Model, theme: &Theme, detail: &VerificationDetail) {
    head(lines, model, theme, detail);
    verdict(lines, model, theme, detail);
    sends(lines, model, theme, &detail.sends);
    verification(lines, model, theme, detail);
    others(lines, model, theme, &detail.others);
    audit(lines, model, theme, detail);
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
    if model.replaced_by().is_some() {
        lines.under("Enter goes there.", Tone::Quiet);
    }
}

/// A time in figures, and how far away it is: on the same line where both fit.
fn time(lines: &mut Lines<'_>, model: &Model, theme: &Theme, indent: usize, label: &str, time: Time) {
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
    let expiry = if verification.status(model.now) == Status::Expired { "expired" } else { "expires" };
    time(lines, model, theme, 0, expiry, verification.expires_at);
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
    if let Some(verified_at) = verification.verified_at {
        time(lines, model, theme, 0, "verified", verified_at);
    }
    if let Some(revoked_at) = verification.revoked_at {
        time(lines, model, theme, 0, "revoked", revoked_at);
    }
}

fn sends(lines: &mut Lines<'_>, model: &Model, theme: &Theme, sends: &[SendRow]) {
    lines.heading(&format!("Mails ({})", sends.len()));
    if sends.is_empty() {
        lines.text("none yet", Tone::Quiet);
    }
    for (n, send) in sends.iter().enumerate() {
        if n > 0 {
            lines.gap();
        }
        one_send(lines, model, theme, send);
    }
}

/// A mail, with everything that is known of it.
pub fn one_send(lines: &mut Lines<'_>, model: &Model, theme: &Theme, send: &SendRow) {
    let (glyph, tone) = theme.send(send.state);
    lines.pieces(vec![
        (format!("{glyph} {}", send.state), tone),
        (format!("  {}", when::relative(send.changed_at, model.now)), Tone::Quiet),
    ]);
    let zone = model.setup.zone;
    let brief = |at| when::brief(at, model.now, zone);
    let indent = 2;
    if let Some(reason) = &send.reason {
        lines.value_under(indent, "reason", reason.plain().as_str(), Tone::Strong);
    }
    if send.is_possible_double() {
        lines.value_under(indent, "twice?", "an answer was lost; they may have got it more than once", Tone::Warn);
    }
    if let Some(at) = send.retry_at {
        time(lines, model, theme, indent, "next try", at);
    }
    for event in events_that_say_more(send) {
        let mut text = format!("{} {} {}", brief(event.occurred_at), theme.glyphs().dot, event.in_words(brief));
        for more in [event.detail.plain().into_string(), event.term()] {
            if !more.is_empty() {
                text = format!("{text} {} {more}", theme.glyphs().dot);
            }
        }
        lines.value_under(indent, "SES says", &text, Tone::Text);
    }
    if send.state.is_open() && send.due_at > model.now {
        time(lines, model, theme, indent, "due", send.due_at);
    }
    lines.value_under(indent, "queued", &brief(send.queued_at), Tone::Text);
    if send.attempts != 1 {
        lines.value_under(indent, "attempts", &send.attempts.to_string(), Tone::Text);
    }
    let id = send.ses_id.as_ref().map(|id| id.plain().into_string());
    // What SES answers where it accepts a mail is the mail's id, and nothing else.
    let is_id = |reply: &str| id.as_deref().is_some_and(|id| reply.starts_with("250") && reply.contains(id));
    if let Some(reply) = send.reply.as_ref().map(Untrusted::plain).filter(|reply| !is_id(reply.as_str())) {
        lines.value_under(indent, "reply", reply.as_str(), Tone::Text);
    }
    lines.value_under(indent, "SES id", id.as_deref().unwrap_or(theme.glyphs().none), Tone::Quiet);
}

/// That SES began is known where it has ended.
fn events_that_say_more(send: &SendRow) -> impl Iterator<Item = &SendEvent> {
    let is_all = send.events.iter().all(|event| event.kind.raw() == "Send");
    send.events.iter().filter(move |event| is_all || event.kind.raw() != "Send")
}

fn others(lines: &mut Lines<'_>, model: &Model, theme: &Theme, others: &[Verification]) {
    if others.is_empty() {
        return;
    }
    lines.heading(&format!("Other verifications ({})", others.len()));
    for other in others {
        let status = other.status(model.now);
        let (glyph, tone) = theme.status(status);
        let key = other.key_fingerprint.as_ref().map_or_else(|| "not mailed".to_owned(), |f| format!("key {f}"));
        lines.pieces(vec![(format!("{glyph} {status:<9}"), tone), (format!(" {}", other.id), Tone::Text)]);
        lines.under(&format!("{key}, created {}", when::relative(other.created_at, model.now)), Tone::Quiet);
    }
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
