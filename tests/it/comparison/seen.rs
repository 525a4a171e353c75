//! What a browser shows of a mail.

use serde::Deserialize;
use serde_json::json;
use unicode_width::UnicodeWidthStr as _;
use verifydesk::preview::cell_layout::Rgb;
use verifydesk::preview::view::{CELL_WIDTH, Scheme, View};

use crate::support::browser::{Colours, Page};

const MEASURE: &str = include_str!("measure.js");

/// A text node's share of one line. Lengths are in CSS pixels.
#[derive(Clone, Debug, Deserialize)]
pub struct Seen {
    /// Which text node it is of.
    pub node: usize,
    pub text: String,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    colour: [u8; 3],
    background: [u8; 3],
    /// Where its background begins and ends, on its own line.
    pub from: f64,
    pub to: f64,
    pub bold: bool,
}

impl Seen {
    pub fn colour(&self) -> Rgb {
        rgb(self.colour)
    }

    pub fn background(&self) -> Rgb {
        rgb(self.background)
    }
}

fn rgb([red, green, blue]: [u8; 3]) -> Rgb {
    Rgb(red, green, blue)
}

/// Everything that is seen of a mail, in the order of the document.
pub async fn look(page: &Page, html: &str, view: &View) -> Vec<Seen> {
    let colours = match view.scheme {
        Scheme::Light => Colours::Light,
        Scheme::Dark => Colours::Dark,
        Scheme::Inverted => panic!("a browser does not invert colours"),
    };
    page.view(view.width.pixels(), 400, colours).await;
    page.show(html).await;
    let height = page.evaluate(&format!("({MEASURE}).prepare()")).await.as_u64().unwrap();
    // Text that is below the window is not clipped by it, but a picture is taken faster of a window that holds all.
    page.view(view.width.pixels(), u16::try_from(height).unwrap().max(400), colours).await;
    let runs = page.evaluate(&format!("({MEASURE}).runs()")).await;
    let picture = page.picture().await;
    let runs = page.evaluate(&format!("({MEASURE}).backgrounds({runs}, {})", json!(picture))).await;
    let seen: Vec<Seen> = serde_json::from_value(runs).unwrap();
    for run in &seen {
        let cells = ((run.right - run.left) / f64::from(CELL_WIDTH)).round();
        let text = &run.text;
        let width = f64::from(u16::try_from(text.width()).unwrap());
        assert!(
            (cells - width).abs() < 0.5,
            "{text:?} is {cells} cells wide in the browser, but {width} in a terminal; is NanumGothicCoding there?"
        );
    }
    seen
}
