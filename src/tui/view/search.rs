//! The search prompt, and what is typed and pasted.

use crossterm::event::KeyEvent;

use crate::tui::Model;
use crate::tui::model::View;
use crate::tui::model::field::Field;
use crate::tui::view::list::List;

/// A key that is no command.
pub fn typed(model: &mut Model, event: &KeyEvent) {
    match &mut model.dialog {
        Some(dialog) => dialog.typed(event),
        None => edit(model, |search| search.press(event)),
    }
}

/// A paste goes into the text being typed, and nowhere else: pasted letters are no commands.
pub fn paste(model: &mut Model, text: &str) {
    match &mut model.dialog {
        Some(dialog) => dialog.pasted(text),
        None => edit(model, |search| search.paste(text)),
    }
}

fn edit(model: &mut Model, change: impl FnOnce(&mut Field) -> bool) {
    if model.prompt && change(of(model)) {
        changed(model);
    }
}

/// Clears the search.
pub fn clear(model: &mut Model) {
    let search = of(model);
    if !search.is_empty() {
        search.clear();
        changed(model);
    }
}

fn of(model: &mut Model) -> &mut Field {
    if model.view == View::Mail { &mut model.mail.search } else { &mut model.verifications.search }
}

/// Every list of the view has to be loaded again; the rows on the screen stay until others arrive.
fn changed(model: &mut Model) {
    if model.view == View::Mail {
        model.mail.lists.iter_mut().for_each(List::forget);
    } else {
        model.verifications.lists.iter_mut().for_each(List::forget);
    }
}
