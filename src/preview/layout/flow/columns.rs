//! Widths of a table's columns, by CSS Tables 3.

use crate::preview::layout::style::value::{PX, Unit};

/// What a column's cells want.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The least.
    pub least: Unit,
    /// The most.
    pub most: Unit,
    /// Whether the most is a width that was told.
    pub fixed: bool,
    /// The share that was told, 64 to a percent.
    pub percent: Unit,
}

/// What a cell over several columns wants.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Its first column.
    pub column: usize,
    /// How many.
    pub count: usize,
    /// What it wants.
    pub wants: Column,
}

/// Gives columns what cells over several of them want beyond what they have.
pub fn spread(columns: &mut [Column], span: &Span, gap: Unit) {
    let end = (span.column + span.count).min(columns.len());
    let Some(columns) = columns.get_mut(span.column..end).filter(|columns| !columns.is_empty()) else { return };
    let gaps = gap * (count(columns) - 1);
    if span.wants.percent > 0 {
        let told: Unit = columns.iter().map(|column| column.percent).sum();
        let free = columns.iter().filter(|column| column.percent == 0).count();
        let rest = span.wants.percent - told;
        if rest > 0 && free > 0 {
            let share = rest / Unit::try_from(free).unwrap_or(1);
            columns.iter_mut().filter(|column| column.percent == 0).for_each(|column| column.percent = share);
        }
    }
    let most: Unit = columns.iter().map(|column| column.most).sum();
    let more = span.wants.most - gaps - most;
    if more > 0 {
        let weights = weights(columns);
        for (column, add) in columns.iter_mut().zip(shares(more, &weights)) {
            column.most += add;
        }
    }
    let least: Unit = columns.iter().map(|column| column.least).sum();
    let more = span.wants.least - gaps - least;
    if more > 0 {
        // Columns grow towards what they want at most before they grow beyond it.
        let headroom: Vec<Unit> = columns.iter().map(|column| (column.most - column.least).max(0)).collect();
        let room: Unit = headroom.iter().sum();
        let within = more.min(room);
        let over = shares(more - within, &weights(columns));
        for ((column, add), over) in columns.iter_mut().zip(shares(within, &headroom)).zip(over) {
            column.least += add + over;
            column.most = column.most.max(column.least);
        }
    }
}

/// Which columns take what is left: those that nothing was told about, by what they want.
fn weights(columns: &[Column]) -> Vec<Unit> {
    let auto = |column: &Column| !column.fixed && column.percent == 0;
    let all = columns.iter().any(auto);
    let weights: Vec<Unit> = columns.iter().map(|column| if !all || auto(column) { column.most } else { 0 }).collect();
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

/// What all columns want together at the least, and at the most.
pub fn sums(columns: &[Column]) -> (Unit, Unit) {
    let least = columns.iter().map(|column| column.least).sum();
    let most: Unit = columns.iter().map(|column| column.most.max(column.least)).sum();
    let told: Unit = columns.iter().map(|column| column.percent).sum();
    let whole = 100 * PX;
    // A share of the table that is as wide as its contents want makes the table wider.
    let by_share =
        columns.iter().filter(|column| column.percent > 0).map(|column| column.most * whole / column.percent);
    let rest: Unit = columns.iter().filter(|column| column.percent == 0).map(|column| column.most).sum();
    let by_rest = if told > 0 && told < whole && rest > 0 { rest * whole / (whole - told) } else { 0 };
    (least, most.max(by_share.max().unwrap_or(0)).max(by_rest))
}

/// How wide each column is where all of them have `width`.
pub fn divide(columns: &[Column], width: Unit) -> Vec<Unit> {
    let mut told = 0;
    // More than the whole cannot be shared out.
    let shares_of: Vec<Unit> = columns
        .iter()
        .map(|column| {
            let percent = column.percent.min(100 * PX - told);
            told += percent;
            percent
        })
        .collect();
    let by_share = |index: usize| (width * shares_of[index] / (100 * PX)).max(columns[index].least);
    let guess = |share: bool, fixed: bool, auto: bool| -> Vec<Unit> {
        columns
            .iter()
            .enumerate()
            .map(|(index, column)| match column {
                column if column.percent > 0 => {
                    if share {
                        by_share(index)
                    } else {
                        column.least
                    }
                }
                column if column.fixed && fixed || !column.fixed && auto => column.most.max(column.least),
                column => column.least,
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
    let most = &guesses[3];
    let left = width - total(most);
    let auto: Vec<Unit> =
        columns.iter().map(|column| if column.fixed || column.percent > 0 { 0 } else { column.most }).collect();
    let empty: Vec<Unit> = columns.iter().map(|column| Unit::from(!column.fixed && column.percent == 0)).collect();
    let fixed: Vec<Unit> =
        columns.iter().map(|column| if column.fixed && column.percent == 0 { column.most } else { 0 }).collect();
    let even = vec![1; columns.len()];
    let weights = [auto, empty, fixed, shares_of, even];
    let weights = weights.iter().find(|weights| weights.iter().any(|weight| *weight > 0));
    let add = weights.map_or_else(Vec::new, |weights| shares(left, weights));
    most.iter().zip(add).map(|(a, add)| a + add).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(least: Unit, most: Unit) -> Column {
        Column { least, most, ..Column::default() }
    }

    fn fixed(width: Unit) -> Column {
        Column { least: 0, most: width, fixed: true, percent: 0 }
    }

    fn percent(percent: Unit, least: Unit) -> Column {
        Column { least, most: least, fixed: false, percent: percent * PX }
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
        assert_eq!(columns.iter().map(|column| column.least).sum::<Unit>(), 60);
        assert_eq!(sums(&columns), (60, 60));
        assert_eq!(sums(&[percent(50, 40), auto(10, 10)]), (50, 80));
    }
}
