//! Where what was read from the database goes.

use crate::tui::effect::Loaded;
use crate::tui::model::Searched;
use crate::tui::screen::notice;
use crate::tui::view::{account, detail, hits, near, paged, queue, suppressed, verifications};
use crate::tui::{Effect, Model, dialog, export};

/// What was read from the database.
pub fn loaded(model: &mut Model, loaded: Loaded, fx: &mut Vec<Effect>) {
    match loaded {
        Loaded::Page { generation, answer } => verifications::update::page_loaded(model, generation, answer),
        Loaded::Searched { generation, found, back_to } => {
            model.searched = Some(Searched { generation, found, back_to });
            model.dirty = true;
        }
        Loaded::Rows { asked, answer } => verifications::update::rows_loaded(model, &asked, answer, fx),
        Loaded::Newer { generation, answer } => verifications::update::newer_loaded(model, generation, answer, fx),
        Loaded::NearMisses { search, answer } => near::loaded(model, &search, answer),
        Loaded::VerificationHits { filter, answer } => hits::verifications_loaded(model, filter, answer),
        Loaded::SendHits { filter, answer } => hits::sends_loaded(model, filter, answer),
        Loaded::Counts(answer) => {
            let before = model.counts;
            verifications::update::counts_loaded(model, answer, fx);
            model.dirty |= model.counts != before;
        }
        Loaded::Outbox(answer) => {
            let shown = |model: &Model| (notice::shown(model), queue::shown(model));
            let before = shown(model);
            queue::update::loaded(model, answer.map(|outbox| *outbox), fx);
            model.dirty |= shown(model) != before;
        }
        Loaded::Account { took, answer } => account::update::loaded(model, took, answer),
        // Where they are not known nothing is forbidden beforehand: the database has the last word.
        Loaded::Rights(answer) => model.rights = answer.ok(),
        Loaded::Detail { id, answer } => detail::update::loaded(model, id, answer),
        Loaded::Sends { generation, answer } => {
            paged::page_loaded(model, generation, answer);
        }
        Loaded::Audit { generation, answer } => {
            paged::page_loaded(model, generation, answer);
        }
        Loaded::Suppressed { generation, answer } => suppressed::update::loaded(model, generation, answer),
        Loaded::Exporting { generation, rows } => export::told(model, generation, rows),
        Loaded::Exported { generation, answer } => export::written(model, generation, answer),
        Loaded::Found { generation, found } => dialog::doctor_found(model, generation, found),
        Loaded::Looked { generation, answer } => dialog::doctor_looked(model, generation, answer),
        Loaded::Job { id, took, answer } => queue::update::counted(model, id, took, answer),
        asked @ (Loaded::ResendPlan { .. }
        | Loaded::JobPlanProgress { .. }
        | Loaded::JobPlan { .. }
        | Loaded::GivenUp(_)) => {
            dialog::planned(model, asked);
        }
    }
}
