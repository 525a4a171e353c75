//! Keys whole, in pieces, late and never; what terminals answer; pastes with an end and without.

use proptest::prelude::*;

use super::paste::PASTE_MAX;
use super::*;

/// A keyboard at the other end of a line, and the time.
struct Line {
    keys: Keys,
    now: Instant,
    typed: Vec<Typed>,
}

impl Line {
    fn new() -> Self {
        Self { keys: Keys::default(), now: Instant::now(), typed: Vec::new() }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.typed.extend(self.keys.feed(bytes.as_ref(), self.now));
        self
    }

    fn pause(&mut self, mut length: Duration) -> &mut Self {
        while let Some(wait) = self.keys.wait(self.now).filter(|wait| *wait <= length) {
            self.now += wait;
            length -= wait;
            self.typed.extend(self.keys.give_up());
        }
        self.now += length;
        self
    }

    fn take(&mut self) -> Vec<Typed> {
        std::mem::take(&mut self.typed)
    }
}

const LONG: Duration = Duration::from_mins(1);

fn read(bytes: &[u8]) -> Vec<Typed> {
    Line::new().send(bytes).pause(LONG).take()
}

fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Typed {
    Typed::Key(key(code, modifiers))
}

fn typed(c: char) -> Typed {
    pressed(KeyCode::Char(c), KeyModifiers::NONE)
}

fn escape() -> Typed {
    pressed(KeyCode::Esc, KeyModifiers::NONE)
}

fn ctrl_c() -> Typed {
    pressed(KeyCode::Char('c'), KeyModifiers::CONTROL)
}

/// What terminals send without being asked by the console: answers to others, reports, what is cut or unknown.
const NOISE: [&[u8]; 34] = [
    b"\x1b[I",
    b"\x1b[O",
    b"\x1b[<0;10;20M",
    b"\x1b[M !!",
    b"\x1b[?62;22c",
    b"\x1b[>41;354;0c",
    b"\x1b[0n",
    b"\x1b[24;80R",
    b"\x1b[1;80R",
    b"\x1b[?1;2R",
    b"\x1b[?1u",
    b"\x1b[?31u",
    b"\x1b[?2026;2$y",
    b"\x1b[?997;1n",
    b"\x1b[8;24;80t",
    b"\x1b[97;1:3u",
    b"\x1b[99~",
    b"\x1b[201~",
    b"\x1b[57358u",
    b"\x1b[1!A",
    b"\xff",
    "\u{85}".as_bytes(),
    b"\x1b]11;rgb:ffff/ffff/ffff\x07",
    b"\x1b]10;rgb:0000/0000/0000\x1b\\",
    b"\x1b]52;c;cnJyYnJC\x9c",
    "\u{9d}4;1;rgb:cd/00/00\u{9c}".as_bytes(),
    "\u{1b}]l미나 resend 윜\u{1b}\\".as_bytes(),
    b"\x1bP>|XTerm(379)\x1b\\",
    b"\x1bP1+r524742=38\x1b\\",
    b"\x90!|7E565445\x9c",
    b"\x1b_Gi=31;OK\x1b\\",
    b"\x9fGi=31;error\x9c",
    b"\x1b^rrr\x1b\\",
    b"\x1bXrrBB\x18",
];

#[test]
fn single_keys() {
    let none = KeyModifiers::NONE;
    let table: [(&[u8], KeyCode, KeyModifiers); 40] = [
        (b"q", KeyCode::Char('q'), none),
        (b"G", KeyCode::Char('G'), KeyModifiers::SHIFT),
        (b"?", KeyCode::Char('?'), none),
        ("김".as_bytes(), KeyCode::Char('김'), none),
        ("👍".as_bytes(), KeyCode::Char('👍'), none),
        (b"\r", KeyCode::Enter, none),
        (b"\n", KeyCode::Char('j'), KeyModifiers::CONTROL),
        (b"\t", KeyCode::Tab, none),
        (b"\x7f", KeyCode::Backspace, none),
        (b"\x08", KeyCode::Char('h'), KeyModifiers::CONTROL),
        (b"\x00", KeyCode::Char(' '), KeyModifiers::CONTROL),
        (b"\x03", KeyCode::Char('c'), KeyModifiers::CONTROL),
        (b"\x1a", KeyCode::Char('z'), KeyModifiers::CONTROL),
        (b"\x1f", KeyCode::Char('7'), KeyModifiers::CONTROL),
        (b"\x1b", KeyCode::Esc, none),
        (b"\x1bx", KeyCode::Char('x'), KeyModifiers::ALT),
        (b"\x1b\r", KeyCode::Enter, KeyModifiers::ALT),
        (b"\x1b[A", KeyCode::Up, none),
        (b"\x9bA", KeyCode::Up, none),
        ("\u{9b}1;5A".as_bytes(), KeyCode::Up, KeyModifiers::CONTROL),
        (b"\x1bO5P", KeyCode::F(1), KeyModifiers::CONTROL),
        (b"\x1bOB", KeyCode::Down, none),
        (b"\x1b[1;5C", KeyCode::Right, KeyModifiers::CONTROL),
        (b"\x1b[1;4D", KeyCode::Left, KeyModifiers::SHIFT.union(KeyModifiers::ALT)),
        (b"\x1b[H", KeyCode::Home, none),
        (b"\x1b[4~", KeyCode::End, none),
        (b"\x1b[3~", KeyCode::Delete, none),
        (b"\x1b[5~", KeyCode::PageUp, none),
        (b"\x1b[6;2~", KeyCode::PageDown, KeyModifiers::SHIFT),
        (b"\x1b[Z", KeyCode::BackTab, KeyModifiers::SHIFT),
        (b"\x1bOP", KeyCode::F(1), none),
        (b"\x1b[[E", KeyCode::F(5), none),
        (b"\x1b[15~", KeyCode::F(5), none),
        (b"\x1b[17~", KeyCode::F(6), none),
        (b"\x1b[24~", KeyCode::F(12), none),
        (b"\x1b[1;2R", KeyCode::F(3), KeyModifiers::SHIFT),
        (b"\x1b[97;5u", KeyCode::Char('a'), KeyModifiers::CONTROL),
        (b"\x1b[27u", KeyCode::Esc, none),
        (b"\x1b[13;2u", KeyCode::Enter, KeyModifiers::SHIFT),
        (b"\x1bOM", KeyCode::Enter, none),
    ];
    for (bytes, code, modifiers) in table {
        assert_eq!(read(bytes), [pressed(code, modifiers)], "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn noise_is_swallowed_whole() {
    for bytes in NOISE {
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(read(bytes), [], "{shown:?}");
        // And what follows is read.
        assert_eq!(read(&[bytes, b"q"].concat()), [typed('q')], "{shown:?}");
        assert_eq!(read(&[bytes, bytes, b"\x1b[A"].concat()), [pressed(KeyCode::Up, KeyModifiers::NONE)], "{shown:?}");
    }
    assert_eq!(read(b"\x1b[1\x1b[A"), [pressed(KeyCode::Up, KeyModifiers::NONE)]);
    assert_eq!(read(b"\x1b\x1b"), [escape(), escape()]);
    let long = [b"\x1b[".as_slice(), &b"1;".repeat(5_000), b"Br"].concat();
    assert_eq!(read(&long).last(), Some(&typed('r')));
    assert!(!read(&long).contains(&typed('B')));
}

#[test]
fn a_beginning_without_an_end_is_no_key() {
    for bytes in NOISE.into_iter().chain([b"\x1b[1;5C".as_slice(), b"\x1bOP", b"\x1b[[A", b"\x1b[15~", b"\x9bB"]) {
        for length in 1..bytes.len() {
            let cut = &bytes[..length];
            let wanted = if cut == b"\x1b" { vec![escape()] } else { Vec::new() };
            assert_eq!(read(cut), wanted, "{:?}", String::from_utf8_lossy(cut));
            // The keyboard is an operator's again, at once for what can be no rest, else soon.
            for (keys, wanted) in [("\u{3}", ctrl_c()), ("\u{1b}[A", pressed(KeyCode::Up, KeyModifiers::NONE))] {
                let mut line = Line::new();
                line.send(cut).pause(Duration::from_millis(1_100)).take();
                assert_eq!(line.send(keys).take().last(), Some(&wanted), "{:?}", String::from_utf8_lossy(cut));
            }
            let mut line = Line::new();
            line.send(cut).pause(DOUBT + REST_WAIT).take();
            assert_eq!(line.send("r").take(), [typed('r')], "{:?}", String::from_utf8_lossy(cut));
        }
    }
}

#[test]
fn an_arrow_in_pieces_is_an_arrow_or_nothing_that_acts() {
    let down = pressed(KeyCode::Down, KeyModifiers::NONE);
    // Whatever the pause within it, as long as it is one behind what can only be a beginning.
    assert_eq!(
        Line::new().send("\u{1b}[").pause(Duration::from_millis(900)).send("B").take(),
        std::slice::from_ref(&down)
    );
    // Behind the Escape it was taken for the key, and the rest is still the rest.
    assert_eq!(Line::new().send("\u{1b}").pause(Duration::from_millis(400)).send("[B").take(), [escape(), down]);
    let late = Typed::Doubtful(key(KeyCode::Char('B'), KeyModifiers::SHIFT));
    assert_eq!(Line::new().send("\u{1b}[").pause(Duration::from_secs(3)).send("B").take(), std::slice::from_ref(&late));
    let mut line = Line::new();
    line.send("\u{1b}").pause(Duration::from_millis(400)).send("[").pause(Duration::from_millis(400)).send("B");
    assert_eq!(line.take().last(), Some(&late));
    // Behind it all is as ever.
    assert_eq!(line.send("B").take(), [pressed(KeyCode::Char('B'), KeyModifiers::SHIFT)]);
}

#[test]
fn a_sequence_in_three_pieces_does_not_act() {
    for (pieces, pauses) in [(["[", "B"], [400, 1_100]), (["]", "r"], [400, 4_900]), (["O", "P"], [990, 2_000])] {
        let mut line = Line::new();
        line.send("\u{1b}");
        for (piece, pause) in pieces.into_iter().zip(pauses) {
            line.pause(Duration::from_millis(pause)).send(piece);
        }
        let typed = line.take();
        assert!(typed[1..].iter().all(|typed| matches!(typed, Typed::Doubtful(_))), "{pieces:?}: {typed:?}");
        assert_eq!(typed.len(), 3, "{pieces:?}");
    }
}

#[test]
fn a_burst_that_only_a_terminal_sends_is_the_rest_however_late() {
    let table: [(&str, &[Typed]); 9] = [
        ("[B", &[pressed(KeyCode::Down, KeyModifiers::NONE)]),
        ("[1;5B", &[pressed(KeyCode::Down, KeyModifiers::CONTROL)]),
        ("OP", &[pressed(KeyCode::F(1), KeyModifiers::NONE)]),
        ("[?997;1n", &[]),
        ("]11;rgb:ffff/ffff/ffff\u{7}", &[]),
        ("P>|XTerm(379)\u{1b}\\", &[]),
        // A person's.
        ("[[", &[typed('['), typed('[')]),
        ("Pj", &[pressed(KeyCode::Char('P'), KeyModifiers::SHIFT), typed('j')]),
        ("jj", &[typed('j'), typed('j')]),
    ];
    for (burst, wanted) in table {
        let mut line = Line::new();
        line.send("\u{1b}").pause(Duration::from_millis(1_100)).take();
        assert_eq!(line.send(burst).take(), wanted, "{burst:?}");
        let mut line = Line::new();
        line.send("\u{1b}").pause(DOUBT).take();
        assert!(line.send("[B").take().ends_with(&[pressed(KeyCode::Char('B'), KeyModifiers::SHIFT)]));
    }
}

/// What was delivered as a key began no answer that takes the keyboard away.
#[test]
fn what_follows_a_key_is_not_swallowed() {
    for first in ["P", "X", "_", "^", "]"] {
        let mut line = Line::new();
        line.send("\u{1b}").pause(Duration::from_millis(300)).send(first).pause(Duration::from_millis(300)).take();
        for held in ["jj", "j", "jjj"] {
            let doubtful = Typed::Doubtful(key(KeyCode::Char('j'), KeyModifiers::NONE));
            assert_eq!(line.send(held).take(), vec![doubtful; held.len()], "{first}");
            line.pause(Duration::from_millis(30));
        }
        assert_eq!(line.send("\r").take(), [pressed(KeyCode::Enter, KeyModifiers::NONE)], "{first}");
        assert_eq!(line.send("rr").take(), [typed('r'), typed('r')], "{first}");
    }
    // If it was one all the same, its end is no key.
    for end in ["\u{7}", "\u{9c}", "\u{1b}\\", "\u{18}"] {
        let mut line = Line::new();
        line.send("\u{1b}").pause(Duration::from_millis(300)).send("]").pause(Duration::from_millis(300)).take();
        let typed_late = line.send(format!("l윜{end}r")).take();
        assert_eq!(typed_late.last(), Some(&typed('r')), "{end:?}");
        assert_eq!(typed_late.len(), 3, "{end:?}: {typed_late:?}");
    }
}

#[test]
fn what_is_pressed_behind_escape_is_a_key() {
    for keys in ["r", "j", "1", "q", "y", "jj", "김", "]]", "\r"] {
        let mut line = Line::new();
        line.send("\u{1b}").pause(Duration::from_millis(100)).take();
        let wanted = read(keys.as_bytes());
        let typed = line.send(keys).take();
        let is_single = keys == "]]" || typed == wanted;
        assert!(is_single && typed.iter().all(|key| matches!(key, Typed::Key(_))), "{keys:?}: {typed:?}");
    }
}

#[test]
fn an_answer_that_never_ends_frees_the_keyboard() {
    // It goes on and on: what is pressed alone comes through, as far as that is safe.
    let mut line = Line::new();
    line.send("\u{1b}]52;c;");
    for _ in 0..200 {
        line.send("cnJyYnJC".repeat(1_000)).pause(Duration::from_millis(20));
    }
    assert_eq!(line.take(), []);
    assert_eq!(line.send("r").take(), [Typed::Doubtful(key(KeyCode::Char('r'), KeyModifiers::NONE))]);
    assert_eq!(line.send("rrr").take(), []);
    assert_eq!(line.send("\u{3}").take(), [ctrl_c()]);
    // Escape is a way out.
    let mut line = Line::new();
    line.send("\u{1b}]").pause(Duration::from_millis(1_500)).send("\u{1b}").pause(Duration::from_millis(1_500));
    assert_eq!(line.take(), [escape()]);
    assert_eq!(line.send("r").take(), [typed('r')]);
}

#[test]
fn a_paste_is_one_event_whatever_is_in_it() {
    let text = "rm -rf\r\n\u{1b}[A김\u{3}q";
    let bytes = format!("\u{1b}[200~{text}\u{1b}[201~q");
    assert_eq!(read(bytes.as_bytes()), [Typed::Paste(text.into()), typed('q')]);
    assert_eq!(read(b"\x1b[200~\x1b[201~"), [Typed::Paste(String::new())]);
    let mut large = b"\x1b[200~".to_vec();
    large.resize(3 * PASTE_MAX, b'x');
    let mut line = Line::new();
    assert_eq!(line.send(&large).pause(Duration::from_millis(1_900)).take(), [], "a short pause does not end a paste");
    assert_eq!(line.send(paste::END).take(), [Typed::Paste("x".repeat(PASTE_MAX))]);
}

#[test]
fn a_paste_without_an_end_leaves_the_keyboard() {
    let mut line = Line::new();
    line.send("\u{1b}[200~hello\r").pause(Duration::from_secs(3));
    assert_eq!(line.take(), [Typed::Paste("hello\r".into())]);
    // More of it is still no key.
    assert_eq!(line.send("rBy\ry").pause(Duration::from_secs(3)).take(), [Typed::Paste("rBy\ry".into())]);
    let doubtful = |code| Typed::Doubtful(key(code, KeyModifiers::NONE));
    assert_eq!(line.send("r").take(), [doubtful(KeyCode::Char('r'))]);
    assert_eq!(line.send("\r").take(), [doubtful(KeyCode::Enter)]);
    assert_eq!(line.send("\u{1b}[A").take(), [doubtful(KeyCode::Up)]);
    // Also right behind more of it.
    line.send("more").pause(Duration::from_millis(100));
    assert_eq!(line.send("\u{3}").take(), [ctrl_c()]);
    assert_eq!(line.send("r").take(), [typed('r')]);
    // Escape, its end, and time are ways out too.
    let stalled = || {
        let mut line = Line::new();
        line.send("\u{1b}[200~hello").pause(Duration::from_secs(3)).take();
        line
    };
    let mut line = stalled();
    assert_eq!(line.send("\u{1b}").pause(Duration::from_secs(2)).take(), [escape()]);
    assert_eq!(line.send("r").take(), [typed('r')]);
    let mut line = stalled();
    assert_eq!(line.send("\u{1b}[20").pause(Duration::from_secs(3)).send("1~r").take(), [typed('r')]);
    assert_eq!(stalled().pause(PASTE_DOUBT).send("r").take(), [typed('r')]);
    // Once it was left by Escape, doubt is as short as behind any.
    let mut line = stalled();
    line.send("\u{1b}").pause(REST_WAIT + ESCAPE_DOUBT).take();
    assert_eq!(line.send("P").take(), [pressed(KeyCode::Char('P'), KeyModifiers::SHIFT)]);
}

/// One who sees nothing happen presses it again, and what comes of a slow line comes together.
#[test]
fn an_interrupt_need_not_come_alone() {
    for held_up in ["\u{1b}]52;c;", "\u{1b}[1;", "\u{1b}", "\u{1b}[200~hello"] {
        let mut line = Line::new();
        line.send(held_up).pause(Duration::from_secs(3)).take();
        assert_eq!(line.send("\u{3}\u{3}").take(), [ctrl_c(), ctrl_c()], "{held_up:?}");
        assert_eq!(line.send("r").take(), [typed('r')], "{held_up:?}");
    }
    let mut line = Line::new();
    line.send("\u{1b}[200~hello").pause(Duration::from_secs(3)).take();
    assert_eq!(line.send("y\r\u{1b}[2\u{3}").take(), [ctrl_c()]);
    assert_eq!(line.send("r").take(), [typed('r')]);
    // Behind its end it is a key as any.
    let mut line = Line::new();
    line.send("\u{1b}[200~hello").pause(Duration::from_secs(3)).take();
    let wanted = [Typed::Paste("y\u{3}".into()), ctrl_c()];
    assert_eq!(line.send("y\u{3}\u{1b}[201~\u{3}").take(), wanted);
    // While a paste comes as it should, whatever is in it is text.
    let mut line = Line::new();
    assert_eq!(line.send("\u{1b}[200~a\u{3}").send("\u{1b}[201~").take(), [Typed::Paste("a\u{3}".into())]);
}

#[test]
fn a_paste_that_goes_on_for_ever_can_be_broken_off() {
    for (piece, pause) in [("x".repeat(8 * 1024), 10), ("y\r".into(), 500)] {
        let mut line = Line::new();
        line.send("\u{1b}[200~");
        for _ in 0..200 {
            line.send(&piece).pause(Duration::from_millis(pause));
        }
        assert_eq!(line.take(), []);
        assert_eq!(line.send("\u{3}").take(), [ctrl_c()]);
    }
}

fn parts() -> impl Strategy<Value = Vec<&'static [u8]>> {
    let keys: [&[u8]; 10] = [
        b"q",
        "김".as_bytes(),
        b"\x1b[A",
        b"\x1b[1;5C",
        b"\x1bOP",
        b"\x1bx",
        b"\r",
        b"\x1b[200~a\x1b[Bb\x03\x1b[201~",
        b"\x1b[[A",
        b"\x9bB",
    ];
    prop::collection::vec(prop::sample::select([&keys[..], &NOISE[..]].concat()), 0..8)
}

/// Whether bytes end in an Escape that may be the key.
fn ends_in_escape(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\x1b")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// However the bytes arrive, the keys are the same: slow links cut anywhere, and take their time.
    #[test]
    fn cuts_do_not_matter(parts in parts(), pieces in prop::collection::vec((1usize..5, 0u64..990), 1..40)) {
        let bytes = parts.concat();
        let whole = read(&bytes);
        let mut line = Line::new();
        let mut left = &bytes[..];
        for (length, pause) in pieces.iter().cycle() {
            let (piece, rest) = left.split_at((*length).min(left.len()));
            line.send(piece);
            left = rest;
            if left.is_empty() {
                break;
            }
            line.pause(Duration::from_millis(if ends_in_escape(piece) { pause % 49 } else { *pause }));
        }
        prop_assert_eq!(line.pause(LONG).take(), whole);
    }

    /// However late the rest of a sequence comes, no part of it is a key by which something is done.
    #[test]
    fn no_piece_of_a_sequence_acts(
        part in prop::sample::select(NOISE.to_vec()),
        pieces in prop::collection::vec((1usize..4, 0u64..4_900), 1..40),
    ) {
        let wanted = read(part);
        let mut line = Line::new();
        let mut left = part;
        for (length, pause) in pieces.iter().cycle() {
            let (piece, rest) = left.split_at((*length).min(left.len()));
            line.send(piece);
            left = rest;
            if left.is_empty() {
                break;
            }
            // Right behind an Escape that was a key, doubt is shorter.
            line.pause(Duration::from_millis(if ends_in_escape(piece) { pause % 990 } else { *pause }));
        }
        let mut typed = line.pause(LONG).take();
        typed.retain(|typed| !matches!(typed, Typed::Doubtful(_)) && *typed != escape());
        prop_assert_eq!(typed, wanted);
    }

    #[test]
    fn no_bytes_break_it(
        pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), 0u64..40_000), 0..8),
    ) {
        let mut line = Line::new();
        for (bytes, pause) in pieces {
            line.send(bytes).pause(Duration::from_millis(pause));
        }
        line.pause(LONG).send("\u{1b}").pause(LONG).take();
        // Half a letter may have been left.
        let typed_last = line.send("q").take();
        prop_assert_eq!(typed_last.last(), Some(&typed('q')));
        line.send("\u{1b}[200~").pause(Duration::from_secs(3)).take();
        prop_assert_eq!(line.send("\u{3}").take(), [ctrl_c()]);
    }
}
