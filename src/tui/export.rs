//! The list that is being written into a file, beside everything else.

use super::effect::{Answer, Load};
use super::model::{Exporting, Level};
use super::widget::number::thousands;
use super::{Effect, Model};
use crate::export::{Format, Listed, file};
use crate::text::plain;

/// Begins to write all that a list shows.
pub(super) fn begin(model: &mut Model, listed: Listed, format: Format, fx: &mut Vec<Effect>) {
    model.generation += 1;
    let generation = model.generation;
    model.exporting = Some(Exporting { generation, rows: 0 });
    fx.push(Effect::Load(Load::Export { listed, format, generation }));
}

/// How many rows were written so far.
pub(super) fn told(model: &mut Model, generation: u64, rows: usize) {
    if let Some(exporting) = model.exporting.as_mut().filter(|exporting| exporting.generation == generation) {
        exporting.rows = rows;
    }
}

pub(super) fn written(model: &mut Model, generation: u64, answer: Answer<file::Written>) {
    model.heard(&answer);
    if model.exporting.take_if(|exporting| exporting.generation == generation).is_none() {
        return;
    }
    match answer {
        Ok(file::Written { path, rows }) => {
            let path = plain(&path.display().to_string());
            model.toast(Level::Done, format!("{} written.", rows_in_words(rows)), path);
        }
        // Here it is not the banner's to say.
        Err(problem) => model.toast(Level::Failed, format!("Nothing was exported: {}.", problem.what), problem.hint),
    }
}

pub(super) fn stop(model: &mut Model, fx: &mut Vec<Effect>) {
    if model.exporting.take().is_some() {
        fx.push(Effect::Load(Load::ForgetExport));
        model.toast(Level::Done, "The export was stopped; no file is left.", "");
    }
}

/// Whether the console may end: what is not written to its end is removed, which is said once.
pub(super) fn may_be_lost(model: &mut Model) -> bool {
    const WHAT: &str = "A list is being written into a file, and is not finished.";
    let is_said = model.exporting.is_none() || model.toasts.iter().any(|toast| toast.what == WHAT);
    if !is_said {
        model.toast(Level::Refused, WHAT, "q once more ends the console and removes it.");
    }
    is_said
}

/// How far it has come.
pub(super) fn progress(model: &Model) -> Option<String> {
    let rows = rows_in_words(model.exporting?.rows);
    Some(format!("exporting, {rows}, Esc stops it"))
}

fn rows_in_words(rows: usize) -> String {
    let count = thousands(i64::try_from(rows).unwrap_or(i64::MAX));
    if rows == 1 { "1 row".into() } else { format!("{count} rows") }
}
