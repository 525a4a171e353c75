//! The verifications: list, and detail beside it where there is room.
//!
//! ```text
//!     E-mail                 Name       Last mail              Expires    Id
//! > ○ mina.kim@example.com   김미나     ✓ delivered 2 min ago  in 2 h  40213
//! ```

use ratatui::text::{Line, Span};

use crate::domain::sort::{By, Sort};
use crate::domain::verdict::SHORT_WIDTH;
use crate::domain::verification::{Status, VerificationRow};
use crate::text::width;
use crate::tui::Model;
use crate::tui::screen::layout::Layout;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::detail;
use crate::tui::view::empty::{self, State};
use crate::tui::view::list::{Item, List};
use crate::tui::view::{rows, sort};
use crate::tui::when;
use crate::tui::widget::address;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::table::{Column, GAP, HIDDEN, MARKER, NARROW};
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
    let columns = columns(list, layout.list.width);
    rows::draw(
        canvas,
        (layout, model.now),
        list,
        &columns,
        model.opened.is_some(),
        |canvas, item, widths| cells(model, canvas.theme, list, item, widths),
        |item| is_stale(model, list.tab, item),
    );
}

/// Whether a row no longer belongs into the list that it is shown in.
fn is_stale(model: &Model, tab: Option<Status>, item: &Item<VerificationRow>) -> bool {
    item.gone || tab.is_some_and(|status| status != item.row.verification.status(model.now))
}

/// Which time a list shows: the one that it is in the order of, or else its own.
fn time_of(list: &List<VerificationRow>) -> By {
    let by = list.sort.map(|sort| sort.by).filter(|by| *by != By::Email);
    by.unwrap_or_else(|| By::default_of(list.tab))
}

/// What a distance in time takes at most, and the space before it.
const AGO: u16 = 11;

fn columns(list: &List<VerificationRow>, room: u16) -> [Column; 6] {
    let narrow = room < NARROW;
    let wide_only = |least: u16| if narrow { HIDDEN } else { least };
    let (time, time_least) = match (time_of(list), list.tab) {
        (By::Verified, _) => ("Verified", 10),
        (By::Revoked, _) => ("Revoked", 10),
        (By::Expires, Some(Status::Expired)) => ("Expired", 10),
        // In less than four days.
        (By::Expires, _) => ("Expires", 9),
        _ => ("Created", 10),
    };
    let sort = sort::shown(list.sort, Sort::default_of(list.tab));
    let [by_email, by_time] = [true, false]
        .map(|is_by_email| sort.filter(|sort| (sort.by == By::Email) == is_by_email).map(|sort| sort.is_up));
    let cap = |n: usize, least: u16, most: u16| u16::try_from(n).unwrap_or(most).clamp(least, most);
    let [email, name, _] = list.wide.usual;
    let [longest_email, longest_name, _] = list.wide.longest;
    let id = list.items.iter().map(|item| width(&item.row.verification.id.to_string())).max().unwrap_or(0);
    // Under its own tab every row has the same status, which the tab says.
    let (title, status) = if list.tab.is_none() && !narrow { ("Status", 10) } else { ("", 1) };
    let became = became(list);
    let mut columns = [
        Column::new(title, status, status, 2),
        Column::new("E-mail", if narrow { 10 } else { cap(email, 18, 24) }, cap(email, 24, 48), 1)
            .more(cap(longest_email, 24, 48))
            .filling()
            .sorted(by_email),
        Column::new("Name", wide_only(8), cap(name, 8, 24), 4).more(cap(longest_name, 8, 24)),
        Column::new("Last mail", if narrow { 1 } else { became }, became, 3),
        Column::new(time, wide_only(time_least), 11, 5).sorted(by_time),
        Column::new("Id", wide_only(cap(id, 2, 12)), cap(id, 2, 12), 6).at_right(),
    ];
    // With the time, or all of them without.
    let needed: u16 = columns.iter().map(|column| column.full + GAP).sum();
    if !narrow && room >= needed + MARKER + AGO {
        columns[3].full = became + AGO;
        columns[3].more = became + AGO;
    }
    columns
}

/// What the words for what became of the last mails take, and the glyph before them.
fn became(list: &List<VerificationRow>) -> u16 {
    u16::try_from(list.wide.longest[2]).unwrap_or(SHORT_WIDTH).clamp(9, SHORT_WIDTH) + 2
}

fn cells(
    model: &Model,
    theme: &Theme,
    list: &List<VerificationRow>,
    item: &Item<VerificationRow>,
    widths: &[u16],
) -> [Line<'static>; 6] {
    let tab = list.tab;
    let VerificationRow { verification, user, last_send } = &item.row;
    let status = verification.status(model.now);
    let is_leaving = user.delete_after.is_some();
    let leaving = (theme.glyphs().marks[1], Tone::Bad);
    let (glyph, tone) = if is_leaving { leaving } else { theme.status(status) };
    let word = match user.delete_after {
        _ if item.gone => "deleted",
        Some(_) => "deleting",
        None => status.as_str(),
    };
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
            let (glyph, tone) = if is_leaving { leaving } else { theme.send(send.looks_like()) };
            let room = usize::from(widths[3]);
            let words = if is_leaving { [word; 2] } else { [send.in_short, send.state.as_str()] };
            let words = words.map(|word| format!("{glyph} {word}"));
            let Some(words) = words.into_iter().find(|words| width(words) <= room) else {
                return Line::styled(glyph, theme.style(tone));
            };
            let used = width(&words);
            let mut spans = vec![Span::styled(words, theme.style(tone))];
            let ago = when::relative(send.happened_at, model.now);
            if widths[3] >= became(list) + AGO && used + 1 + width(&ago) <= room {
                spans.push(Span::styled(format!(" {ago}"), theme.style(Tone::Quiet)));
            }
            Line::from(spans)
        },
    );
    let time = match time_of(list) {
        By::Expires => Some(verification.expires_at),
        By::Verified => verification.verified_at,
        By::Revoked => verification.revoked_at,
        By::Created | By::Email | By::Queued => Some(verification.created_at),
    };
    [
        Line::from(status_cell),
        Line::from(address::spans(theme, &user.email)),
        text(user.name.plain().into_string()),
        mail,
        // The time that orders the list means nothing to a row that is no longer of it: there it says what it is now.
        if is_stale(model, tab, item) {
            Line::styled(word, theme.style(tone))
        } else {
            text(time.map_or_else(
                || theme.glyphs().none.to_owned(),
                |time| when::relative_within(time, model.now, usize::from(widths[4])),
            ))
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
