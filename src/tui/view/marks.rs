//! Marks: which verifications or mails a bulk resend is for, whatever is listed.

use crate::domain::id::{SendId, VerificationId};
use crate::domain::send::SendRow;
use crate::domain::verification::VerificationRow;
use crate::tui::Model;
use crate::tui::action::Action;
use crate::tui::model::{Level, View};
use crate::tui::view::list::Item;
use crate::tui::view::paged::Listed;
use crate::tui::widget::number::thousands;

/// Rows that can be marked.
trait Markable: Listed {
    /// Whether anyone could be mailed again for it: no one for a test, and no one who is deleted or being deleted.
    fn is_for_someone(&self) -> bool;

    fn is_marked(model: &Model, id: Self::Id) -> bool;

    fn set_mark(&self, model: &mut Model, is_marked: bool);

    /// Which of them was marked last, or unmarked.
    fn last(model: &mut Model) -> &mut Option<Self::Id>;
}

impl Markable for VerificationRow {
    fn is_for_someone(&self) -> bool {
        self.user.delete_after.is_none()
    }

    fn is_marked(model: &Model, id: VerificationId) -> bool {
        model.marks.contains(&id)
    }

    fn set_mark(&self, model: &mut Model, is_marked: bool) {
        if is_marked {
            model.marks.insert(self.verification.id);
        } else {
            model.marks.remove(&self.verification.id);
        }
    }

    fn last(model: &mut Model) -> &mut Option<VerificationId> {
        &mut model.marked_last
    }
}

impl Markable for SendRow {
    fn is_for_someone(&self) -> bool {
        self.verification_id.is_some() && !self.is_leaving
    }

    fn is_marked(model: &Model, id: SendId) -> bool {
        model.mail_marks.contains_key(&id)
    }

    fn set_mark(&self, model: &mut Model, is_marked: bool) {
        if let Some(verification) = self.verification_id.filter(|_| is_marked) {
            model.mail_marks.insert(self.id, verification);
        } else {
            model.mail_marks.remove(&self.id);
        }
    }

    fn last(model: &mut Model) -> &mut Option<SendId> {
        &mut model.mail_marked_last
    }
}

/// Marks or unmarks in the list on the screen.
pub(in crate::tui) fn act(model: &mut Model, action: Action) {
    if model.view == View::Mail { of::<SendRow>(model, action) } else { of::<VerificationRow>(model, action) }
}

fn of<R: Markable>(model: &mut Model, action: Action) {
    match action {
        Action::MarkDown => along::<R>(model, 1),
        Action::MarkUp => along::<R>(model, -1),
        Action::MarkTo => up_to_here::<R>(model),
        Action::MarkAll => all::<R>(model),
        Action::MarkOthers => others::<R>(model),
        _ => toggle::<R>(model),
    }
}

/// Marks or unmarks the selected row and goes to the next.
fn toggle<R: Markable>(model: &mut Model) {
    let Some(row) = selected::<R>(model) else { return };
    let is_marked = R::is_marked(model, row.id());
    row.set_mark(model, !is_marked && row.is_for_someone());
    *R::last(model) = Some(row.id());
    step::<R>(model, 1);
}

/// Marks the selected row and the one beside it, and goes there.
fn along<R: Markable>(model: &mut Model, by: isize) {
    mark(model, &selected::<R>(model).into_iter().collect::<Vec<_>>());
    step::<R>(model, by);
    let beside = selected::<R>(model);
    *R::last(model) = beside.as_ref().map(R::id);
    mark(model, &beside.into_iter().collect::<Vec<_>>());
}

/// Marks all from the row that was marked last to the selected one.
fn up_to_here<R: Markable>(model: &mut Model) {
    let begun = R::last(model).clone();
    let Some(list) = R::tabbed(model).list() else { return };
    let Some(from) = list.items.iter().position(|item| Some(item.row.id()) == begun) else {
        let hint = "Space marks one; then M marks all from there to the selected row.";
        return model.toast(Level::Refused, "No row of this list was marked before.", hint);
    };
    let (top, bottom) = (from.min(list.cursor), from.max(list.cursor));
    let rows: Vec<R> = list.items.iter().take(bottom + 1).skip(top).filter_map(row_of).collect();
    mark(model, &rows);
    *R::last(model) = selected::<R>(model).as_ref().map(R::id);
}

/// Marks all rows that are loaded.
fn all<R: Markable>(model: &mut Model) {
    let rows = listed::<R>(model);
    let is_part = R::tabbed(model).list().is_some_and(|list| list.newer || list.older);
    if is_part {
        let what = format!("{} rows are marked, as many as are loaded.", shown(rows.len()));
        model.toast(Level::Done, what, "Without marks, B is for all that the list shows.");
    }
    mark(model, &rows);
}

/// Marks those that are loaded and not marked, and unmarks the others of this list.
fn others<R: Markable>(model: &mut Model) {
    for row in listed::<R>(model) {
        let is_marked = R::is_marked(model, row.id());
        row.set_mark(model, !is_marked);
    }
}

fn mark<R: Markable>(model: &mut Model, rows: &[R]) {
    for row in rows.iter().filter(|row| row.is_for_someone()) {
        row.set_mark(model, true);
    }
}

/// Unmarks all of the view, and says so where it took more than a moment to mark them.
pub(in crate::tui) fn drop_all(model: &mut Model) {
    let count = if model.view == View::Mail { model.mail_marks.len() } else { model.marks.len() };
    if count > 1 {
        let what = format!("{} rows are marked no more.", shown(count));
        model.toast(Level::Done, what, "");
    }
    if model.view == View::Mail {
        model.mail_marks.clear();
        model.mail_marked_last = None;
    } else {
        model.marks.clear();
        model.marked_last = None;
    }
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

/// How many marked rows of the view are not among those that are listed.
#[must_use]
pub(in crate::tui) fn elsewhere(model: &Model) -> usize {
    fn of<R: Markable>(model: &Model) -> usize {
        let listed = R::tabbed(model).list().map_or(&[][..], |list| &list.items);
        let here = listed.iter().filter(|item| R::is_marked(model, item.row.id())).count();
        R::marked(model).saturating_sub(here)
    }
    if model.view == View::Mail { of::<SendRow>(model) } else { of::<VerificationRow>(model) }
}

fn selected<R: Markable>(model: &Model) -> Option<R> {
    R::tabbed(model).selected().cloned()
}

fn listed<R: Markable>(model: &Model) -> Vec<R> {
    R::tabbed(model).list().map(|list| list.items.iter().filter_map(row_of).collect()).unwrap_or_default()
}

/// Nothing is mailed to who is gone, or for what was for no one.
fn row_of<R: Markable>(item: &Item<R>) -> Option<R> {
    Some(item.row.clone()).filter(|row| !item.gone && row.is_for_someone())
}

fn step<R: Markable>(model: &mut Model, by: isize) {
    if let Some(list) = R::tabbed_mut(model).list_mut() {
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
    fn mails_are_marked_in_the_same_ways() {
        let console = |keys: &str| {
            let (mut console, mut world) = Console::loaded(80, 24);
            // A test, and one whose user was deleted.
            world.sends[1].verification_id = None;
            console.run(&world, "m");
            console.run(&world, keys);
            console
        };
        let all: Vec<_> = console("").model.mail.list().unwrap().items.iter().map(|item| item.row.id).collect();
        let but = |left_out: &[usize]| {
            let ids = all.iter().enumerate().filter(|(n, _)| *n != 1 && !left_out.contains(n));
            ids.map(|(_, id)| *id).collect::<std::collections::BTreeSet<_>>()
        };
        let rest: Vec<usize> = (4..all.len()).collect();
        for (keys, left_out) in [
            ("ctrl-a", &[][..]),
            ("J J J", &rest),
            ("Space j j M", &rest),
            ("ctrl-a j j Space", &[2]),
            ("Space I", &[0]),
            ("ctrl-a I J J J", &rest),
        ] {
            let marked: std::collections::BTreeSet<_> = console(keys).model.mail_marks.into_keys().collect();
            assert_eq!(marked, but(left_out), "{keys}");
        }
        let shown = console("J J J 2 Esc").screen();
        assert!(shown.contains("3 rows are marked no more."), "{shown}");
        let shown = console("J J J 3").screen();
        assert!(shown.contains("marked, ") && shown.contains(" not in this list"), "{shown}");
        let shown = console("ctrl-a Esc").screen();
        assert!(shown.contains("rows are marked no more."), "{shown}");
        assert!(console("2 G j M").screen().contains("No row of this list was marked before."));
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
        assert!(shown.contains("◆ 4 marked, 3 elsewhere   search “kim” · Esc clears it"), "{shown}");
        console.run(&world, "/");
        console.type_text(" created:>2020-01-01 locale:ko");
        console.run(&world, "Enter");
        let shown = console.screen();
        assert!(shown.contains("◆ 4 marked, ") && shown.contains("…” · Esc clears it"), "{shown}");
    }

    /// Of a filter that does not fit beside them, its beginning: what was typed is known.
    #[test]
    fn beside_marks_the_key_that_clears_a_filter_is_seen() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "J J s s s");
        let shown = console.screen();
        assert!(shown.contains("◆ 3 marked · B mails them again   filter “sort:-…” · Esc clears it"), "{shown}");
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "J J /");
        console.type_text("created:>2020-01-01 locale:ko");
        console.run(&world, "Enter");
        let shown = console.screen();
        assert!(
            shown.contains("B mails them again   filter “created:") && shown.contains("…” · Esc clears it"),
            "{shown}"
        );
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
