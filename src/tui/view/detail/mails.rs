//! A user's mails: those of the verification that is shown in full, the others with what became of them.

use super::draw::{of_all, time};
use crate::domain::send::{SendEvent, SendRow};
use crate::domain::verification::VerificationDetail;
use crate::text::Untrusted;
use crate::tui::Model;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::pane::{Target, Targets};
use crate::tui::when;
use crate::tui::widget::lines::Lines;

pub(super) fn draw(lines: &mut Lines<'_>, model: &Model, theme: &Theme, detail: &VerificationDetail) -> Targets {
    let mails = detail.mails();
    lines.heading(&format!("Mails ({})", of_all(detail.in_all.mails, mails.len())));
    if mails.is_empty() {
        lines.text("none yet", Tone::Quiet);
    }
    let mut targets = Targets::new();
    let mut was_full = false;
    for (n, send) in mails.into_iter().enumerate() {
        let is_full = send.verification_id == Some(detail.verification.id);
        // What is one line needs no air from its like.
        if n > 0 && (is_full || was_full) {
            lines.gap();
        }
        was_full = is_full;
        targets.push((lines.count(), Target::Mail(send.id)));
        if is_full {
            in_full(lines, model, theme, send, " ");
        } else {
            in_short(lines, model, theme, send);
        }
        if send.recipient != detail.user.email && !send.recipient.is_empty() {
            lines.value_under(2, "to", send.recipient.plain().as_str(), Tone::Text);
        }
    }
    targets
}

/// What became of a mail of another verification, and of which.
fn in_short(lines: &mut Lines<'_>, model: &Model, theme: &Theme, send: &SendRow) {
    let (glyph, tone) = theme.send(send.state);
    let of = send.verification_id.map(|id| format!(" {} verification {id}", theme.glyphs().dot)).unwrap_or_default();
    lines.pieces(vec![
        (format!(" {glyph} {}", send.state), tone),
        (format!("  {}{of}", when::relative(send.happened_at(), model.now)), Tone::Quiet),
    ]);
    if let Some(result) = send.result() {
        lines.under(&result, Tone::Quiet);
    }
}

/// A mail, with everything that is known of it. `lead` is before its first line.
pub fn in_full(lines: &mut Lines<'_>, model: &Model, theme: &Theme, send: &SendRow, lead: &str) {
    let (glyph, tone) = theme.send(send.state);
    lines.pieces(vec![
        (format!("{lead}{glyph} {}", send.state), tone),
        (format!("  {}", when::relative(send.happened_at(), model.now)), Tone::Quiet),
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
