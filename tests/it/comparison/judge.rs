//! What agrees between a browser and the layouter. README of the mails, `COMPARISON.md`, says the rules in words.

use std::fmt::Write as _;

use verifydesk::preview::cell_layout::CellLayout;
use verifydesk::preview::view::{CELL_HEIGHT, CELL_WIDTH};

use super::found::{Cells, Place, as_f64, near};
use super::seen::Seen;

/// Something that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    Order,
    Line,
    Column,
    Card,
    Text,
    Background,
    Bold,
}

impl Aspect {
    pub const ALL: [Self; 7] =
        [Self::Order, Self::Line, Self::Column, Self::Card, Self::Text, Self::Background, Self::Bold];

    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Line => "line",
            Self::Column => "column",
            Self::Card => "card",
            Self::Text => "text colour",
            Self::Background => "background",
            Self::Bold => "bold",
        }
    }
}

/// What became of one run.
pub struct Verdict {
    /// What disagrees, in words a person can look up; empty where all agrees.
    pub wrong: Vec<(Aspect, String)>,
    /// The run's text.
    pub text: String,
}

/// Columns that a run or the edge of its card may be off.
const COLUMNS_OFF: f64 = 2.0;

/// Two runs stand on one line if their tops are closer than this, in pixels.
const ONE_LINE: f64 = 9.0;

/// Compares a mail.
pub fn judge(seen: &[Seen], laid: &CellLayout) -> Vec<Verdict> {
    let mut cells = Cells::of(laid);
    let places = cells.find(seen);
    let mut by_eye: Vec<usize> = (0..seen.len()).collect();
    // As the eye goes: down, and from left to right where runs stand on one line.
    by_eye.sort_by(|one, other| seen[*one].top.total_cmp(&seen[*other].top));
    for line in lines_of(&mut by_eye, seen) {
        line.sort_by(|one, other| seen[*one].left.total_cmp(&seen[*other].left));
    }
    let mut verdicts = Vec::new();
    for (index, run) in seen.iter().enumerate() {
        let wrong = match &places[index] {
            None => {
                let nowhere = || "stands nowhere as one piece".to_owned();
                Aspect::ALL.map(|aspect| (aspect, nowhere())).to_vec()
            }
            Some(place) => {
                let around = Around { seen, places: &places, by_eye: &by_eye, index };
                let mut wrong = Vec::new();
                let mut note = |aspect, what: Option<String>| wrong.extend(what.map(|what| (aspect, what)));
                note(Aspect::Order, around.order(place));
                note(Aspect::Line, around.line(place));
                note(Aspect::Column, off("column", run.left, place.column));
                let card = [off("left edge", run.from, place.from), off("right edge", run.to, place.to)];
                note(Aspect::Card, card.into_iter().flatten().reduce(|one, other| format!("{one}, {other}")));
                let colour = |of_browser, of_layout| {
                    (!near(of_browser, of_layout)).then(|| format!("{} is {}", hex(of_browser), hex(of_layout)))
                };
                note(Aspect::Text, colour(run.colour(), place.paint.text));
                note(Aspect::Background, colour(run.background(), place.paint.background));
                let bold = if run.bold { "should be bold" } else { "should not be bold" };
                note(Aspect::Bold, (run.bold != place.paint.bold).then(|| bold.to_owned()));
                wrong
            }
        };
        verdicts.push(Verdict { wrong, text: run.text.clone() });
    }
    for text in cells.left_over(seen) {
        let unseen = || "is not seen in the browser".to_owned();
        verdicts.push(Verdict { wrong: Aspect::ALL.map(|aspect| (aspect, unseen())).to_vec(), text });
    }
    verdicts
}

/// The runs of each line, which are next to each other already.
fn lines_of<'a>(by_top: &'a mut [usize], seen: &[Seen]) -> Vec<&'a mut [usize]> {
    let mut lines = Vec::new();
    let mut rest = by_top;
    while let Some(first) = rest.first() {
        let top = seen[*first].top;
        let count = rest.iter().take_while(|run| seen[**run].top - top < ONE_LINE).count();
        let (line, below) = rest.split_at_mut(count);
        lines.push(line);
        rest = below;
    }
    lines
}

/// A run among the others.
struct Around<'a> {
    seen: &'a [Seen],
    places: &'a [Option<Place>],
    by_eye: &'a [usize],
    index: usize,
}

impl Around<'_> {
    /// The runs before this one as the eye goes, nearest first, that were found.
    fn before(&self) -> impl Iterator<Item = (&Seen, &Place)> {
        let position = self.by_eye.iter().position(|run| *run == self.index).unwrap_or_default();
        let before = self.by_eye[..position].iter().rev();
        before.filter_map(|run| self.places[*run].as_ref().map(|place| (&self.seen[*run], place)))
    }

    fn order(&self, place: &Place) -> Option<String> {
        let run = &self.seen[self.index];
        let (previous, there) = self.before().next()?;
        let beside = run.top - previous.top < ONE_LINE;
        let follows = match (beside, place.row == there.row) {
            (true, true) => place.column > there.column,
            (true, false) => place.row.abs_diff(there.row) <= 1,
            (false, _) => place.row >= there.row,
        };
        (!follows).then(|| format!("comes before \"{}\"", previous.text))
    }

    fn line(&self, place: &Place) -> Option<String> {
        let run = &self.seen[self.index];
        let row = as_f64(place.row);
        let whole = run.top / f64::from(CELL_HEIGHT);
        let mut wrong = String::new();
        if (row - whole).abs() > 2.0 + whole / 10.0 {
            let _ = write!(wrong, "row {whole:.1} of the browser is {row}");
        }
        // The line above counts: what stands over this run, or else whatever comes before.
        let over = |other: &Seen| other.left < run.right && run.left < other.right;
        let above = || self.before().filter(|(other, _)| run.top - other.top >= ONE_LINE);
        let above = above().find(|(other, _)| over(other)).or_else(|| above().next());
        let (text, top, there, within) = match above {
            // Lines of one text follow each other.
            Some((other, there)) if other.node == run.node => (other.text.as_str(), other.top, as_f64(there.row), 0.5),
            Some((other, there)) => (other.text.as_str(), other.top, as_f64(there.row), 1.05),
            None => ("the top", 0.0, 0.0, 1.05),
        };
        let (rows, down) = (row - there, (run.top - top) / f64::from(CELL_HEIGHT));
        if (rows - down).abs() > within {
            let _ =
                write!(wrong, "{}{down:.1} rows below \"{text}\" are {rows}", if wrong.is_empty() { "" } else { "; " });
        }
        let beside = self.before().take_while(|(other, _)| run.top - other.top < ONE_LINE);
        for (other, there) in beside {
            let allowed = usize::from((run.top - other.top).abs() > 2.0);
            if place.row.abs_diff(there.row) > allowed {
                let _ = write!(wrong, "{}not beside \"{}\"", if wrong.is_empty() { "" } else { "; " }, other.text);
                break;
            }
        }
        (!wrong.is_empty()).then_some(wrong)
    }
}

fn off(what: &str, pixels: f64, column: u16) -> Option<String> {
    let expected = pixels / f64::from(CELL_WIDTH);
    let is_off = (expected - f64::from(column)).abs() > COLUMNS_OFF;
    is_off.then(|| format!("{what} {expected:.1} is {column}"))
}

fn hex(colour: verifydesk::preview::cell_layout::Rgb) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}
