//! What became of the mails, for a person: by day, and from the link to who is verified.

use super::table;
use crate::cli::time;
use crate::domain::account::flow::{DomainFunnel, Funnel, Step, lasting, series};
use crate::domain::account::view::AccountView;
use crate::domain::number::thousands;
use crate::domain::reputation::percent;

/// Each part with a blank line before it, in so many columns.
pub fn lines(view: &AccountView, columns: usize) -> Vec<String> {
    let mut out = vec![String::new(), format!("14 days, counted at {}", time::shown(view.as_of))];
    out.extend(series(&view.days).map(|one| {
        let total = if one.is_cut() { format!("{} or more", thousands(one.total())) } else { thousands(one.total()) };
        fact(one.name, &total)
    }));
    let Funnel { made, most, .. } = view.funnel;
    let of = if made >= most { "the newest " } else { "" };
    let about = format!("{of}{} links of 14 days", thousands(made));
    out.push(String::new());
    out.push(format!("From link to verified ({about}), counted at {}", time::shown(view.as_of)));
    if made == 0 {
        return out;
    }
    out.extend(view.funnel.steps().map(|step| fact(step.name, &reached(&view.funnel, step))));
    let rows: Vec<_> = view.domains.iter().map(|of| row(view, of)).collect();
    out.push(String::new());
    let headings = ["By domain", "links", "accepted", "delivered", "opened", "verified", "median"];
    out.extend(table::lines(&headings, &rows, columns));
    out
}

fn fact(label: &str, words: &str) -> String {
    format!("  {label:<10}  {words}")
}

/// "1,688, 84.4 %; half within 81 s, 95 in 100 within 3.2 h"
fn reached(funnel: &Funnel, step: Step) -> String {
    let within = step
        .times
        .map(|(median, late)| format!("; half within {}, 95 in 100 within {}", lasting(median), lasting(late)));
    format!("{}, {}{}", thousands(step.count), percent(funnel.part(step)), within.unwrap_or_default())
}

/// A step that is reached by far fewer than elsewhere has a mark.
fn row(view: &AccountView, of: &DomainFunnel) -> Vec<String> {
    let mut cells = vec![of.shown().into_string()];
    cells.extend(of.funnel.steps().into_iter().enumerate().map(|(n, step)| match n {
        0 => thousands(step.count),
        _ if of.is_low(&view.funnel, step) => format!("{} !", percent(of.funnel.part(step))),
        _ => percent(of.funnel.part(step)),
    }));
    cells.push(of.funnel.to_verify.map(|(median, _)| lasting(median)).unwrap_or_default());
    cells
}
