//! The detail: when it is asked for, and what an answer changes.

use super::wanted;
use crate::domain::id::VerificationId;
use crate::domain::verification::VerificationDetail;
use crate::tui::effect::{Answer, Load};
use crate::tui::view::templates;
use crate::tui::{Effect, Model};

/// One load of a detail at a time: while the cursor runs over rows, those in between are never asked for.
pub(in crate::tui) fn want(model: &mut Model, fx: &mut Vec<Effect>) {
    let (wanted, away) = (wanted(model), model.is_away());
    let detail = &mut model.detail;
    if detail.id != wanted {
        detail.id = wanted;
        (detail.scroll, detail.chosen) = (0, None);
        detail.data = None;
        (detail.missing, detail.problem, detail.stale) = (false, None, false);
    }
    let Some(id) = wanted else { return };
    let lacking = detail.data.is_none() && !detail.missing && detail.problem.is_none();
    if !away && detail.loading.is_none() && (lacking || detail.stale) {
        detail.loading = Some(id);
        detail.stale = false;
        fx.push(Effect::Load(Load::Detail { id }));
    }
}

pub(in crate::tui) fn loaded(model: &mut Model, id: VerificationId, answer: Answer<Option<Box<VerificationDetail>>>) {
    model.heard(&answer);
    let detail = &mut model.detail;
    if detail.loading == Some(id) {
        detail.loading = None;
    }
    if detail.id != Some(id) {
        return;
    }
    match answer {
        Ok(Some(data)) => {
            (detail.missing, detail.problem) = (false, None);
            detail.data = Some(data);
            templates::person::fulfil(model);
        }
        Ok(None) => detail.missing = true,
        Err(problem) if detail.data.is_some() => model.complain(problem),
        Err(problem) => detail.problem = Some(problem),
    }
}
