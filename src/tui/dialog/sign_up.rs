//! Who signs up? A form.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::parts::{columns_for, complaint, input, keys, put};
use super::{Action, Body, Dialog, KeyContext, Keys, Then, answered};
use crate::desk::{SignUp, SignUpStatus, SignedUp};
use crate::domain::filter::mailbox::{self, Mailbox};
use crate::domain::locale::Locale;
use crate::domain::page::Position as PagePosition;
use crate::domain::verification::{Status, VerificationRow};
use crate::tui::effect::{Act, Answer, Problem};
use crate::tui::model::Level;
use crate::tui::model::View;
use crate::tui::model::field::Field;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::list::Edge;
use crate::tui::view::paged;
use crate::tui::widget::canvas::{Canvas, row};
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model};

/// The sign-up form.
#[derive(Clone, Debug, Default)]
pub struct SignUpDialog {
    pub email: Field,
    pub name: Field,
    /// The language of mails and pages.
    pub locale: Locale,
    /// Where typing goes.
    pub at: FormField,
    /// What is wrong with it.
    pub problem: Option<Problem>,
    pub busy: bool,
}

/// The fields of the form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FormField {
    #[default]
    Email,
    Name,
    Locale,
}

impl FormField {
    const ALL: [Self; 3] = [Self::Email, Self::Name, Self::Locale];
}

impl SignUpDialog {
    /// A name that was typed stays, if none came with the address.
    fn fill(&mut self, mailbox: &Mailbox) {
        self.email.clear();
        self.email.paste(&mailbox.email);
        if !mailbox.name.is_empty() {
            self.name.clear();
            self.name.paste(&mailbox.name);
        }
    }

    fn toggle(&mut self) {
        self.locale = match self.locale {
            Locale::Ko => Locale::En,
            Locale::En => Locale::Ko,
        };
    }

    fn language_line(&self, theme: &Theme) -> Line<'static> {
        let here = self.at == FormField::Locale;
        let mut spans = vec![Span::styled(if here { theme.glyphs().selected } else { "  " }, theme.style(Tone::Here))];
        for (locale, name) in [(Locale::Ko, "Korean"), (Locale::En, "English")] {
            let chosen = self.locale == locale;
            let mark = if chosen { theme.glyphs().on } else { theme.glyphs().off };
            spans.push(Span::styled(
                format!("{mark} {name}   "),
                theme.style(if chosen { Tone::Strong } else { Tone::Quiet }),
            ));
        }
        if here {
            let [_, _, left, right] = theme.glyphs().arrows;
            spans.push(Span::styled(format!("{left} {right}"), theme.style(Tone::Quiet)));
        }
        Line::from(spans)
    }
}

/// The form; with who was looked for and is not there.
pub(super) fn open(model: &Model) -> Dialog {
    let mut form = SignUpDialog::default();
    let list = model.verifications.list().filter(|list| list.loaded && list.items.is_empty());
    if model.view == View::Verifications
        && model.opened.is_none()
        && list.is_some()
        && let Some(search) = &model.verifications.filter.search
    {
        let is_name = !search.typed().contains(|c: char| c == '@' || c.is_ascii_digit());
        match search.mailbox() {
            Some(mailbox) => form.fill(mailbox),
            None if is_name => _ = form.name.paste(search.typed()),
            None => _ = form.email.paste(search.typed()),
        }
    }
    Dialog::SignUp(form)
}

/// A sign-up was done, or not.
pub(super) fn signed_up(model: &mut Model, answer: Answer<SignedUp>, fx: &mut Vec<Effect>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::SignUp(_));
    let Some((signed_up, _)) = answered(model, answer, is_it) else { return };
    let email = signed_up.email.shown();
    let (what, hint) = match signed_up.status {
        SignUpStatus::Created => (format!("{email} is signed up."), "The mail is queued."),
        SignUpStatus::Resent => (format!("{email} had signed up before, unverified."), "The mail is queued again."),
        SignUpStatus::AlreadyVerified => (format!("{email} is verified already."), "No mail was queued."),
    };
    model.toast(Level::Done, what, hint);
    show_new(model, &signed_up, fx);
}

/// The user who was just signed up is shown, where the list on the screen begins with them.
fn show_new(model: &mut Model, signed_up: &SignedUp, fx: &mut Vec<Effect>) {
    let shown = model.view == View::Verifications && model.opened.is_none() && model.verifications.search.is_empty();
    let fits = signed_up.status != SignUpStatus::AlreadyVerified;
    if shown
        && fits
        && let Some(list) = model.verifications.list_mut()
        && matches!(list.tab, None | Some(Status::Pending))
    {
        list.select = signed_up.verification_id;
        paged::load_page::<VerificationRow>(model, Edge::Top, PagePosition::Newest, fx);
    }
}

impl Body for SignUpDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Form
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn takes(&mut self, event: &KeyEvent) -> bool {
        let turns = matches!(event.code, KeyCode::Left | KeyCode::Right | KeyCode::Char(' '));
        let takes = turns && self.at == FormField::Locale;
        if takes {
            self.toggle();
        }
        takes
    }

    /// `Kim Mina <mina.kim@example.com>` fills both fields.
    fn pastes(&mut self, text: &str) -> bool {
        let typed = if self.at == FormField::Email { self.email.is_empty() } else { self.at == FormField::Name };
        let found =
            mailbox::find(text).filter(|found| typed && (self.at == FormField::Email || !found.name.is_empty()));
        if let Some(found) = &found {
            self.fill(found);
        }
        found.is_some()
    }

    fn field(&mut self) -> Option<&mut Field> {
        match self.at {
            FormField::Email => Some(&mut self.email),
            FormField::Name => Some(&mut self.name),
            FormField::Locale => None,
        }
    }

    fn edited(&mut self) {
        self.problem = None;
    }

    fn step(&mut self, action: Action) {
        let now = FormField::ALL.iter().position(|field| *field == self.at).unwrap_or(0);
        let count = FormField::ALL.len();
        match action {
            Action::NextField => self.at = FormField::ALL[(now + 1) % count],
            Action::PreviousField => self.at = FormField::ALL[(now + count - 1) % count],
            _ => self.toggle(),
        }
    }

    fn confirm(&mut self, _: &mut Model, fx: &mut Vec<Effect>) -> Then {
        let [email, name] = [&self.email, &self.name].map(|field| field.text().trim().to_owned());
        if email.is_empty() {
            self.at = FormField::Email;
            self.problem = Some(Problem {
                what: "An e-mail address is needed.".into(),
                hint: "The verification mail goes there.".into(),
                ..Problem::default()
            });
            return Then::Stay;
        }
        (self.problem, self.busy) = (None, true);
        fx.push(Effect::Act(Act::SignUp(SignUp { email, name, locale: self.locale })));
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        let mut keys = vec![("Enter", "sign up"), ("Tab", "next field"), ("Esc", "cancel")];
        if self.at == FormField::Locale {
            keys.insert(1, ("Space", "other language"));
        }
        keys
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let quiet = theme.style(Tone::Quiet);
        let mut lines: Vec<Line<'_>> =
            ["e-mail", "name", "language"].iter().map(|label| Line::styled(*label, quiet)).collect();
        let mut below = Lines::new(theme, columns_for(area));
        below.gap();
        if self.busy {
            below.text("signing up…", Tone::Quiet);
        } else if let Some(problem) = &self.problem {
            complaint(&mut below, theme, problem);
        } else {
            below.text("A verification mail is queued for the address.", Tone::Quiet);
        }
        // Under it they are said too.
        if area.height >= 12 {
            keys(&mut below, &self.keys(model, theme));
        }
        lines.extend(below.finish());
        let place = put(canvas, area, "Sign someone up", &lines);
        let label = 10.min(place.width / 2);
        let room = row(place, 2);
        canvas.line(Rect { x: room.x + label, width: room.width - label, ..room }, &self.language_line(theme));
        let email = input(canvas, place, 0, &self.email, self.at == FormField::Email);
        let name = input(canvas, place, 1, &self.name, self.at == FormField::Name);
        email.or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Msg;
    use crate::tui::tests::fixture::Console;

    #[test]
    fn the_form_shows_what_is_wrong_and_keeps_what_was_typed() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "n Enter");
        assert!(console.screen().contains("An e-mail address is needed."));
        console.type_text("mina");
        console.run(&world, "Enter");
        let shown = console.screen();
        assert!(shown.contains("not an address") && shown.contains("> mina"), "{shown}");
        console.type_text("@example.com");
        console.run(&world, "Enter");
        assert_eq!(console.model.key_context(), KeyContext::Verifications);
        assert_eq!(console.model.toasts.last().unwrap().what, "mina@example.com is signed up.");
        assert_eq!(console.selected(), 49_990, "the new row is selected");
    }

    #[test]
    fn a_pasted_mailbox_fills_the_form() {
        let (mut console, _) = Console::loaded(80, 24);
        console.press("n");
        console.send(Msg::Paste("\"Kim Mina\" <Mina.Kim@Example.com>,".into()));
        console.press("Enter");
        assert!(
            matches!(&console.asked[..], [Effect::Act(Act::SignUp(asked))]
                if asked.email == "mina.kim@example.com" && asked.name == "Kim Mina"),
            "{:?}",
            console.asked
        );
    }

    #[test]
    fn who_is_not_found_is_signed_up() {
        for (text, email, name) in [
            ("Kim Mina <nowhere@example.com>", "nowhere@example.com", "Kim Mina"),
            ("<nowhere@example.com>.", "nowhere@example.com", ""),
            ("nowhere@example", "nowhere@example", ""),
            ("Nowhere Man", "", "Nowhere Man"),
        ] {
            let (mut console, world) = Console::loaded(80, 24);
            console.send(Msg::Paste(text.into()));
            console.serve(&world);
            let shown = console.screen();
            assert!(shown.contains("Enter, then n, signs them up.") && !shown.contains("Press"), "{shown}");
            console.run(&world, "Enter");
            let shown = console.screen();
            assert!(shown.contains("Press n to sign them up."), "{shown}");
            console.run(&world, "n");
            let Some(Dialog::SignUp(form)) = &console.model.dialog else { panic!("no form") };
            assert_eq!((form.email.text(), form.name.text()), (email, name), "{text}");
        }
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "/ k i m Enter n");
        let Some(Dialog::SignUp(form)) = &console.model.dialog else { panic!("no form") };
        assert!(form.email.is_empty(), "who is found is signed up");
    }

    #[test]
    fn the_form_toggles_its_language() {
        let (mut console, _) = Console::loaded(80, 24);
        console.press("n a @ b . c o ctrl-o Enter");
        assert!(matches!(&console.asked[..], [Effect::Act(Act::SignUp(asked))] if asked.locale == Locale::En));
    }
}
