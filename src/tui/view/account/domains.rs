//! How far the newest links came, by the domains of their addresses.

use ratatui::text::{Line, Span};

use super::charts::right;
use super::panels::heading;
use crate::domain::account::flow::{DomainFunnel, Step, lasting};
use crate::domain::account::view::AccountView;
use crate::domain::number::thousands;
use crate::domain::reputation::percent;
use crate::text::{fit, pad};
use crate::tui::Model;
use crate::tui::theme::{Theme, Tone};

/// Columns of a domain at least, and of a number of links with the gap before it.
const DOMAIN_MIN: usize = 16;
const LINKS: usize = 8;

/// Columns of a step, each with the gap before it.
const STEP: usize = 11;

/// Columns of the time that half of them took, with the gap before it.
const MEDIAN: usize = 9;

/// The steps that are shown, those first that are left out last.
const STEPS: [&str; 4] = ["verified", "opened", "delivered", "accepted"];

pub(super) fn lines(model: &Model, theme: &Theme, columns: u16, view: &AccountView) -> Vec<Line<'static>> {
    if view.domains.is_empty() {
        return Vec::new();
    }
    let mut out = vec![heading(model, theme, columns, ("By domain", "those with the most links"), Some(view.as_of))];
    let room = usize::from(columns).saturating_sub(DOMAIN_MIN + LINKS);
    let shown = &STEPS[..(room / STEP).min(STEPS.len())];
    if shown.is_empty() {
        out.extend(view.domains.iter().flat_map(|of| below_each_other(theme, usize::from(columns), view, of)));
        return out;
    }
    let has_median = room - shown.len() * STEP >= MEDIAN;
    let taken = LINKS + shown.len() * STEP + if has_median { MEDIAN } else { 0 };
    let domain = usize::from(columns).saturating_sub(taken);
    let mut head = " ".repeat(domain) + &right("links", LINKS);
    head.extend(shown.iter().rev().map(|name| right(name, STEP)));
    if has_median {
        head.push_str(&right("median", MEDIAN));
    }
    out.push(Line::styled(head, theme.style(Tone::Quiet)));
    out.extend(view.domains.iter().map(|of| {
        let mut spans = vec![
            Span::raw(pad(of.shown().as_str(), domain, theme.glyphs().ellipsis)),
            Span::styled(right(&thousands(of.funnel.made), LINKS), theme.style(Tone::Text)),
        ];
        spans.extend(steps(shown, of).map(|step| {
            let (words, tone) = part(theme, view, of, step);
            Span::styled(right(&words, STEP), theme.style(tone))
        }));
        if let Some((median, _)) = of.funnel.to_verify.filter(|_| has_median) {
            spans.push(Span::styled(right(&lasting(median), MEDIAN), theme.style(Tone::Quiet)));
        }
        Line::from(spans)
    }));
    out
}

/// The steps with these names, in their order.
fn steps(shown: &[&'static str], of: &DomainFunnel) -> impl Iterator<Item = Step> {
    of.funnel.steps().into_iter().filter(move |step| shown.contains(&step.name))
}

/// What part reaches a step, marked where elsewhere far more do.
fn part(theme: &Theme, view: &AccountView, of: &DomainFunnel, step: Step) -> (String, Tone) {
    let words = percent(of.funnel.part(step));
    let [.., attention] = theme.glyphs().marks;
    if of.is_low(&view.funnel, step) { (format!("{attention} {words}"), Tone::Warn) } else { (words, Tone::Text) }
}

fn below_each_other(theme: &Theme, columns: usize, view: &AccountView, of: &DomainFunnel) -> [Line<'static>; 2] {
    let room = columns.saturating_sub(LINKS);
    let domain = pad(&fit(of.shown().as_str(), room, theme.glyphs().ellipsis), room, "");
    let of_all = steps(&STEPS[..1], of).next();
    let under = of_all.map_or_else(Line::default, |step| {
        let (words, tone) = part(theme, view, of, step);
        Line::styled(format!("  {} {words}", step.name), theme.style(tone))
    });
    [Line::from(vec![Span::raw(domain), Span::raw(right(&thousands(of.funnel.made), LINKS))]), under]
}
