//! The templates' workbench.
//!
//! ```text
//!   verification  ko  2 ✗  │ verification · en · example · 640 px · light · images · <style>
//! > verification  en       │ Confirm your email address for Haru Books            │ en/…/body.html
//!                          │                                                     │  12 <td class="card">
//!   Fixtures               │    the mail, in its colours                         │  13 {{ site_name }}
//! > example                │                                                     │
//! ```
//!
//! What does not fit goes: first the pane beside, then the list, whose row and fixture the line on top names anyway.

mod checks;
mod headers;
mod inbox;
mod list;
mod matrix;
mod mime;
mod rendered;
mod sent;
mod source;
mod text;
mod variables;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::mail::templates::DIRECTORY_UNREAD;
use crate::preview::proof::{Proof, TemplateProblem, Values};
use crate::preview::view::{Scheme, View};
use crate::text::plain;
use crate::tui::Model;
use crate::tui::screen::layout::{self, Layout};
use crate::tui::theme::{ColourDepth, Theme, Tone};
use crate::tui::view::empty::{self, State};
use crate::tui::view::templates::model::{Mode, Page, Workbench};
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::wrap::wrap;

/// Columns of the list.
const LIST: u16 = 28;

/// From how many columns on there is a list.
const LIST_FROM: u16 = 108;

/// Fewest columns of a pane beside.
const BESIDE_MIN: u16 = 40;

/// Columns that read well: what is no laid-out mail needs no more.
const READABLE: u16 = 76;

/// Most lines that a trouble takes above the pane.
const TROUBLE_LINES: usize = 3;

/// Where everything is. What is not shown has no width or no height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Panes {
    list: Rect,
    list_edge: Rect,
    head: Rect,
    /// Of a real mail: who it is from and to, and whether it is what was sent.
    sent: Rect,
    trouble: Rect,
    main: Rect,
    edge: Rect,
    beside: Rect,
}

fn panes(model: &Model, body: Rect) -> Panes {
    let bench = &model.workbench;
    let mut panes = Panes::default();
    let mut rest = body;
    if body.width >= LIST_FROM && !bench.wide {
        panes.list = Rect { width: LIST, ..body };
        panes.list_edge = Rect { x: body.x + LIST, width: 1, ..body };
        rest = Rect { x: body.x + LIST + 1, width: body.width - LIST - 1, ..body };
    }
    let below = |rest: &mut Rect, height: u16| {
        let height = height.min(rest.height);
        let taken = Rect { height, ..*rest };
        (rest.y, rest.height) = (rest.y + height, rest.height - height);
        taken
    };
    let shown = u16::from(rest.height > 3);
    panes.head = below(&mut rest, shown);
    let sent = sent::lines(model, &Theme::plain(), inset(rest, 1)).len();
    panes.sent = below(&mut rest, u16::try_from(sent).unwrap_or(0));
    let trouble = trouble_lines(bench, &Theme::new(ColourDepth::None, true), inset(rest, 1).width).len();
    let shown = u16::try_from(trouble).unwrap_or(0).min(rest.height / 2);
    panes.trouble = below(&mut rest, shown);
    // Lines of text want air above; a mail has its subject there.
    let gap = !matches!(bench.mode, Mode::Rendered | Mode::Source) && rest.height > 14;
    below(&mut rest, u16::from(gap));
    panes.main = rest;
    let beside = bench.mode.companion().filter(|_| bench.proof().is_some() || bench.mode == Mode::Source);
    if let Some(beside) = beside {
        let needed = |mode| match mode {
            Mode::Rendered => rendered::columns(bench),
            Mode::Inbox | Mode::Mime => READABLE,
            _ => READABLE - 10,
        };
        let main = needed(bench.mode);
        let (other, is_mail) = (needed(beside), beside == Mode::Rendered);
        let least = if is_mail { other } else { BESIDE_MIN };
        if rest.width > main + least {
            let spare = rest.width - 1;
            // A mail has its width; whatever is no mail takes the rest.
            let width = if is_mail {
                spare - other
            } else if bench.mode == Mode::Rendered {
                main
            } else {
                (spare / 2).max(main)
            };
            panes.main = Rect { width, ..rest };
            panes.edge = Rect { x: rest.x + width, width: 1, ..rest };
            panes.beside = Rect { x: rest.x + width + 1, width: spare - width, ..rest };
        }
    }
    panes
}

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, layout: &Layout) {
    let bench = &model.workbench;
    let panes = panes(model, layout.pane);
    if panes.list.width > 0 {
        list::draw(canvas, bench, panes.list);
        canvas.upright(panes.list_edge, canvas.glyphs().vertical, Tone::Rule);
        joint(canvas, layout, panes.list_edge);
    }
    head(canvas, bench, inset(panes.head, 1));
    // The room that is left below the head, as it was when it was shared out.
    let area = inset(panes.sent, 1);
    let room = Rect { height: layout.pane.bottom().saturating_sub(area.y), ..area };
    for (n, line) in (0..area.height).zip(sent::lines(model, canvas.theme, room)) {
        canvas.line(row(area, n), &line);
    }
    let area = inset(panes.trouble, 1);
    for (n, line) in (0..area.height).zip(trouble_lines(bench, canvas.theme, area.width)) {
        canvas.line(row(area, n), &line);
    }
    pane(canvas, model, bench.mode, panes.main, false);
    if let Some(mode) = bench.mode.companion().filter(|_| panes.beside.width > 0) {
        canvas.upright(panes.edge, canvas.glyphs().vertical, Tone::Rule);
        pane(canvas, model, mode, panes.beside, true);
    }
}

/// Where the list's edge hangs from the rule above.
fn joint(canvas: &mut Canvas<'_>, layout: &Layout, edge: Rect) {
    if layout.rule.height > 0 && layout.banner.height == 0 {
        let tee = Rect { x: edge.x, width: 1, ..layout.rule };
        let above = canvas.is_rule(tee);
        if above {
            canvas.rule(tee, canvas.glyphs().tee, Tone::Rule);
        }
    }
}

fn pane(canvas: &mut Canvas<'_>, model: &Model, mode: Mode, area: Rect, beside: bool) {
    let bench = &model.workbench;
    match mode {
        Mode::Source => return source::draw(canvas, bench, area),
        Mode::Matrix => return matrix::draw(canvas, model, inset(area, 1)),
        Mode::Checks => return checks::draw(canvas, model, inset(area, 1)),
        _ => {}
    }
    let Some(proof) = bench.proof() else {
        return empty::draw(canvas, area, &nothing(bench));
    };
    if mode == Mode::Rendered {
        return rendered::draw(canvas, bench, proof, area, beside);
    }
    let area = inset(area, 1);
    let lines = lines(bench, proof, mode, canvas.theme, area.width);
    let most = lines.len().saturating_sub(usize::from(area.height));
    let top = if beside { 0 } else { bench.scroll[mode.index()].min(most) };
    for (n, line) in (0..area.height).zip(lines.iter().skip(top)) {
        canvas.line(row(area, n), line);
    }
    if bench.is_old() {
        canvas.dim(area);
    }
}

/// The lines of a mode that is lines and nothing else.
fn lines(bench: &Workbench, proof: &Proof, mode: Mode, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    match mode {
        Mode::Inbox => inbox::lines(proof, theme, columns),
        Mode::Text => text::lines(proof, theme, columns),
        Mode::Mime => mime::lines(proof, bench.encoded, theme, columns),
        Mode::Headers => headers::lines(proof, bench.encoded, theme, columns),
        Mode::Variables => variables::lines(proof, theme, columns),
        Mode::Rendered | Mode::Source | Mode::Checks | Mode::Matrix => Vec::new(),
    }
}

/// How far into the line that is looked at the source's pane begins, and how far it can.
pub(in crate::tui) fn source_fold(model: &Model) -> (usize, usize) {
    let area = panes(model, layout::whole(model).pane).main;
    source::fold(&model.workbench, &Theme::new(ColourDepth::None, true), area)
}

/// How far the mode on the screen can be scrolled.
pub(in crate::tui) fn max_scroll(model: &Model) -> usize {
    let bench = &model.workbench;
    let area = panes(model, layout::whole(model).pane).main;
    let Some(proof) = bench.proof() else { return 0 };
    let (count, height) = match bench.mode {
        Mode::Rendered => (proof.laid.rows.len(), area.height.saturating_sub(rendered::head(area, false))),
        mode => {
            let theme = Theme::new(ColourDepth::None, true);
            (lines(bench, proof, mode, &theme, inset(area, 1).width).len(), area.height)
        }
    };
    count.saturating_sub(usize::from(height))
}

/// A word on where the templates are, and where else they are shown; a loud one where they are not what is mailed.
#[must_use]
pub fn remark(model: &Model) -> Option<(String, Tone)> {
    let bench = &model.workbench;
    // A misspelt directory looks like built-in templates otherwise.
    let mistakes = || bench.stock.iter().flat_map(|stock| &stock.mistakes);
    if let Some(mistake) = mistakes().find(|mistake| mistake.contains(DIRECTORY_UNREAD)) {
        return Some((format!("`templates.dir` is not what is shown: {}", plain(mistake)), Tone::Bad));
    }
    if let Some(why) = &bench.unwatched {
        return Some((format!("Files are not watched, R reads them again: {why}"), Tone::Bad));
    }
    quiet_remark(model).map(|text| (text, Tone::Quiet))
}

fn quiet_remark(model: &Model) -> Option<String> {
    let bench = &model.workbench;
    if let Some(Page::Up(_)) = &bench.page {
        return Some("A page shows them to browsers; p says where, and ends it".to_owned());
    }
    if bench.sources.is_empty() {
        return None;
    }
    if bench.sources.iter().all(|(_, source)| source.file.is_none()) {
        let way = if model.setup.templates_dir.is_some() { "E" } else { "`verifydesk templates eject DIR`" };
        return Some(format!("Built in; {way} makes files of it, to be changed"));
    }
    Some("What is saved in the files is shown at once".to_owned())
}

/// What is said while there is nothing to show.
fn nothing(bench: &Workbench) -> State {
    if let Some(trouble) = &bench.trouble {
        return State::quiet("No mail could be made of it yet.").hint(way(trouble));
    }
    if bench.problem.is_some() && bench.awaiting.is_none() {
        return State::quiet("No mail could be made of it yet.");
    }
    match &bench.stock {
        Some(stock) if stock.templates.is_empty() => {
            let state = State::quiet("There are no templates.");
            let state = stock.mistakes.iter().take(3).fold(state, |state, mistake| state.hint(mistake.clone()));
            state.hint("`verifydesk templates eject DIR` writes the built-in ones as files.")
        }
        _ => State::quiet("rendering…"),
    }
}

/// What is looked at, and every toggle, in one line: what is as usual steps back, and goes first where room is short.
fn head(canvas: &mut Canvas<'_>, bench: &Workbench, area: Rect) {
    let mut pieces = pieces(bench);
    let room = |pieces: &[Piece], gap: usize| -> usize {
        let texts = pieces.iter().map(|piece| crate::text::width(&piece.text)).sum::<usize>();
        texts + gap * pieces.len().saturating_sub(1)
    };
    let wide = usize::from(area.width);
    let dots = room(&pieces, 3) <= wide || room(&pieces, 2) > wide;
    let (between, gap) = if dots { (format!(" {} ", canvas.glyphs().dot), 3) } else { ("  ".to_owned(), 2) };
    while room(&pieces, gap) > wide {
        let Some(last) = pieces.iter().rposition(|piece| piece.usual) else { break };
        pieces.remove(last);
    }
    let mut spans = Vec::new();
    for piece in pieces {
        if !spans.is_empty() {
            spans.push(Span::styled(between.clone(), canvas.style(Tone::Rule)));
        }
        spans.push(Span::styled(piece.text, canvas.style(piece.tone)));
    }
    canvas.line(area, &Line::from(spans));
}

struct Piece {
    text: String,
    tone: Tone,
    /// It is as most of the time.
    usual: bool,
}

fn pieces(bench: &Workbench) -> Vec<Piece> {
    let Some(order) = bench.order() else { return Vec::new() };
    let usual = View::default();
    let view = order.view;
    let piece = |text: String, tone| Piece { text, tone, usual: false };
    let toggle = |text: &str, usual: bool| Piece {
        text: text.to_owned(),
        tone: if usual { Tone::Quiet } else { Tone::Here },
        usual,
    };
    let scheme = match view.scheme {
        Scheme::Light => "light",
        Scheme::Dark => "dark as written",
        Scheme::Inverted => "turned dark (a simulation)",
    };
    let mut pieces = vec![
        piece(plain(&order.template).into_string(), Tone::Strong),
        piece(order.locale.as_str().to_owned(), Tone::Strong),
        match &order.values {
            Values::Fixture(id) => piece(plain(id).into_string(), Tone::Text),
            Values::Person(person) => piece(format!("{} (sample link)", plain(&person.email)), Tone::Here),
        },
        piece(format!("{} px", view.width.pixels()), if view.width == usual.width { Tone::Quiet } else { Tone::Here }),
        toggle(scheme, view.scheme == usual.scheme),
        toggle(if view.images { "images on" } else { "images off" }, view.images),
        toggle(if view.styles { "<style> on" } else { "<style> off" }, view.styles),
        toggle(if view.outlook { "Outlook on" } else { "Outlook off" }, !view.outlook),
    ];
    if bench.left > 0 {
        pieces.push(toggle(&format!("from column {}", bench.left + 1), false));
    }
    pieces
}

/// How to get at what is wrong.
fn way(trouble: &TemplateProblem) -> &'static str {
    if trouble.place.is_some() { "4 shows the line, e edits it." } else { "4 shows the file, e edits it." }
}

/// What is wrong, and where; the proof below is an older one.
fn trouble_lines(bench: &Workbench, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let columns = usize::from(columns).max(1);
    let [_, bad, warn] = theme.glyphs().marks;
    let say = |text: &str, tone| -> Vec<Line<'static>> {
        wrap(text, columns).into_iter().map(|line| Line::styled(line, theme.style(tone))).collect()
    };
    if bench.waits {
        let text = format!("{warn} An earlier rendering still runs; what is wanted now is shown when it ends.");
        return say(&text, Tone::Warn);
    }
    if let Some((_, problem)) = bench.problem.as_ref().filter(|_| bench.awaiting.is_none()) {
        let mut lines = say(plain(&format!("{bad} {}; {}", problem.what, problem.hint)).as_str(), Tone::Bad);
        lines.truncate(TROUBLE_LINES);
        return lines;
    }
    let Some(trouble) = &bench.trouble else { return Vec::new() };
    let place = trouble.place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
    let place = if trouble.file.is_empty() { String::new() } else { format!("{}{place}: ", trouble.file) };
    let what = plain(&format!("{bad} {place}{}", trouble.message)).into_string();
    let mut lines = say(&what, Tone::Bad);
    lines.truncate(TROUBLE_LINES - 1);
    if bench.proof().is_some() && bench.mode != Mode::Source {
        lines.push(Line::styled(format!("The last good mail is shown; {}", way(trouble)), theme.style(Tone::Quiet)));
    }
    lines
}
