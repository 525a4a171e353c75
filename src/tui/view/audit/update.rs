//! The audit log: what is asked for.

use crate::domain::audit::{AuditFilter, AuditPlace, AuditRow};
use crate::domain::page::Position;
use crate::tui::effect::Load;
use crate::tui::model::Tabbed;
use crate::tui::view::paged::{self, Listed};
use crate::tui::{Effect, Model};

impl Listed for AuditRow {
    fn tabbed(model: &Model) -> &Tabbed<Self> {
        &model.audit
    }

    fn tabbed_mut(model: &mut Model) -> &mut Tabbed<Self> {
        &mut model.audit
    }

    fn page(model: &Model, position: Position<AuditPlace>, generation: u64) -> Load {
        Load::Audit { filter: filter(model), position, generation }
    }

    fn marked(_: &Model) -> usize {
        0
    }
}

pub(in crate::tui) fn want(model: &mut Model, fx: &mut Vec<Effect>) {
    if paged::want::<AuditRow>(model, fx) {
        paged::want_changes::<AuditRow>(model, fx);
    }
}

/// Which entries the list on the screen shows.
pub(in crate::tui) fn filter(model: &Model) -> AuditFilter {
    let kind = model.audit.list().and_then(|list| list.tab);
    AuditFilter::from(model.audit.filter.clone()).of(kind)
}
