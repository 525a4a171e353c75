//! The top: product, views, who is sending; the view's tabs and the rule under them.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::layout::Layout;
use super::notice;
use crate::domain::audit::AuditKind;
use crate::domain::job::COUNTED_MAX;
use crate::domain::send::SendState;
use crate::domain::worker::QUEUED_MAX;
use crate::text::{fit, plain, width};
use crate::tui::action::{Action, TAB_KEYS, all};
use crate::tui::model::{STATUS_TABS, View};
use crate::tui::theme::Tone;
use crate::tui::view::templates::model::Mode;
use crate::tui::view::{account, hits, queue, suppressed};
use crate::tui::widget::canvas::{Canvas, inset};
use crate::tui::widget::number::{thousands, up_to};
use crate::tui::widget::tabs::{self, Tab, capital};
use crate::tui::{Model, allowed};

const GAP: u16 = 3;

/// Columns between views where room is short.
const NARROW_GAP: u16 = 2;

/// From how many columns on the first view, to which Esc leads, has its key beside it. Whatever else is said there, so that
/// no name moves.
const WITH_HOME: u16 = 92;

/// From how many columns on there is room for all views. On fewer, the account stands in the place of the last one while
/// it is shown, and nowhere else.
const WITH_ALL: u16 = 110;

/// Most columns of the site's name.
const SITE_MAX: usize = 30;

/// Most columns of the database's name and host.
const DATABASE_MAX: usize = 40;

/// Whether a database for this is one where a slip of a key is felt.
fn is_production(word: &str) -> bool {
    ["production", "prod", "live"].iter().any(|name| word.eq_ignore_ascii_case(name))
}

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, layout: &Layout) {
    if layout.header.height > 0 {
        top(canvas, model, inset(layout.header, 1));
    }
    if layout.tabs.height > 0 {
        let area = inset(layout.tabs, 1);
        let mark = match model.view {
            View::Queue => {
                let state = queue::state(model, canvas.theme);
                word(canvas, state, area)
            }
            View::Account => {
                let state = account::state(model, canvas.theme);
                word(canvas, state, area)
            }
            View::Suppressed => {
                let state = suppressed::state(model, canvas.theme, area.width);
                word(canvas, state, area)
            }
            _ => {
                let (tabs, chosen) = tabs_of(model);
                tabs::draw(canvas, area, &tabs, chosen)
            }
        };
        if layout.rule.height > 0 {
            canvas.rule(layout.rule, canvas.glyphs().rule, Tone::Rule);
            let tone = match model.view {
                View::Queue => queue::tone(model, canvas.theme),
                View::Account => account::tone(model, canvas.theme),
                View::Suppressed => suppressed::tone(model, canvas.theme),
                _ => Tone::Here,
            };
            canvas.rule(Rect { y: layout.rule.y, ..mark }, canvas.glyphs().heavy, tone);
            let in_mark = (mark.x..mark.right()).contains(&layout.divider.x);
            if layout.divider.width > 0 && layout.banner.height == 0 && !in_mark {
                let tee = Rect { x: layout.divider.x, width: layout.divider.width, ..layout.rule };
                canvas.rule(tee, canvas.glyphs().tee, Tone::Rule);
            }
        }
    }
}

/// How mail flows or the account is, where the other views have their tabs; returns the columns of the word for it.
fn word(canvas: &mut Canvas<'_>, state: Vec<Span<'static>>, area: Rect) -> Rect {
    let wide = state.first().map_or(0, |span| width(&span.content));
    canvas.line(area, &Line::from(state));
    Rect { width: columns(wide).min(area.width), ..area }
}

/// Product and site on the left, views in the middle, who is sending on the right. Where room is short, the site goes
/// first, then the product, then the other views.
fn top(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    if model.setup.only_templates {
        let (strong, quiet, here) = (Tone::Strong, Tone::Quiet, Tone::Here);
        let site = fit(plain(&model.setup.site).as_str(), SITE_MAX, canvas.glyphs().ellipsis);
        let site = if matches!(site.as_str(), "" | "verifydesk") {
            String::new()
        } else {
            format!(" {} {site}", canvas.glyphs().dot)
        };
        let pieces = [("verifydesk", strong), (site.as_str(), quiet), ("    Templates", here)];
        let spans = pieces.map(|(text, tone)| Span::styled(text.to_owned(), canvas.style(tone)));
        canvas.line(area, &Line::from(spans.to_vec()));
        return;
    }
    let (on, tone, words) = notice::sending(model);
    let glyphs = canvas.glyphs();
    let mark = match on {
        Some(true) => format!("{} ", glyphs.on),
        Some(false) => format!("{} ", glyphs.off),
        None => String::new(),
    };
    // What the database is for matters more than what the program is called.
    let environment = plain(&model.setup.environment);
    let (lead, lead_tone) = match environment.as_str() {
        "" => ("verifydesk".to_owned(), Tone::Strong),
        word if is_production(word) => (format!(" {word} "), Tone::Production),
        word => (word.to_owned(), Tone::Strong),
    };
    let limits = allowed::limits(model);
    let with_home = area.width >= WITH_HOME;
    let key_room = |view: &View| width(&view_key(canvas, *view, with_home));
    let shown = views_of(model, area.width);
    let views: usize = shown.iter().map(|view| key_room(view) + width(view.title())).sum();
    let views_room = |gap: u16| columns(views) + gap * columns(shown.len().saturating_sub(1));
    let lead_room = columns(width(&lead));
    let here_room = if model.view == View::Verifications { 0 } else { columns(width(model.view.title())) + 1 };
    // Who may do little sees that before who is sending.
    let words: Vec<Vec<(String, Tone)>> = match limits {
        None => words.into_iter().map(|words| vec![(format!("{mark}{words}"), tone)]).collect(),
        Some(limits) => {
            // The mark is of who sends, not of what may be done.
            let limited =
                |words: String| vec![(limits.to_owned(), Tone::Warn), (format!(" {} {mark}{words}", glyphs.dot), tone)];
            words.into_iter().map(limited).chain([vec![(limits.to_owned(), Tone::Warn)]]).collect()
        }
    };
    let wide = |words: &[(String, Tone)]| columns(words.iter().map(|(text, _)| width(text)).sum::<usize>());
    // The longest words that leave the views their room; else the longest that leave what is at the left its own.
    let fits = |room: u16| words.iter().find(|w| wide(w) + room <= area.width);
    let shapes = [
        (lead_room, GAP + 1, GAP),
        (lead_room, GAP + 1, NARROW_GAP),
        (lead_room, NARROW_GAP, NARROW_GAP),
        (0, 0, NARROW_GAP),
    ];
    // What the database is for is never left out, the product's name is; and rather than that the words are shortened.
    let is_named = !environment.as_str().is_empty();
    let shapes =
        shapes.into_iter().filter(|(lead, behind, _)| if is_named { *lead > 0 } else { *behind != NARROW_GAP });
    let shape = shapes
        .into_iter()
        .find_map(|(lead, behind, gap)| Some((fits(lead + behind + views_room(gap) + GAP)?, lead > 0, behind, gap)));
    let words = shape.map(|(words, ..)| words).or_else(|| fits(lead_room + GAP + here_room)).or(words.last());
    let words = words.map(Vec::as_slice).unwrap_or_default();
    let right_room = wide(words).min(area.width);
    let right: Vec<Span<'_>> =
        words.iter().map(|(text, tone)| Span::styled(text.as_str(), canvas.style(*tone))).collect();
    canvas.line(Rect { x: area.right() - right_room, width: right_room, ..area }, &Line::from(right));

    let left_end = area.right().saturating_sub(right_room + if right_room > 0 { GAP } else { 0 }).max(area.x);
    let left = Rect { width: left_end - area.x, ..area };
    let room = |x: u16| Rect { x, width: left.right().saturating_sub(x), ..left };
    let mut x = left.x;
    let with_lead = shape.is_none_or(|(_, with_lead, ..)| with_lead);
    if with_lead {
        let style = canvas.style(lead_tone);
        x += canvas.text(left, &lead, style);
    }
    let taken = shape.map_or(0, |(_, _, behind, gap)| views_room(gap) + behind);
    let site = Some(&*model.setup.site).filter(|site| *site != "verifydesk");
    for (name, most) in [(site.unwrap_or_default(), SITE_MAX), (&model.setup.database, DATABASE_MAX)] {
        let spare = if with_lead { room(x).width.saturating_sub(taken) } else { 0 };
        let name = fit(plain(name).as_str(), most, glyphs.ellipsis);
        let piece = format!(" {} {name}", glyphs.dot);
        if !name.is_empty() && columns(width(&piece)) <= spare {
            let quiet = canvas.style(Tone::Quiet);
            x += canvas.text(room(x), &piece, quiet);
        }
    }
    if let Some((_, _, behind, gap)) = shape {
        x += behind;
        for view in shown {
            let (quiet, here) = (canvas.style(Tone::Quiet), canvas.style(Tone::Here));
            // The one that is shown keeps its key: the names beside it stand still.
            let (of_key, of_title) =
                if view == model.view.whole() { (quiet, here) } else { (canvas.style(Tone::Key), quiet) };
            let key = view_key(canvas, view, with_home);
            x += canvas.text(room(x), &key, of_key);
            x += canvas.text(room(x), view.title(), of_title) + gap;
        }
    } else if model.view != View::Verifications {
        let here = canvas.style(Tone::Here);
        canvas.text(room(x + 1), model.view.title(), here);
    }
}

/// The views that the top has room for.
fn views_of(model: &Model, width: u16) -> Vec<View> {
    let gives_way = if model.view.whole() == View::Account { View::Templates } else { View::Account };
    View::ALL.into_iter().filter(|view| width >= WITH_ALL || *view != gives_way).collect()
}

/// The key of a view and a space.
fn view_key(canvas: &Canvas<'_>, view: View, with_home: bool) -> String {
    let action = match view {
        View::Verifications if !with_home => return String::new(),
        View::Verifications => Action::Verifications,
        View::Mail => Action::Mail,
        View::Queue => Action::Queue,
        View::Audit => Action::Audit,
        View::Account | View::Suppressed => Action::Account,
        View::Templates => Action::Templates,
    };
    let entry = all().find(|entry| entry.action == action);
    entry.and_then(|entry| entry.keys.first()).map(|key| format!("{} ", key.name(canvas.theme))).unwrap_or_default()
}

fn columns(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// How many mails are in a state that the outbox is asked for anyway, where nothing is looked for; and no number where it
/// says nothing.
fn live(model: &Model, state: Option<SendState>) -> Option<String> {
    if hits::is_filtered(&model.mail) {
        return None;
    }
    let outbox = model.outbox.as_ref();
    match state {
        Some(SendState::Queued) => outbox.map(|o| up_to(QUEUED_MAX, o.queued)),
        Some(SendState::Sending) => outbox.map(|o| thousands(o.sending)),
        // Thousands, and ever more.
        None => Some(String::new()),
        _ => None,
    }
}

/// The tabs of the view that is shown, and which is chosen.
fn tabs_of(model: &Model) -> (Vec<Tab>, usize) {
    let key = |n: usize| TAB_KEYS.chars().nth(n).map(String::from).unwrap_or_default();
    match model.view {
        View::Verifications => {
            let tabs = STATUS_TABS.iter().enumerate().map(|(n, status)| Tab {
                key: key(n),
                title: capital(status.map_or("all", |s| s.as_str())),
                count: hits::beside(&model.verifications, *status)
                    .or_else(|| model.counts.map(|counts| thousands(counts.of(*status))))
                    .unwrap_or_default(),
            });
            (tabs.collect(), model.verifications.tab)
        }
        View::Mail => {
            let of_job = |state: Option<SendState>| {
                let facts =
                    model.queue.facts.as_ref().filter(|facts| model.mail.filter.only_job() == Some(facts.id))?;
                let results = facts.results.as_ref()?;
                let count = state.map_or_else(|| results.total(), |state| results.of(state));
                Some(if count > 0 { up_to(COUNTED_MAX, count) } else { String::new() })
            };
            let tabs = model.mail.lists.iter().enumerate().map(|(n, list)| Tab {
                key: key(n),
                title: capital(list.tab.map_or("all", SendState::as_str)),
                count: of_job(list.tab)
                    .or_else(|| live(model, list.tab))
                    .or_else(|| hits::beside(&model.mail, list.tab))
                    .unwrap_or_default(),
            });
            (tabs.collect(), model.mail.tab)
        }
        View::Audit => {
            let tabs = model.audit.lists.iter().enumerate().map(|(n, list)| Tab {
                key: key(n),
                title: list.tab.map_or("All", AuditKind::title).into(),
                count: String::new(),
            });
            (tabs.collect(), model.audit.tab)
        }
        View::Account | View::Suppressed | View::Queue => (Vec::new(), 0),
        View::Templates => {
            let tabs = Mode::ALL.iter().enumerate();
            let bench = &model.workbench;
            let counts = bench.entry().and_then(|entry| bench.counts(&entry));
            let found = counts.map_or(0, |(errors, warnings)| errors + warnings);
            let tabs = tabs.map(|(n, mode)| Tab {
                key: key(n),
                title: mode.title().into(),
                count: if *mode == Mode::Checks && found > 0 { found.to_string() } else { String::new() },
            });
            (tabs.collect(), bench.mode.index())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tui::tests::fixture::Console;

    /// The first line of a console of that width.
    fn header(width: u16, environment: &str, database: &str, is_read_only: bool) -> String {
        let (mut console, _) = Console::loaded(width, 24);
        console.model.setup.environment = environment.into();
        console.model.setup.database = database.into();
        console.model.setup.is_read_only = is_read_only;
        console.screen().lines().next().unwrap().trim_end().to_owned()
    }

    #[test]
    fn production_and_staging_look_different_at_every_width() {
        for width in [40, 60, 80, 100, 120, 160, 200] {
            for environment in ["production", "staging"] {
                for is_read_only in [false, true] {
                    let shown = header(width, environment, "desk@db1.example.org", is_read_only);
                    assert!(shown.contains(environment), "{width}: {shown}");
                    assert_eq!(shown.contains("read-only"), is_read_only, "{width}: {shown}");
                }
            }
        }
    }

    #[test]
    fn site_and_database_are_named_where_there_is_room() {
        let shown = header(160, "production", "desk@db1.example.org", false);
        assert!(shown.contains("production  · Haru Books · desk@db1.example.org"), "{shown}");
        let shown = header(160, "", "desk\u{1b}[31m@db1", true);
        assert!(shown.starts_with(" verifydesk · Haru Books · desk") && !shown.contains('\u{1b}'), "{shown}");
        assert!(shown.contains("read-only · ● 1 worker sending"), "{shown}");
        // Nothing that looks like a status stands before what may be done.
        let shown = header(80, "", "", true);
        assert!(shown.contains("   read-only"), "{shown}");
    }

    #[test]
    fn each_view_has_its_key_and_the_first_one_where_there_is_room() {
        for (width, environment, is_there) in
            [(80, "", false), (80, "production", false), (100, "", true), (120, "production", true), (200, "", true)]
        {
            let shown = header(width, environment, "", false);
            assert!(shown.contains("Verifications") && shown.contains("m Mail"), "{width}: {shown}");
            assert_eq!(shown.contains("W Verifications"), is_there, "{width}: {shown}");
            let lead = if environment.is_empty() { "verifydesk" } else { environment };
            assert!(shown.contains(lead), "{width}: {shown}");
        }
    }

    #[test]
    fn the_names_of_the_views_stand_still() {
        for width in [80, 120, 200] {
            let (mut console, world) = Console::loaded(width, 24);
            let places = |console: &Console| {
                let shown = console.screen();
                let line = shown.lines().next().unwrap().to_owned();
                ["Verifications", "m Mail", "o Queue", "u Audit", "t Templates"].map(|name| line.find(name))
            };
            let before = places(&console);
            assert!(before.iter().all(Option::is_some), "{}", console.screen());
            for key in ["m", "o", "u", "t"] {
                console.run(&world, key);
                assert_eq!(places(&console), before, "{}", console.screen());
            }
        }
    }
}
