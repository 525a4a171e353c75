//! The suppression list: a row for each address, and next to them all that is known of the selected one.
//!
//! ```text
//!   Address                Why        Since         At AWS                              User
//! > kim@example.com        bounce     14:13:53      remove: waits for a worker …        김민지
//! ```

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::domain::account::act::AccountAct;
use crate::domain::account::suppressed::SuppressedRow;
use crate::domain::account::suppression_list::SuppressionList;
use crate::domain::number::thousands;
use crate::text::{fit, width};
use crate::tui::Model;
use crate::tui::screen::layout::{self, Layout};
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::detail;
use crate::tui::view::empty::{self, State};
use crate::tui::view::list::{Item, List};
use crate::tui::view::rows;
use crate::tui::view::suppressed::update::listed;
use crate::tui::when;
use crate::tui::widget::address;
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::lines::Lines;
use crate::tui::widget::table::{Column, HIDDEN, NARROW};

/// How old it is before it is called so, in minutes: workers read it every fifteen.
const STALE_MINUTES: i64 = 45;

const TITLE: &str = "Suppression list";
const GIVE: &str = "Give the workers' AWS identity this right.";

/// Columns of the longest reason.
const WHY: u16 = 9;

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, layout: &Layout) {
    if let Some(list) = model.suppressed.list().filter(|_| layout.list.height > 0 && layout.list.width > 0) {
        table(canvas, model, list, layout);
    }
    if layout.pane.width == 0 {
        return;
    }
    if model.opened.is_some() {
        detail::draw(canvas, model, layout.pane);
        return;
    }
    let area = inset(layout.pane, 1);
    for (n, line) in (0..area.height).zip(row_lines(model, canvas.theme, area.width)) {
        canvas.line(row(area, n), &line);
    }
}

fn table(canvas: &mut Canvas<'_>, model: &Model, list: &List<SuppressedRow>, layout: &Layout) {
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
        |canvas, item, _| cells(model, canvas.theme, item),
        |item| item.row.suppression.reason.is_none(),
    );
}

fn columns(list: &List<SuppressedRow>, room: u16) -> [Column; 5] {
    let wide_only = |least: u16| if room < NARROW { HIDDEN } else { least };
    let cap = |n: usize, least: u16, most: u16| u16::try_from(n).unwrap_or(most).clamp(least, most);
    let [email, whose, _] = list.wide.usual;
    let [longest_email, longest_whose, act] = list.wide.longest;
    [
        Column::new("Address", if room < NARROW { 10 } else { cap(email, 18, 26) }, cap(email, 18, 36), 1).more(cap(
            longest_email,
            18,
            48,
        )),
        Column::new("Why", WHY, WHY, 2),
        Column::new("Since", wide_only(12), 16, 4),
        Column::new("At AWS", wide_only(cap(act, 6, 18)), cap(act, 6, 80), 3).filling(),
        Column::new("User", wide_only(cap(whose, 4, 10)), cap(whose, 4, 24), 5).more(cap(longest_whose, 4, 32)),
    ]
}

fn cells(model: &Model, theme: &Theme, item: &Item<SuppressedRow>) -> [Line<'static>; 5] {
    let (row, quiet) = (&item.row, theme.style(Tone::Quiet));
    let or_none = |text: Option<String>, tone| {
        text.map_or_else(|| Line::styled(theme.glyphs().none, quiet), |text| Line::styled(text, theme.style(tone)))
    };
    let why = row.why();
    let of_why = if why.as_deref() == Some("complaint") { Tone::Bad } else { Tone::Text };
    let is_trouble = row.act.as_ref().is_some_and(AccountAct::is_trouble);
    [
        Line::from(address::spans(theme, &row.address)),
        or_none(why, of_why),
        or_none(row.suppression.since.map(|at| when::brief(at, model.now, model.setup.zone)), Tone::Quiet),
        or_none(row.act_in_words(), if is_trouble { Tone::Warn } else { Tone::Text }),
        or_none(row.whose(), Tone::Text),
    ]
}

/// All that is known of the selected address.
#[must_use]
pub fn row_lines(model: &Model, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let Some(row) = model.suppressed.selected() else { return Vec::new() };
    let mut lines = Lines::new(theme, columns);
    address::explain(&mut lines, theme, &row.address, Tone::Strong);
    lines.gap();
    let known = &row.suppression;
    match row.why() {
        Some(why) => {
            lines.value("why", &why, Tone::Text);
            if let Some(since) = known.since {
                lines.value("since", &when::absolute(since, model.setup.zone), Tone::Text);
                lines.value("", &when::relative(since, model.now), Tone::Quiet);
            }
            if let Some(id) = &known.ses_id {
                lines.value("caused by", id.plain().as_str(), Tone::Text);
            }
            lines.value("known", &when::relative(known.checked_at.min(model.now), model.now), Tone::Quiet);
        }
        None => lines.text("It is not known to be on the list.", Tone::Text),
    }
    if let Some((words, act)) = row.act_in_words().zip(row.act.as_ref()) {
        lines.gap();
        let tone = if act.is_trouble() { Tone::Warn } else { Tone::Text };
        lines.value("at AWS", &words, tone);
        let at = when::relative(act.ended_at.unwrap_or(act.asked_at).min(model.now), model.now);
        lines.value("", &format!("{at}, asked for by {}", act.actor.plain()), Tone::Quiet);
        if let Some(reason) = &act.reason {
            let [open, close] = theme.glyphs().quotes;
            lines.value("", &format!("{open}{}{close}", reason.plain()), Tone::Text);
        }
    }
    lines.gap();
    match (&row.user, row.whose()) {
        (Some(user), Some(whose)) => {
            lines.value("user", &whose, Tone::Text);
            lines.value("", &format!("user {}, {}", user.id, how(user.is_verified, user.is_leaving)), Tone::Quiet);
            lines.gap();
            lines.pieces(vec![("Enter".into(), Tone::Key), (" shows them.".into(), Tone::Quiet)]);
        }
        _ => lines.text("No user has this address.", Tone::Quiet),
    }
    lines.finish()
}

fn how(is_verified: bool, is_leaving: bool) -> &'static str {
    match (is_leaving, is_verified) {
        (true, _) => "is being deleted",
        (_, true) => "verified",
        (_, false) => "not verified",
    }
}

/// How the list was read: the mark and the word for it, and what else is to be said.
fn standing(model: &Model, theme: &Theme) -> (&'static str, Tone, String) {
    let glyphs = theme.glyphs();
    let [_, _, attention] = glyphs.marks;
    let is_known = model.suppressed.lists.iter().any(|list| list.loaded);
    let Some(list) = &model.suppression else {
        let words = if is_known { "no worker reads it" } else { "" };
        return (glyphs.off, Tone::Quiet, words.into());
    };
    if let Some(trouble) = &list.trouble {
        let words = match &trouble.permission {
            Some(right) => format!("not allowed: {}", right.plain()),
            None => format!("no answer, {}: {}", when::relative(trouble.since, model.now), trouble.text.plain()),
        };
        return (attention, Tone::Warn, words);
    }
    let Some(read_at) = list.read_at else { return (glyphs.off, Tone::Quiet, "not read yet".into()) };
    let age = when::relative(read_at.min(model.now), model.now);
    let words = format!("{}, read {age}", how_many(model, list));
    if (model.now - read_at).num_minutes() >= STALE_MINUTES {
        return (attention, Tone::Warn, format!("read {age}, and by no worker since; {}", how_many(model, list)));
    }
    (glyphs.on, Tone::Good, words)
}

fn how_many(model: &Model, list: &SuppressionList) -> String {
    let count = thousands(list.count);
    match list.goes_back_to {
        Some(from) => {
            format!("{count} newer than {}", when::brief(from, model.now, model.setup.zone))
        }
        None if list.is_full => format!("the newest {count} are kept"),
        None if list.count == 1 => "1 address".into(),
        None => format!("{count} addresses"),
    }
}

/// How it feels.
#[must_use]
pub fn tone(model: &Model, theme: &Theme) -> Tone {
    standing(model, theme).1
}

/// The line above the list: what it is, and how it was read. Where there is no room for both, the name goes.
#[must_use]
pub fn state(model: &Model, theme: &Theme, columns: u16) -> Vec<Span<'static>> {
    let (glyph, tone, words) = standing(model, theme);
    let room = usize::from(columns);
    let bold = theme.style(tone).add_modifier(Modifier::BOLD);
    if room < width(TITLE) + width(&words) + 5 && tone == Tone::Warn {
        return vec![Span::styled(fit(&format!("{glyph} {words}"), room, theme.glyphs().ellipsis), bold)];
    }
    let about = if tone == Tone::Warn { Tone::Warn } else { Tone::Quiet };
    vec![Span::styled(format!("{glyph} {TITLE}"), bold), Span::styled(format!("   {words}"), theme.style(about))]
}

/// What was asked for about the selected address, where there is no room for that in a pane.
#[must_use]
pub fn remark(model: &Model) -> Option<(String, Tone)> {
    let row = listed(model).filter(|_| layout::whole(model).pane.width == 0)?;
    let is_trouble = row.act.as_ref().is_some_and(AccountAct::is_trouble);
    Some((row.act_in_words()?, if is_trouble { Tone::Warn } else { Tone::Quiet }))
}

/// Why there are no rows.
fn nothing(model: &Model, list: &List<SuppressedRow>) -> State {
    if let Some(state) = empty::unread(model, list) {
        return state;
    }
    let text = model.suppressed.search.text().trim();
    if !text.is_empty() {
        let state = State::quiet(format!("No address has \"{text}\" in it."));
        let is_part = model.suppression.as_ref().is_some_and(SuppressionList::is_part);
        let state = if is_part {
            state.hint("Only the newest are kept; `verifydesk account suppression show ADDRESS` asks about another.")
        } else {
            state
        };
        return state.hint(empty::to_change(model));
    }
    let Some(read) = &model.suppression else {
        return State::quiet("No worker reads the suppression list.")
            .hint("One that has AWS's keys does, every 15 minutes.")
            .hint("`verifydesk account suppression show ADDRESS` asks about one address.");
    };
    match &read.trouble {
        Some(trouble) => match &trouble.permission {
            Some(right) => State::quiet(format!("Not allowed: {}", right.plain())).hint(GIVE),
            None => State::quiet(format!("The list cannot be read: {}", trouble.text.plain()))
                .hint("It is tried again every 15 minutes."),
        },
        None if read.read_at.is_none() => State::quiet("The list is being read for the first time."),
        None => State::quiet("No address is on the suppression list.").hint("`a` puts one on it."),
    }
}
