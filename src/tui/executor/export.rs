//! Writing what a list shows into a file.

use std::sync::Arc;
use std::time::Duration;

use super::Executor;
use crate::export::{Format, Listed, file};
use crate::store::Store;
use crate::tui::effect::Loaded;
use crate::tui::msg::Msg;

/// How long it may take, while it says how far it is.
const EXPORT_MAX: Duration = Duration::from_hours(24);

impl Executor {
    pub(super) fn export(&mut self, store: Store, listed: Listed, format: Format, generation: u64) {
        let context = &self.context;
        let telling = Arc::clone(context);
        let written = Box::pin(async move {
            let tell = |rows| telling.send(Msg::Loaded(Loaded::Exporting { generation, rows }));
            file::write(&store, &listed, format, &file::directory()?, chrono::Utc::now(), tell).await
        });
        let written = context.ask_for(EXPORT_MAX, None, written);
        // Until it has ended, whatever came of it.
        let until = self.exports.token();
        let written = Box::pin(async move {
            let _until = until;
            written.await
        });
        let loaded = move |answer| Msg::Loaded(Loaded::Exported { generation, answer });
        context.answer(self.export.next(&self.all), written, loaded);
    }
}
