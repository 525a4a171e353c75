//! The comparison in words and numbers.

use std::fmt;

use verifydesk::preview::view::{Scheme, View};

use super::judge::{Aspect, Verdict};

const HEAD: &str = "# The layouter beside a browser

`make compare` writes this file; `make test` fails where it is not up to date, or where a mail is below 95 %.

Each mail is shown by headless Chromium with one font of cells (NanumGothicCoding at 16 px: a Latin letter is 8 px wide, a
Hangul syllable 16 px, a line 18 px high), and laid out in cells by the layouter. Then each run of text that the browser
shows, a text node's share of one line, is looked up among the cells, and compared:

- **order**: it comes after the run before it, as the eye goes: down, and to the right on one line.
- **line**: as many rows below what stands over it as in the browser, exactly within one text, to one row where there is
  a gap between; on the same row as what stands beside it; and all in all within two rows and a tenth of the way down.
- **column**: it begins within two columns of where it begins in the browser.
- **card**: its background reaches as far to the left and to the right on its line, within two columns, until another colour
  or a border begins. In the browser that is measured in a picture without text.
- **text colour** and **background**: within 3 of 255 in each channel.
- **bold**: 600 and heavier, or not.

A run that stands nowhere as one piece agrees in nothing, and so does text that the browser does not show. The browser has
no network; images have the size that the mail says. Columns hold the share of runs in percent.
";

/// A mail that was compared.
pub struct Compared {
    pub name: String,
    pub view: View,
    pub verdicts: Vec<Verdict>,
}

impl Compared {
    fn title(&self) -> String {
        let scheme = match self.view.scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
            Scheme::Inverted => "inverted",
        };
        format!("{}, {} px, {scheme}", self.name, self.view.width.pixels())
    }

    fn share(&self, is_right: impl Fn(&Verdict) -> bool) -> f64 {
        let count = |number: usize| f64::from(u32::try_from(number).unwrap());
        100.0 * count(self.verdicts.iter().filter(|verdict| is_right(verdict)).count()) / count(self.verdicts.len())
    }

    fn all_right(&self) -> f64 {
        self.share(|verdict| verdict.wrong.is_empty())
    }
}

/// Every mail that was compared.
#[derive(Default)]
pub struct Report(Vec<Compared>);

impl Report {
    pub fn add(&mut self, compared: Compared) {
        self.0.push(compared);
    }

    /// Mails of which a smaller share agrees, a line each.
    pub fn below(&self, percent: f64) -> Vec<String> {
        let low = self.0.iter().filter(|compared| compared.all_right() < percent);
        low.map(|compared| format!("{}: {:.1} %", compared.title(), compared.all_right())).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        write!(f, "| mail | runs | all agree |")?;
        for aspect in Aspect::ALL {
            write!(f, " {} |", aspect.name())?;
        }
        writeln!(f, "\n|---|--:|--:|{}", "--:|".repeat(Aspect::ALL.len()))?;
        for compared in &self.0 {
            write!(f, "| {} | {} | **{:.1}** |", compared.title(), compared.verdicts.len(), compared.all_right())?;
            for aspect in Aspect::ALL {
                let share = compared.share(|verdict| verdict.wrong.iter().all(|(wrong, _)| *wrong != aspect));
                write!(f, " {share:.0} |")?;
            }
            writeln!(f)?;
        }
        for compared in self.0.iter().filter(|compared| compared.all_right() < 100.0) {
            writeln!(f, "\n## {}\n", compared.title())?;
            for verdict in compared.verdicts.iter().filter(|verdict| !verdict.wrong.is_empty()) {
                let mut said: Vec<String> = Vec::new();
                for (aspect, what) in &verdict.wrong {
                    // What is wrong in every way is said once.
                    if !said.iter().any(|said| said.ends_with(what.as_str())) {
                        let every = verdict.wrong.len() == Aspect::ALL.len();
                        said.push(if every { what.clone() } else { format!("{}: {what}", aspect.name()) });
                    }
                }
                writeln!(f, "- `{}`: {}", verdict.text.replace('`', "'"), said.join("; "))?;
            }
        }
        Ok(())
    }
}
