//! The verifications: list, and detail beside it where there is room.
//!
//! ```text
//!     E-mail                 Name       Last mail              Expires    Id
//! > ○ mina.kim@example.com   김미나     ✓ delivered 2 min ago  in 2 h  40213
//! ```

use ratatui::text::{Line, Span};

use crate::domain::verification::{Status, VerificationRow};
use crate::text::width;
use crate::tui::Model;
use crate::tui::screen::layout::Layout;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::detail;
use crate::tui::view::empty::{self, State};
use crate::tui::view::list::{Item, List};
use crate::tui::view::rows;
use crate::tui::when;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::table::{Column, HIDDEN, NARROW, usual};
use crate::tui::widget::tabs::capital;

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, layout: &Layout) {
    if let Some(list) = model.verifications.list().filter(|_| layout.list.height > 0 && layout.list.width > 0) {
        table(canvas, model, list, layout);
    }
    if layout.pane.width > 0 {
        detail::draw(canvas, model, layout.pane);
    }
}

fn table(canvas: &mut Canvas<'_>, model: &Model, list: &List<VerificationRow>, layout: &Layout) {
    if list.items.is_empty() {
        empty::draw(canvas, layout.list, &nothing(model, list));
        return;
    }
    let columns = columns(list.tab, &list.items, layout.list.width);
    rows::draw(
        canvas,
        layout,
        list,
        &columns,
        model.opened.is_some(),
        |canvas, item, widths| cells(model, canvas.theme, list.tab, item, widths),
        |item| is_stale(model, list.tab, item),
    );
}

/// Whether a row no longer belongs into the list that it is shown in.
fn is_stale(model: &Model, tab: Option<Status>, item: &Item<VerificationRow>) -> bool {
    item.gone || tab.is_some_and(|status| status != item.row.verification.status(model.now))
}

fn columns(tab: Option<Status>, items: &[Item<VerificationRow>], room: u16) -> [Column; 6] {
    let narrow = room < NARROW;
    let wide_only = |least: u16| if narrow { HIDDEN } else { least };
    let time = match tab {
        None => "Created",
        Some(Status::Pending) => "Expires",
        Some(Status::Verified) => "Verified",
        Some(Status::Expired) => "Expired",
        Some(Status::Revoked) => "Revoked",
    };
    let longest = |text: fn(&VerificationRow) -> usize| items.iter().map(|item| text(&item.row)).max().unwrap_or(0);
    let cap = |n: usize, least: u16, most: u16| u16::try_from(n).unwrap_or(most).clamp(least, most);
    let email = usual(items.iter().map(|item| width(item.row.user.email.raw())));
    let name = usual(items.iter().map(|item| width(item.row.user.name.raw())));
    let id = longest(|row| row.verification.id.to_string().len());
    // Under its own tab every row has the same status, which the tab says.
    let (title, status) = if tab.is_none() { ("Status", 10) } else { ("", 1) };
    let status = Column { title, least: if narrow { 1 } else { status }, full: status, rank: 2, right: false };
    [
        status,
        Column {
            title: "E-mail",
            least: if narrow { 10 } else { cap(email, 18, 26) },
            full: cap(email, 24, 48),
            rank: 1,
            right: false,
        },
        Column { title: "Name", least: wide_only(8), full: cap(name, 8, 24), rank: 5, right: false },
        Column { title: "Last mail", least: if narrow { 1 } else { 12 }, full: 23, rank: 3, right: false },
        Column { title: time, least: wide_only(10), full: 11, rank: 4, right: false },
        Column { title: "Id", least: wide_only(cap(id, 2, 12)), full: cap(id, 2, 12), rank: 6, right: true },
    ]
}

fn cells(
    model: &Model,
    theme: &Theme,
    tab: Option<Status>,
    item: &Item<VerificationRow>,
    widths: &[u16],
) -> [Line<'static>; 6] {
    let VerificationRow { verification, user, last_send } = &item.row;
    let status = verification.status(model.now);
    let (glyph, tone) = theme.status(status);
    let word = if item.gone { "deleted" } else { status.as_str() };
    // A mark takes the place of the glyph: the tab or the word beside it says the status too.
    let is_marked = model.marks.contains(&verification.id);
    let (mark, mark_tone) = if is_marked { (theme.glyphs().marked, Tone::Here) } else { (glyph, tone) };
    let mut status_cell = vec![Span::styled(mark, theme.style(mark_tone))];
    if usize::from(widths[0]) > width(glyph) {
        status_cell.push(Span::styled(format!(" {word}"), theme.style(tone)));
    }
    let text = |text: String| Line::from(text);
    let mail = last_send.as_ref().map_or_else(
        || Line::styled(theme.glyphs().none, theme.style(Tone::Quiet)),
        |send| {
            let (glyph, tone) = theme.send(send.state);
            let short = format!("{glyph} {}", send.state);
            let ago = when::relative(send.changed_at, model.now);
            if usize::from(widths[3]) < width(&short) {
                return Line::styled(glyph, theme.style(tone));
            }
            let mut spans = vec![Span::styled(short.clone(), theme.style(tone))];
            if width(&short) + 1 + width(&ago) <= usize::from(widths[3]) {
                spans.push(Span::styled(format!(" {ago}"), theme.style(Tone::Quiet)));
            }
            Line::from(spans)
        },
    );
    let time = match tab {
        None => Some(verification.created_at),
        Some(Status::Pending | Status::Expired) => Some(verification.expires_at),
        Some(Status::Verified) => verification.verified_at,
        Some(Status::Revoked) => verification.revoked_at,
    };
    [
        Line::from(status_cell),
        text(user.email.plain().into_string()),
        text(user.name.plain().into_string()),
        mail,
        // The time that orders the list means nothing to a row that is no longer of it: there it says what it is now.
        if is_stale(model, tab, item) {
            Line::styled(word, theme.style(tone))
        } else {
            text(time.map_or_else(|| theme.glyphs().none.to_owned(), |time| when::relative(time, model.now)))
        },
        Line::styled(verification.id.to_string(), theme.style(Tone::Quiet)),
    ]
}

/// Why there are no rows.
fn nothing(model: &Model, list: &List<VerificationRow>) -> State {
    empty::nothing(model, &model.verifications, list, ("verification", Status::as_str), |tab| match tab {
        None => State::quiet("No one has signed up yet.").hint("Press n to sign someone up."),
        Some(Status::Pending) => State::quiet("No one is waiting for verification.")
            .hint("Press n to sign someone up, 3 for those whose link has expired, 5 for all."),
        Some(status) => State::quiet(format!("No {status} verifications."))
            .hint(format!("{} come here as they do.", capital(status.as_str()))),
    })
}
