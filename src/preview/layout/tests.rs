//! Small mails as text art, and the promises about any mail.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

use super::lay_out;
use crate::preview::cell_layout::{CellLayout, Kind, Note, Paint, Rgb};
use crate::preview::view::{Scheme, View, Width};
use crate::text::width;

/// The rows of a mail, `░` where only a background is seen, `·` in gaps; empty rows at the ends are left out.
fn art(laid: &CellLayout) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for row in &laid.rows {
        let mut line = String::new();
        for run in &row.runs {
            let gap = usize::from(run.column).saturating_sub(width(&line));
            line.extend(std::iter::repeat_n('·', gap));
            let background = run.paint.kind == Kind::Background;
            line.push_str(&run.text.replace(' ', if background { "░" } else { " " }));
        }
        rows.push(line);
    }
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows.into_iter().skip_while(String::is_empty).collect()
}

fn small(html: &str) -> CellLayout {
    lay_out(&format!("<!doctype html><body style='margin:0'>{html}"), &View { width: Width::Small, ..View::default() })
}

/// The commonest reset there is: the limit lets an image shrink, and does not make nothing of it.
#[test]
fn an_image_with_a_limit_in_percent_keeps_its_width() {
    let image = "<img width=80 height=18 alt=Logo";
    for limit in ["", " style='max-width:100%'", " style='max-width:100%;height:auto'"] {
        let column =
            format!("<table cellspacing=0 cellpadding=0><tr><td>{image}{limit}></td><td>beside it</td></tr></table>");
        assert_eq!(art(&small(&column)), ["░░▣ Logo░░beside it"], "{limit}");
        let float = format!(
            "<table style='float:right' cellspacing=0 cellpadding=0><tr><td>{image}{limit}></td></tr></table>text"
        );
        assert_eq!(art(&small(&float)), ["text··························░░▣ Logo░░"], "{limit}");
    }
    let sheet = "<style>img { max-width: 100% }</style>";
    assert_eq!(art(&small(&format!("{sheet}<div style='float:left'>{image}></div>text"))), ["░░▣ Logo░░text"]);
    // Without a size it wants its text; in a column narrower than itself it shrinks.
    assert_eq!(art(&small("<div style='float:left'><img alt=Logo style='max-width:100%'></div>text")), ["▣ Logotext"]);
    let narrow = format!(
        "<table width=40 cellspacing=0 cellpadding=0><tr><td>{image} style='max-width:100%'></td></tr></table>"
    );
    assert!(art(&small(&narrow)).iter().all(|row| width(row) <= 5), "{:?}", art(&small(&narrow)));
}

/// The paint of the first run with that text in it.
fn paint(laid: &CellLayout, text: &str) -> Paint {
    let mut runs = laid.rows.iter().flat_map(|row| &row.runs);
    runs.find(|run| run.text.contains(text)).unwrap_or_else(|| panic!("{text} in {:?}", art(laid))).paint
}

#[test]
fn features_as_art() {
    let table: [(&str, &str, &[&str]); 30] = [
        ("text", "one <b>two</b>\n three", &["one two three"]),
        ("wrap", "one two three four five six seven eight nine", &["one two three four five six seven eight", "nine"]),
        ("margins collapse", "<p style='margin:18px 0'>a<p style='margin:18px 0'>b", &["a", "", "b"]),
        (
            "padding",
            "<div style='padding:18px 16px;background:#eee;width:48px'>a</div>",
            &["░░░░░░░░░░", "░░a░░░░░░░", "░░░░░░░░░░"],
        ),
        ("centre", "<div align=center>ab</div>", &["···················ab"]),
        (
            "auto margins",
            "<div style='width:80px;margin:0 auto;text-align:right'>ab</div>",
            &["·······················ab"],
        ),
        (
            "shares",
            "<table width=100% cellspacing=0 cellpadding=0><tr><td width=50%>a<td align=right>b</table>",
            &["a······································b"],
        ),
        (
            "column span",
            "<table width=320 cellspacing=0 cellpadding=0><tr><td colspan=2 align=center>ab<tr><td>c<td>d</table>",
            &["···················ab", "c···················d"],
        ),
        (
            "row span",
            "<table cellspacing=0 cellpadding=0><tr><td rowspan=2 valign=top>a <td>b<tr><td>c</table>",
            &["ab", "·c"],
        ),
        (
            "border",
            "<div style='border:1px solid;width:62px;padding:18px 0;text-align:center'>ab</div>",
            &["┌──────┐", "│··ab··│", "└──────┘"],
        ),
        (
            "button",
            "<a href=x style='display:inline-block;background:#00f;padding:18px 16px'>Go</a>",
            &["░░░░░░", "░░Go░░", "░░░░░░"],
        ),
        (
            "border as padding",
            "<a href=x style='display:inline-block;background:#00f;border:solid #00f;border-width:18px 16px'>Go</a>",
            &["░░░░░░", "░░Go░░", "░░░░░░"],
        ),
        (
            "hidden",
            "<div style='display:none'>x</div><div style='max-height:0;overflow:hidden'>x</div><p hidden>x</p>\
                    <span style='font-size:0'>x</span><span style='opacity:0'>x</span>a",
            &["·a"],
        ),
        ("list", "<ol start=9 type=1><li>a<li value=12>b<ul><li>c</ul></ol>", &["··9.·a", "·12.·b", "········◦·c"]),
        ("rule", "<div style='width:64px'>a<hr>b</div>", &["a", "────────", "b"]),
        ("pre", "<pre>a  b\n c</pre>", &["a  b", " c"]),
        ("break", "a<br>b<br><br>c", &["a", "b", "", "c"]),
        ("quote", "<blockquote>a</blockquote>", &["·····a"]),
        ("image", "<img width=80 height=18 alt=Logo>", &["░░▣ Logo░░"]),
        ("keep-all", "<div style='width:64px;word-break:keep-all'>가나다 라마바</div>", &["가나다", "라마바"]),
        ("syllables", "<div style='width:64px'>가나다 라마바</div>", &["가나다", "라마바"]),
        ("syllables break", "<div style='width:80px'>가나다 라마바</div>", &["가나다 라", "마바"]),
        ("break-all", "<div style='width:32px;word-break:break-all'>abcdefgh</div>", &["abcd", "efgh"]),
        ("a long word stays", "<div style='width:32px'>abcdefgh ij</div>", &["abcdefgh", "ij"]),
        (
            "a long word breaks",
            "<div style='width:32px;overflow-wrap:break-word'>abcdefgh ij</div>",
            &["abcd", "efgh", "ij"],
        ),
        ("transform", "<span style='text-transform:uppercase'>straße</span>", &["STRASSE"]),
        (
            "floats",
            "<table align=left width=160><tr><td>a</table><table align=left width=160><tr><td>b</table>",
            &["a···················b"],
        ),
        (
            "floats below",
            "<table align=left width=200><tr><td>a</table><table align=left width=200><tr><td>b</table>",
            &["a", "", "b"],
        ),
        ("stacked cells", "<table><tr><td style='display:block'>a<td style='display:block'>b</table>", &["a", "b"]),
        (
            "fixed columns",
            "<table width=320 cellspacing=0 cellpadding=0 style='table-layout:fixed'><tr><td width=80>a<td>b</table>",
            &["a·········b"],
        ),
    ];
    for (name, html, expected) in table {
        assert_eq!(art(&small(html)), expected, "{name}");
    }
}

#[test]
fn colours() {
    let laid = small(
        "<style>.a { color: #123456 !important }</style><div style='background:linear-gradient(#101010,#fff)'>\
         <span class=a style='color:red'>one</span> <a href='https://example.org'>two</a>\
         <b style='color:rgba(255,255,255,.5)'>three</b></div>",
    );
    assert_eq!((paint(&laid, "one").text, paint(&laid, "one").background), (Rgb(0x12, 0x34, 0x56), Rgb(16, 16, 16)));
    assert_eq!((paint(&laid, "two").text, paint(&laid, "two").underline), (Rgb(0, 0, 238), true));
    assert_eq!((paint(&laid, "three").text, paint(&laid, "three").bold), (Rgb(136, 136, 136), true));
    assert_eq!(laid.links, ["https://example.org"]);
    assert_eq!(paint(&laid, "two").link, Some(0));
}

#[test]
fn views() {
    let html = "<!doctype html><style>@media (prefers-color-scheme:dark) { p { color: #ff0000 } }\
                @media (max-width: 400px) { p { color: #00ff00 } }</style>\
                <p style='mso-hide:all'>text</p><!--[if mso]><i>Outlook</i><![endif]--><img alt=Logo>";
    let view = View::default();
    let of = |view: View| lay_out(html, &view);
    assert_eq!(paint(&of(view), "text").text, Rgb::BLACK);
    assert_eq!(paint(&of(View { width: Width::Phone, ..view }), "text").text, Rgb(0, 255, 0));
    assert_eq!(paint(&of(View { scheme: Scheme::Dark, ..view }), "text").text, Rgb(255, 0, 0));
    assert_eq!(paint(&of(View { scheme: Scheme::Dark, styles: false, ..view }), "text").text, Rgb::BLACK);
    let inverted = of(View { scheme: Scheme::Inverted, ..view });
    assert!(inverted.background.luminance() < 0.05 && paint(&inverted, "text").text.luminance() > 0.7);
    let outlook = art(&of(View { outlook: true, ..view })).concat();
    assert!(outlook.contains("Outlook") && !outlook.contains("text"), "{outlook}");
    assert!(art(&of(View { images: false, ..view })).concat().contains("Logo"));
    assert!(art(&of(view)).concat().contains("▣ Logo"));
}

#[test]
fn is_plain() {
    let laid = small("a&#x202e;b&#27;[31m<p>pre&#8203;&zwnj;&nbsp;&#847;header &shy;</p><a href='javascript:x'>c</a>");
    let all = art(&laid).concat();
    assert!(!all.contains(['\u{202e}', '\u{1b}', '\u{200b}', '\u{200c}', '\u{ad}']), "{all:?}");
    assert!(all.contains("pre header"), "{all}");
}

#[test]
fn styles_that_cannot_be_read_are_reported() {
    let laid = small("<style>a { color: red } b:::c { d }</style><p style='color:#00f'>text</p>");
    assert_eq!(paint(&laid, "text").text, Rgb(0, 0, 255));
}

/// What is true of every mail.
fn check(html: &str, view: View) -> CellLayout {
    let start = Instant::now();
    let laid = lay_out(html, &view);
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
    assert_eq!(laid.columns, view.width.columns());
    for row in &laid.rows {
        let mut end = 0;
        for run in &row.runs {
            assert!(run.column >= end, "runs overlap");
            let wide: usize = run.text.graphemes(true).map(width).sum();
            assert!(wide > 0, "an empty run");
            end = run.column + u16::try_from(wide).unwrap();
            assert!(end <= laid.needed, "{end} is beyond {}", laid.needed);
            assert_eq!(crate::text::plain(&run.text).as_str(), run.text);
            assert!(run.paint.link.is_none_or(|link| usize::from(link) < laid.links.len()));
        }
    }
    laid
}

#[test]
fn monsters_end() {
    let cells = "<td>x".repeat(3_000);
    let monsters = [
        "<div>".repeat(100_000),
        "<table><tr><td>".repeat(2_000),
        "<b><i>".repeat(50_000) + &"<p>x".repeat(1_000),
        (0..300).fold("<p>".to_owned(), |all, id| all + &format!("<font size={id}>")) + &"<p>x".repeat(20_000),
        "<table><tr><td colspan=1000000 rowspan=65534>x<tr><td>y</table>".to_owned(),
        format!("<table>{}</table>", format!("<tr>{cells}").repeat(4)),
        "<table>".to_owned() + &"<tr><td rowspan=65534>x<td rowspan=0>y".repeat(2_000),
        "word ".repeat(200_000),
        "가".repeat(300_000),
        "x".repeat(1_000_000),
        "<p>a</p>".repeat(120_000),
        "<div style='width:1e9px;height:99999999px;padding:99999px;margin:-9999px'>x</div>".repeat(50),
        "<div style='padding:50%'>".repeat(150) + "x",
        "<div style='display:inline-block;width:100%'>".repeat(180) + "x",
        "<ul>".repeat(200) + "<li>x",
        "<style>".to_owned() + &"@media screen {".repeat(10_000),
        "<style>".to_owned() + &"a { color: red }\n".repeat(50_000) + "</style><a>x",
        "<!--[if mso]>".repeat(50_000),
        "<p style='".to_owned() + &"color:rgb(".repeat(50_000) + "'>x",
        "<img align=left width=10 height=90 alt=x>".repeat(3_000) + &"y ".repeat(2_000),
        "a\u{301}".repeat(100_000),
        "\u{301}\u{0}\u{1b}[2J\r\u{feff}\u{202e}".repeat(20_000),
    ];
    for (number, monster) in monsters.iter().enumerate() {
        let view = View { width: Width::Phone, outlook: number % 2 == 0, ..View::default() };
        let start = Instant::now();
        check(monster, view);
        println!("monster {number}: {:?}", start.elapsed());
    }
    assert_eq!(check(&monsters[0], View::default()).notes, [Note::TooMuch]);
}

#[test]
fn deep_mails_need_little_stack() {
    // As deep as is laid out at all, on half of the stack that threads have by default.
    let depth = usize::from(super::source::dom::DEPTH_MAX) - 8;
    let kinds =
        ["<div>", "<table><tr><td>", "<span>", "<div style='display:inline-block'>", "<ul><li>", "<a href=x><div>"];
    for kind in kinds {
        // A parser adds the body of a table by itself.
        let levels = if kind.starts_with("<table") { 4 } else { kind.matches('<').count() };
        let html = kind.repeat(depth / levels) + "x";
        let thread = std::thread::Builder::new().stack_size(1024 * 1024);
        let laid = thread.spawn(move || lay_out(&html, &View::default())).unwrap().join().unwrap();
        assert!(laid.notes.is_empty(), "{kind} {:?}", laid.notes);
    }
}

const WORDS: [&str; 44] = [
    "<table width=100%>",
    "<table align=left border=1 cellpadding=9>",
    "<tr>",
    "<td colspan=3>",
    "<td rowspan=2 width=50%>",
    "<td width=90 nowrap>",
    "</td>",
    "</tr>",
    "</table>",
    "<div style='float:right;width:40%'>",
    "<div style='display:table-cell'>",
    "<div style='display:inline-block;padding:5px 9px;border:1px solid red'>",
    "</div>",
    "<p>",
    "<b>",
    "</b>",
    "<a href=x>",
    "</a>",
    "<br>",
    "<hr>",
    "<img width=50% alt='an image'>",
    "<img align=right width=100 height=70>",
    "<ul>",
    "<li>",
    "</ul>",
    "<ol type=i start=3990>",
    "<pre>",
    "</pre>",
    "<span style='margin:-9px;padding:3px;background:#ff08'>",
    "</span>",
    "가나다 라마바사 ",
    "one two three ",
    "averyveryverylongwordindeed",
    "\u{200b}",
    "&nbsp;",
    "👨\u{200d}👩\u{200d}👧",
    "e\u{301}",
    "<div style='white-space:nowrap;text-align:right'>",
    "<div style='word-break:break-all;max-width:33px'>",
    "<style>td { padding: 3px } @media (max-width:400px) { td { display: block !important } }</style>",
    "<div style='height:9px;overflow:hidden'>",
    "<center>",
    "<tr style='display:block'>",
    "<div style='margin:20px auto;width:77%;border-left:4px solid blue'>",
];

fn any_view() -> impl Strategy<Value = View> {
    let width = prop::sample::select(Width::ALL.to_vec());
    let scheme = prop::sample::select(Scheme::ALL.to_vec());
    (width, scheme, any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(width, scheme, images, styles, outlook)| View { width, scheme, images, styles, outlook })
}

proptest! {
    #[test]
    fn any_text_is_laid_out(html in any::<String>(), view in any_view()) {
        check(&html, view);
    }

    #[test]
    fn any_markup_is_laid_out(words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..60), view in any_view()) {
        let laid = check(&words.concat(), view);
        prop_assert!(!laid.notes.contains(&Note::TooMuch));
    }

    #[test]
    fn any_declaration_is_read(
        name in prop::sample::select(vec!["width", "margin", "padding", "border", "font", "background", "color", "line-height", "max-width", "display"]),
        value in "[0-9a-z#%(), .!-]{0,20}",
        view in any_view(),
    ) {
        check(&format!("<table><tr><td style=\"{name}:{value}\">one two<td>three</table><style>td {{ {name}:{value} }}</style>"), view);
    }
}
