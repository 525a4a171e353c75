//! That the judge sees what is wrong, and only that.

use verifydesk::preview::cell_layout::{CellLayout, Kind, Paint, Rgb, Row, Run};
use verifydesk::preview::view::Width;

use super::judge::{Aspect, judge};
use super::seen::Seen;

const INK: Rgb = Rgb(28, 36, 48);
const CARD: Rgb = Rgb(240, 241, 242);

fn seen(node: usize, text: &str, left: f64, top: f64) -> Seen {
    let width = f64::from(u32::try_from(text.len()).unwrap()) * 8.0;
    serde_json::from_value(serde_json::json!({
        "node": node, "text": text, "left": left, "right": left + width, "top": top, "bold": node == 0,
        "colour": [28, 36, 48], "background": [240, 241, 242], "from": 40.0, "to": 600.0,
    }))
    .unwrap()
}

/// A heading, a text of two lines, and two columns beside each other.
fn shown() -> Vec<Seen> {
    vec![
        seen(0, "A heading", 72.0, 27.0),
        seen(1, "a text that goes", 72.0, 63.0),
        seen(1, "on below", 72.0, 81.0),
        seen(2, "left", 72.0, 117.0),
        seen(3, "right", 320.0, 121.0),
    ]
}

fn run(column: u16, text: &str, bold: bool) -> Run {
    let paint = Paint { bold, ..Paint::plain(INK, CARD, Kind::Text) };
    Run { column, text: text.into(), paint }
}

/// As it should be laid out: the card from column 5 to 75.
fn laid() -> CellLayout {
    let rows = [(1, "A heading"), (3, "a text that goes"), (4, "on below"), (6, "left")];
    let mut laid = CellLayout { columns: Width::Desk.columns(), needed: 80, ..CellLayout::default() };
    laid.rows = (0..8).map(|_| Row { runs: vec![run(5, &" ".repeat(70), false)] }).collect();
    for (row, text) in rows {
        let rest = 66 - text.len();
        laid.rows[row].runs = vec![
            run(5, "    ", false),
            run(9, text, row == 1),
            run(75 - 66 + u16::try_from(text.len()).unwrap(), &" ".repeat(rest), false),
        ];
    }
    laid.rows[6].runs.truncate(2);
    laid.rows[6].runs.extend([
        run(13, &" ".repeat(27), false),
        run(40, "right", false),
        run(45, &" ".repeat(30), false),
    ]);
    laid
}

#[test]
fn what_is_right_is_called_right() {
    for verdict in judge(&shown(), &laid()) {
        assert!(verdict.wrong.is_empty(), "{}: {:?}", verdict.text, verdict.wrong);
    }
}

#[test]
fn each_mistake_is_called_by_its_name() {
    type Mistake = fn(&mut CellLayout);
    let table: [(&str, Mistake, &[Aspect]); 10] = [
        ("a heading", |laid| laid.rows[1].runs[1].text = "A Heading".into(), &Aspect::ALL),
        ("on below", |laid| laid.rows.insert(4, Row::default()), &[Aspect::Line]),
        ("right", |laid| laid.rows.swap(6, 4), &[Aspect::Order, Aspect::Line]),
        (
            "left",
            |laid| {
                laid.rows[6].runs[0].text = " ".repeat(7);
                laid.rows[6].runs[1].column = 12;
                laid.rows[6].runs[2] = run(16, &" ".repeat(24), false);
            },
            &[Aspect::Column],
        ),
        ("left", |laid| laid.rows[6].runs[0].paint.background = Rgb::WHITE, &[Aspect::Card]),
        ("left", |laid| drop(laid.rows[6].runs.pop()), &[Aspect::Card]),
        ("right", |laid| laid.rows[6].runs[3].paint.text = Rgb(28, 40, 48), &[Aspect::Text]),
        (
            "right",
            |laid| laid.rows[6].runs[3].paint.background = Rgb(240, 241, 250),
            &[Aspect::Card, Aspect::Background],
        ),
        ("A heading", |laid| laid.rows[1].runs[1].paint.bold = false, &[Aspect::Bold]),
        ("hidden", |laid| laid.rows.push(Row { runs: vec![run(9, "hidden", false)] }), &Aspect::ALL),
    ];
    for (text, mistake, aspects) in table {
        let mut laid = laid();
        mistake(&mut laid);
        let wrong: Vec<Aspect> = judge(&shown(), &laid)
            .into_iter()
            .filter(|verdict| !verdict.wrong.is_empty())
            .flat_map(|verdict| verdict.wrong.into_iter().map(|(aspect, _)| aspect))
            .collect();
        for aspect in aspects {
            assert!(wrong.contains(aspect), "{text}: {aspect:?} is missing in {wrong:?}");
        }
        for aspect in &wrong {
            assert!(aspects.contains(aspect), "{text}: {aspect:?} is not wrong");
        }
    }
}
