//! The clipboard of the operator's terminal.

use super::effect::TerminalCommand;
use super::model::Level;
use super::view::{mail, suppressed};
use super::{Effect, Model};

/// Puts a text there, and says so.
pub fn copy(model: &mut Model, text: String, what: &str, fx: &mut Vec<Effect>) {
    fx.push(Effect::Terminal(TerminalCommand::Copy(text)));
    let hint = "Terminals that know OSC 52 have it in their clipboard now; in tmux, `set-clipboard` must be on.";
    model.toast(Level::Done, what, hint);
}

/// The address of the user that acts are about; in the list of mails also of one who was deleted.
#[must_use]
pub fn email(model: &Model) -> Option<String> {
    let recipient = || mail::listed(model).map(|send| send.recipient.plain().into_string());
    let listed = || suppressed::update::listed(model).map(|row| row.address.plain().into_string());
    model.subject().map(|subject| subject.mailed).or_else(recipient).or_else(listed)
}

/// Copies that address, fit to be pasted anywhere: nothing in it is a control character.
pub fn copy_email(model: &mut Model, fx: &mut Vec<Effect>) {
    if let Some(email) = email(model) {
        let what = format!("{email} was copied.");
        copy(model, email, &what, fx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::VerificationId;
    use crate::tui::Msg;
    use crate::tui::tests::fixture::{Console, World, key_of};

    fn copied(console: &mut Console) -> Vec<String> {
        let copied = |effect| match effect {
            Effect::Terminal(TerminalCommand::Copy(text)) => Some(text),
            _ => None,
        };
        console.take_asked().into_iter().filter_map(copied).collect()
    }

    #[test]
    fn no_other_address_is_copied_while_a_user_is_being_read() {
        let (mut console, world) = Console::loaded(120, 40);
        console.run(&world, "m");
        // Theirs is another than that of the mail they were opened from.
        console.model.opened = Some(VerificationId(1));
        console.press("c");
        assert_eq!(copied(&mut console), [""; 0]);
        assert_eq!(console.model.toasts.last().unwrap().what, "They are still being read.");
    }

    #[test]
    fn the_address_of_the_user_under_the_cursor_is_copied() {
        let table = [
            ("c", "minji.kim@example.com"),
            ("j c", "seojun.park@example.kr"),
            ("Enter c", "minji.kim@example.com"),
            ("j m c", "minji.kim@example.com"),
            ("m j Enter c", "seojun.park@example.kr"),
        ];
        for (keys, email) in table {
            let (mut console, world) = Console::loaded(80, 24);
            let (before, last) = keys.rsplit_once(' ').unwrap_or(("", keys));
            console.run(&world, before);
            console.press(last);
            assert_eq!(copied(&mut console), [email], "{keys:?}");
            let toast = console.model.toasts.last().unwrap();
            assert_eq!((toast.level, toast.what.as_str()), (Level::Done, &*format!("{email} was copied.")), "{keys:?}");
        }
    }

    #[test]
    fn the_address_of_a_deleted_user_is_still_on_the_mail() {
        let mut world = World::default();
        world.sends[0].verification_id = None;
        let mut console = Console::new(80, 24);
        console.serve(&world);
        console.run(&world, "m");
        console.press("c");
        assert_eq!(copied(&mut console), ["minji.kim@example.com"]);
    }

    #[test]
    fn what_is_copied_is_safe_to_paste() {
        let mut world = World::default();
        world.row_mut(49_993).user.email = "a\u{1b}[31m@example.com\r\nrm -rf /".into();
        let mut console = Console::new(80, 24);
        console.serve(&world);
        console.press("c");
        let [text] = &copied(&mut console)[..] else { panic!("nothing was copied") };
        assert!(!text.contains(char::is_control), "{text:?}");
    }

    #[test]
    fn without_a_row_it_says_so() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "/ z z z Enter c");
        assert_eq!(copied(&mut console), [""; 0]);
        let toast = console.model.toasts.last().unwrap();
        assert_eq!((toast.level, toast.what.as_str()), (Level::Refused, "No user is selected."));
    }

    /// The answer to a question about the terminal ends in one.
    #[test]
    fn a_piece_of_a_sequence_copies_nothing() {
        for keys in ["", "t p"] {
            let (mut console, world) = Console::loaded(80, 24);
            console.run(&world, keys);
            console.send(Msg::Doubtful(key_of("c")));
            assert_eq!(copied(&mut console), [""; 0], "{keys:?}");
        }
    }
}
