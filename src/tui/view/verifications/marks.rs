//! Marks: which verifications a bulk resend is for, whatever is listed.

use crate::domain::id::VerificationId;
use crate::domain::verification::VerificationRow;
use crate::tui::Model;
use crate::tui::action::Action;
use crate::tui::model::Level;
use crate::tui::view::list::Item;
use crate::tui::widget::number::thousands;

pub(in crate::tui) fn act(model: &mut Model, action: Action) {
    match action {
        Action::MarkDown => along(model, 1),
        Action::MarkUp => along(model, -1),
        Action::MarkTo => up_to_here(model),
        Action::MarkAll => all(model),
        Action::MarkOthers => others(model),
        _ => toggle(model),
    }
}

/// Marks or unmarks the selected row and goes to the next.
fn toggle(model: &mut Model) {
    let Some(id) = selected(model) else { return };
    if !model.marks.remove(&id) {
        model.marks.insert(id);
    }
    model.marked_last = Some(id);
    step(model, 1);
}

/// Marks the selected row and the one beside it, and goes there.
fn along(model: &mut Model, by: isize) {
    model.marks.extend(selected(model));
    step(model, by);
    model.marked_last = selected(model);
    model.marks.extend(selected(model));
}

/// Marks all from the row that was marked last to the selected one.
fn up_to_here(model: &mut Model) {
    let Some(list) = model.verifications.list() else { return };
    let Some(from) = list.items.iter().position(|item| Some(item.row.verification.id) == model.marked_last) else {
        let hint = "Space marks one; then M marks all from there to the selected row.";
        return model.toast(Level::Refused, "No row of this list was marked before.", hint);
    };
    let (top, bottom) = (from.min(list.cursor), from.max(list.cursor));
    let ids: Vec<_> = list.items.iter().take(bottom + 1).skip(top).filter_map(id_of).collect();
    model.marks.extend(ids);
    model.marked_last = selected(model);
}

/// Marks all rows that are loaded.
fn all(model: &mut Model) {
    let ids = listed(model);
    let list = model.verifications.list();
    if list.is_some_and(|list| list.newer || list.older) {
        let what = format!("{} rows are marked, as many as are loaded.", shown(ids.len()));
        model.toast(Level::Done, what, "Without marks, B is for all that the list shows.");
    }
    model.marks.extend(ids);
}

/// Marks those that are loaded and not marked, and unmarks the others of this list.
fn others(model: &mut Model) {
    for id in listed(model) {
        if !model.marks.remove(&id) {
            model.marks.insert(id);
        }
    }
}

/// Unmarks all, and says so where it took more than a moment to mark them.
pub(in crate::tui) fn drop_all(model: &mut Model) {
    if model.marks.len() > 1 {
        let what = format!("{} rows are marked no more.", shown(model.marks.len()));
        model.toast(Level::Done, what, "");
    }
    model.marks.clear();
    model.marked_last = None;
}

/// Whether the console may end: it forgets what is marked, and says so once.
pub(in crate::tui) fn may_be_forgotten(model: &mut Model) -> bool {
    let (what, is_said) = match model.marks.len() + model.mail_marks.len() {
        0 => return true,
        count => {
            let what = format!("{} marked would be forgotten.", shown(count));
            let is_said = model.toasts.iter().any(|toast| toast.what == what);
            (what, is_said)
        }
    };
    if !is_said {
        model.toast(Level::Refused, what, "q once more ends the console.");
    }
    is_said
}

/// How many marked rows are not among those that are listed.
#[must_use]
pub(in crate::tui) fn elsewhere(model: &Model) -> usize {
    let listed = model.verifications.list().map_or(&[][..], |list| &list.items);
    let here = listed.iter().filter(|item| model.marks.contains(&item.row.verification.id)).count();
    model.marks.len().saturating_sub(here)
}

fn selected(model: &Model) -> Option<VerificationId> {
    model.verifications.selected().map(|row| row.verification.id)
}

fn listed(model: &Model) -> Vec<VerificationId> {
    model.verifications.list().map(|list| list.items.iter().filter_map(id_of).collect()).unwrap_or_default()
}

/// Nothing is mailed to who is gone.
fn id_of(item: &Item<VerificationRow>) -> Option<VerificationId> {
    (!item.gone).then_some(item.row.verification.id)
}

fn step(model: &mut Model, by: isize) {
    if let Some(list) = model.verifications.list_mut() {
        list.step(by);
    }
}

/// A number of rows.
#[must_use]
pub(in crate::tui) fn shown(count: usize) -> String {
    thousands(i64::try_from(count).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use crate::tui::Effect;
    use crate::tui::effect::TerminalCommand;
    use crate::tui::tests::fixture::{Console, World};

    fn marked(console: &Console) -> Vec<i64> {
        console.model.marks.iter().rev().map(|id| id.0).collect()
    }

    #[test]
    fn rows_are_marked_one_by_one_in_ranges_and_all() {
        let all: Vec<i64> = (49_983..=49_993).rev().collect();
        let table: [(&str, &[i64]); 14] = [
            ("Space", &all[..1]),
            ("J J", &all[..3]),
            ("j j K", &all[1..3]),
            ("K", &all[..1]),
            ("Space j j M", &all[..4]),
            ("j j j Space g M", &all[..4]),
            ("J j j M", &all[..4]),
            ("M", &[]),
            ("ctrl-a", &all),
            ("ctrl-a Space", &all[1..]),
            ("Space Space I", &all[2..]),
            ("I", &all),
            ("I I", &[]),
            // Of another list they stay as they are.
            ("Space 4 I I", &all[..1]),
        ];
        for (keys, expected) in table {
            let (mut console, world) = Console::loaded(80, 24);
            console.run(&world, keys);
            assert_eq!(marked(&console), expected, "{keys:?}");
        }
    }

    #[test]
    fn what_is_marked_elsewhere_is_said() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "J J");
        assert!(console.screen().contains("◆ 3 marked · B mails them again · Esc unmarks"), "{}", console.screen());
        console.run(&world, "3 Space");
        let shown = console.screen();
        assert!(shown.contains("◆ 4 marked, 3 not in this list · B mails them again · Esc unmarks"), "{shown}");
        // The first Esc clears the search: it says only that.
        console.run(&world, "/ k i m Enter");
        let shown = console.screen();
        assert!(shown.contains("◆ 4 marked, 3 not in this list · B mails them again   search “kim” ·"), "{shown}");
    }

    #[test]
    fn marks_are_not_lost_without_a_word() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "J J Esc");
        assert!(marked(&console).is_empty());
        assert!(console.screen().contains("3 rows are marked no more."), "{}", console.screen());
        let ends = |console: &mut Console, keys: &str| {
            console.press(keys);
            console.take_asked().contains(&Effect::Terminal(TerminalCommand::Quit))
        };
        console.run(&world, "Esc J");
        assert!(!ends(&mut console, "q"), "it asks");
        assert!(console.screen().contains("2 marked would be forgotten."), "{}", console.screen());
        assert!(ends(&mut console, "q"));
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "J");
        assert!(ends(&mut console, "ctrl-c"));
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "m Space");
        assert!(!ends(&mut console, "q") && ends(&mut console, "q"), "of mails, too");
        assert!(ends(&mut Console::loaded(80, 24).0, "q"), "nothing is marked");
    }

    #[test]
    fn all_means_what_is_loaded_and_says_so() {
        let world = World::default().with_many(2_000);
        let mut console = Console::new(80, 24);
        console.serve(&world);
        console.run(&world, "ctrl-a");
        let rows = console.model.verifications.list().unwrap().items.len();
        assert_eq!(marked(&console).len(), rows);
        let shown = console.screen();
        assert!(shown.contains(&format!("{rows} rows are marked, as many as are loaded.")), "{shown}");
    }
}
