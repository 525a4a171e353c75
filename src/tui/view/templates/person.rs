//! A real mail in the workbench: as its recipient got it, but for the link.

use super::model::Mode;
use crate::domain::id::VerificationId;
use crate::domain::send::SendRow;
use crate::mail::verification::TEMPLATE;
use crate::preview::proof::Person;
use crate::tui::Model;
use crate::tui::model::Level;
use crate::tui::view::detail::cursor;
use crate::tui::view::{detour, mail};

/// Whose mail is to be shown.
#[derive(Clone, Debug)]
pub struct Wish {
    pub id: VerificationId,
    /// Which one; the newest that went out where none is named.
    send: Option<Box<SendRow>>,
}

/// A mail was asked for: it is shown as soon as its user is loaded.
pub(in crate::tui) fn wish(model: &mut Model) {
    let send = mail::listed(model).or_else(|| cursor::chosen_mail(model)).cloned().map(Box::new);
    let of = send.as_ref().and_then(|send| send.verification_id);
    let Some(id) = of.or_else(|| model.subject().map(|subject| subject.id)) else { return };
    let detail = model.detail.data.as_deref();
    let is_loaded = detail.is_some_and(|detail| detail.verifications().iter().any(|one| one.id == id));
    if model.is_away() && !is_loaded {
        return model.toast(
            Level::Refused,
            "The user of this mail is not loaded.",
            "Try again when the database is back.",
        );
    }
    model.preview = Some(Wish { id, send });
    fulfil(model);
}

/// Shows what was asked for, if its user is loaded.
pub(in crate::tui) fn fulfil(model: &mut Model) {
    let Some((wish, detail)) = model.preview.as_ref().zip(model.detail.data.as_deref()) else { return };
    if !detail.verifications().iter().any(|one| one.id == wish.id) {
        return;
    }
    let own = || detail.sends.iter().filter(|send| send.verification_id == Some(wish.id));
    let newest = || own().find(|send| send.mailed_at().is_some()).or_else(|| own().next());
    let send = wish.send.as_deref().or_else(newest);
    let person = Person { id: wish.id, ..Person::of(detail, send) };
    let locale = send.map_or(detail.user.locale, |send| send.locale);
    model.preview = None;
    detour::to_preview(model);
    let bench = &mut model.workbench;
    (bench.person, bench.locale, bench.mode) = (Some(person), locale, Mode::Rendered);
    TEMPLATE.clone_into(&mut bench.template);
}
