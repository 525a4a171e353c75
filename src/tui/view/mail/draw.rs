//! The mails: what became of each, and why.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::send::{SendRow, SendState};
use crate::domain::sort::{By, Sort};
use crate::tui::Model;
use crate::tui::screen::layout::Layout;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::detail;
use crate::tui::view::empty::{self, State};
use crate::tui::view::list::{Item, List};
use crate::tui::view::{rows, sort};
use crate::tui::when;
use crate::tui::widget::address;
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::lines::Lines;
use crate::tui::widget::table::{Column, HIDDEN, NARROW};
use crate::tui::widget::tabs::capital;

/// From how many columns on there is room for a recipient and the word for a state.
const WITH_WORDS: u16 = 44;

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, layout: &Layout) {
    if let Some(list) = model.mail.list().filter(|_| layout.list.height > 0 && layout.list.width > 0) {
        table(canvas, model, list, layout);
    }
    if layout.pane.width == 0 {
        return;
    }
    if model.opened.is_some() {
        detail::draw(canvas, model, layout.pane);
    } else {
        pane(canvas, model, layout.pane);
    }
}

fn table(canvas: &mut Canvas<'_>, model: &Model, list: &List<SendRow>, layout: &Layout) {
    if list.items.is_empty() {
        empty::draw(canvas, layout.list, &nothing(model, list));
        return;
    }
    let columns = columns(list, layout.list.width);
    rows::draw(
        canvas,
        (layout, model.now),
        list,
        &columns,
        model.row_open || model.opened.is_some(),
        |canvas, item, widths| cells(model, canvas.theme, item, widths[0]),
        |item| item.gone,
    );
}

fn columns(list: &List<SendRow>, room: u16) -> [Column; 6] {
    let narrow = room < NARROW;
    // Under its own tab every mail has the same state, which the tab says. Else its word, or its sign alone: there is
    // nothing in between.
    let (title, state) = if list.tab.is_some() { ("", 1) } else { ("State", if room < WITH_WORDS { 1 } else { 12 }) };
    // Where mails did not arrive, why is asked before when.
    let is_trouble = list.tab.is_some_and(|tab| !matches!(tab, SendState::Accepted | SendState::Delivered));
    let (why, when) = if is_trouble { (3, 4) } else { (4, 3) };
    let queued = sort::shown(list.sort, Sort { by: By::Queued, is_up: false });
    let cap = |n: usize, least: u16, most: u16| u16::try_from(n).unwrap_or(most).clamp(least, most);
    let [email, _, _] = list.wide.usual;
    let [longest_email, result, _] = list.wide.longest;
    [
        Column::new(title, if narrow { 1 } else { state }, state, 2),
        Column::new("Recipient", if narrow { 10 } else { cap(email, 18, 26) }, cap(email, 24, 36), 1)
            .more(cap(longest_email, 24, 48))
            .filling(),
        Column::new("Result", 20, cap(result, 20, 80), why).filling(),
        // What the list is in the order of; when something became of it, only where there is room.
        Column::new("Queued", if narrow { HIDDEN } else { 10 }, 11, when).sorted(queued.map(|sort| sort.is_up)),
        Column::new("Changed", if narrow { HIDDEN } else { 10 }, 11, 6),
        Column::new("Tries", 5, 5, 5).at_right(),
    ]
}

fn cells(model: &Model, theme: &Theme, item: &Item<SendRow>, state: u16) -> [Line<'static>; 6] {
    let send = &item.row;
    let (glyph, tone) = theme.send(send.state);
    // The word beside it, or the tab, says the state too.
    let is_marked = model.mail_marks.contains_key(&send.id);
    let (mark, mark_tone) = if is_marked { (theme.glyphs().marked, Tone::Here) } else { (glyph, tone) };
    let word = if item.gone { "moved on" } else { send.state.as_str() };
    let recipient = if send.recipient.is_empty() {
        Line::styled("(user deleted)", theme.style(Tone::Quiet))
    } else {
        let test = send.test_of.iter().map(|_| Span::styled("test ", theme.style(Tone::Key)));
        Line::from(test.chain(address::spans(theme, &send.recipient)).collect::<Vec<_>>())
    };
    [
        Line::from(vec![
            Span::styled(mark, theme.style(mark_tone)),
            Span::styled(if state < 12 { String::new() } else { format!(" {word}") }, theme.style(tone)),
        ]),
        recipient,
        Line::styled(send.result().unwrap_or_else(|| theme.glyphs().none.into()), theme.style(Tone::Quiet)),
        Line::from(if item.gone { word.to_owned() } else { when::relative(send.queued_at, model.now) }),
        Line::styled(when::relative(send.happened_at(), model.now), theme.style(Tone::Quiet)),
        Line::styled(send.attempts.to_string(), theme.style(Tone::Quiet)),
    ]
}

/// The selected mail beside the list, or alone on a narrow screen.
fn pane(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let area = inset(area, 1);
    let lines = detail_lines(model, canvas.theme, area.width);
    let most = lines.len().saturating_sub(usize::from(area.height));
    for (n, line) in (0..area.height).zip(lines.iter().skip(model.send_scroll.min(most))) {
        canvas.line(row(area, n), line);
    }
}

#[must_use]
pub fn detail_lines(model: &Model, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let Some(send) = model.mail.selected() else { return Vec::new() };
    let mut lines = Lines::new(theme, columns);
    if send.recipient.is_empty() {
        lines.text("(user deleted)", Tone::Strong);
    } else {
        address::explain(&mut lines, theme, &send.recipient, Tone::Strong);
    }
    match &send.test_of {
        Some(what) => lines.text(&format!("test of {}, {}", what.plain(), send.locale), Tone::Key),
        None => lines.text(&format!("verification mail, {}", send.locale), Tone::Quiet),
    }
    lines.gap();
    detail::mails::in_full(&mut lines, model, theme, send, "");
    lines.gap();
    lines.value("send", &send.id.to_string(), Tone::Quiet);
    if let Some(id) = send.verification_id {
        lines.value("for", &format!("verification {id}"), Tone::Text);
        lines.gap();
        lines.pieces(vec![("Enter".into(), Tone::Key), (" shows the user and all their mails.".into(), Tone::Quiet)]);
    }
    lines.finish()
}

/// Why there are no rows.
fn nothing(model: &Model, list: &List<SendRow>) -> State {
    empty::nothing(model, &model.mail, list, ("mail", SendState::as_str), |tab| match tab {
        None if model.mail.filter.only_job().is_some() => State::quiet("This bulk resend has mailed no one yet."),
        None => State::quiet("No mail has been queued yet.").hint("Sign-ups and resends come here."),
        Some(SendState::Queued) => State::quiet("No mail waits to be sent."),
        Some(SendState::Bounced) => State::quiet("No mail has bounced."),
        Some(state) => {
            State::quiet(format!("No mail is {state}.")).hint(format!("{} mails come here.", capital(state.as_str())))
        }
    })
}
