//! Widths of a table's columns, by CSS Tables 3.

use crate::preview::layout::style::value::{PX, Unit};

/// The widths of a column's cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The largest min-content width.
    pub min_content: Unit,
    /// The largest max-content width, or the specified one.
    pub max_content: Unit,
    /// Whether that is a specified width.
    pub fixed: bool,
    /// The specified share, 64 to a percent.
    pub percent: Unit,
}

/// What a cell over several columns wants.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Its first column.
    pub column: usize,
    pub count: usize,
    pub wants: Column,
}

/// Gives columns what cells over several of them want beyond what they have.
pub fn spread(columns: &mut [Column], span: &Span, gap: Unit) {
    let end = (span.column + span.count).min(columns.len());
    let Some(columns) = columns.get_mut(span.column..end).filter(|columns| !columns.is_empty()) else { return };
    let gaps = gap * (count(columns) - 1);
    if span.wants.percent > 0 {
        let percents: Unit = columns.iter().map(|column| column.percent).sum();
        let free = columns.iter().filter(|column| column.percent == 0).count();
        let rest = span.wants.percent - percents;
        if rest > 0 && free > 0 {
            let share = rest / Unit::try_from(free).unwrap_or(1);
            columns.iter_mut().filter(|column| column.percent == 0).for_each(|column| column.percent = share);
        }
    }
    let max_content: Unit = columns.iter().map(|column| column.max_content).sum();
    let more = span.wants.max_content - gaps - max_content;
    if more > 0 {
        let weights = weights(columns);
        for (column, add) in columns.iter_mut().zip(shares(more, &weights)) {
            column.max_content += add;
        }
    }
    let min_content: Unit = columns.iter().map(|column| column.min_content).sum();
    let more = span.wants.min_content - gaps - min_content;
    if more > 0 {
        // Columns grow up to their max-content width before they grow beyond it.
        let headroom: Vec<Unit> =
            columns.iter().map(|column| (column.max_content - column.min_content).max(0)).collect();
        let free: Unit = headroom.iter().sum();
        let within = more.min(free);
        let over = shares(more - within, &weights(columns));
        for ((column, add), over) in columns.iter_mut().zip(shares(within, &headroom)).zip(over) {
            column.min_content += add + over;
            column.max_content = column.max_content.max(column.min_content);
        }
    }
}

/// Which columns take what is left: those of no specified width, by their max-content width.
fn weights(columns: &[Column]) -> Vec<Unit> {
    let auto = |column: &Column| !column.fixed && column.percent == 0;
    let all = columns.iter().any(auto);
    let weights: Vec<Unit> =
        columns.iter().map(|column| if !all || auto(column) { column.max_content } else { 0 }).collect();
    if weights.iter().sum::<Unit>() > 0 {
        return weights;
    }
    columns.iter().map(|column| Unit::from(!all || auto(column))).collect()
}

fn count(columns: &[Column]) -> Unit {
    Unit::try_from(columns.len()).unwrap_or(1)
}

/// Splits an amount by weights, to the last unit.
fn shares(amount: Unit, weights: &[Unit]) -> Vec<Unit> {
    let total: Unit = weights.iter().sum();
    if total <= 0 || amount <= 0 {
        return vec![0; weights.len()];
    }
    let (mut given, mut seen) = (0, 0);
    weights
        .iter()
        .map(|weight| {
            seen += weight;
            let upto = amount * seen / total;
            let share = upto - given;
            given = upto;
            share
        })
        .collect()
}

/// The min-content and the max-content width of all columns together.
pub fn sums(columns: &[Column]) -> (Unit, Unit) {
    let min_content = columns.iter().map(|column| column.min_content).sum();
    let max_content: Unit = columns.iter().map(|column| column.max_content.max(column.min_content)).sum();
    let percents: Unit = columns.iter().map(|column| column.percent).sum();
    let whole = 100 * PX;
    // A share of the table that is as wide as its contents want makes the table wider.
    let by_share =
        columns.iter().filter(|column| column.percent > 0).map(|column| column.max_content * whole / column.percent);
    let rest: Unit = columns.iter().filter(|column| column.percent == 0).map(|column| column.max_content).sum();
    let by_rest = if percents > 0 && percents < whole && rest > 0 { rest * whole / (whole - percents) } else { 0 };
    (min_content, max_content.max(by_share.max().unwrap_or(0)).max(by_rest))
}

/// How wide each column is where all of them have `width`.
pub fn divide(columns: &[Column], width: Unit) -> Vec<Unit> {
    let mut percents = 0;
    // More than the whole cannot be shared out.
    let shares_of: Vec<Unit> = columns
        .iter()
        .map(|column| {
            let percent = column.percent.min(100 * PX - percents);
            percents += percent;
            percent
        })
        .collect();
    let by_share = |index: usize| (width * shares_of[index] / (100 * PX)).max(columns[index].min_content);
    let guess = |share: bool, fixed: bool, auto: bool| -> Vec<Unit> {
        columns
            .iter()
            .enumerate()
            .map(|(index, column)| match column {
                column if column.percent > 0 => {
                    if share {
                        by_share(index)
                    } else {
                        column.min_content
                    }
                }
                column if column.fixed && fixed || !column.fixed && auto => column.max_content.max(column.min_content),
                column => column.min_content,
            })
            .collect()
    };
    let guesses =
        [guess(false, false, false), guess(true, false, false), guess(true, true, false), guess(true, true, true)];
    let total = |guess: &Vec<Unit>| guess.iter().sum::<Unit>();
    if width <= total(&guesses[0]) {
        return guesses[0].clone();
    }
    for pair in guesses.windows(2) {
        let (below, above) = (total(&pair[0]), total(&pair[1]));
        if width <= above {
            let growth: Vec<Unit> = pair[0].iter().zip(&pair[1]).map(|(a, b)| b - a).collect();
            let add = shares(width - below, &growth);
            return pair[0].iter().zip(add).map(|(a, add)| a + add).collect();
        }
    }
    let max_content = &guesses[3];
    let left = width - total(max_content);
    let auto: Vec<Unit> =
        columns.iter().map(|column| if column.fixed || column.percent > 0 { 0 } else { column.max_content }).collect();
    let empty: Vec<Unit> = columns.iter().map(|column| Unit::from(!column.fixed && column.percent == 0)).collect();
    let fixed: Vec<Unit> =
        columns.iter().map(|column| if column.fixed && column.percent == 0 { column.max_content } else { 0 }).collect();
    let even = vec![1; columns.len()];
    let weights = [auto, empty, fixed, shares_of, even];
    let weights = weights.iter().find(|weights| weights.iter().any(|weight| *weight > 0));
    let add = weights.map_or_else(Vec::new, |weights| shares(left, weights));
    max_content.iter().zip(add).map(|(a, add)| a + add).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(min_content: Unit, max_content: Unit) -> Column {
        Column { min_content, max_content, ..Column::default() }
    }

    fn fixed(width: Unit) -> Column {
        Column { min_content: 0, max_content: width, fixed: true, percent: 0 }
    }

    fn percent(percent: Unit, min_content: Unit) -> Column {
        Column { min_content, max_content: min_content, fixed: false, percent: percent * PX }
    }

    #[test]
    fn divides() {
        let table: [(&[Column], Unit, &[Unit]); 8] = [
            (&[auto(10, 30), auto(10, 10)], 20, &[10, 10]),
            (&[auto(10, 30), auto(10, 10)], 30, &[20, 10]),
            (&[auto(10, 30), auto(10, 10)], 80, &[60, 20]),
            (&[fixed(50), auto(10, 20)], 100, &[50, 50]),
            (&[fixed(50), fixed(50)], 200, &[100, 100]),
            (&[percent(50, 10), auto(10, 20)], 100, &[50, 50]),
            (&[percent(80, 10), percent(80, 10)], 100, &[80, 20]),
            (&[auto(0, 0), auto(0, 0)], 100, &[50, 50]),
        ];
        for (columns, width, expected) in table {
            assert_eq!(divide(columns, width), expected, "{columns:?} {width}");
        }
    }

    #[test]
    fn spans() {
        let mut columns = [auto(10, 10), auto(10, 30)];
        spread(&mut columns, &Span { column: 0, count: 2, wants: auto(60, 60) }, 0);
        assert_eq!(columns.iter().map(|column| column.min_content).sum::<Unit>(), 60);
        assert_eq!(sums(&columns), (60, 60));
        assert_eq!(sums(&[percent(50, 40), auto(10, 10)]), (50, 80));
    }
}
