//! The events of a file: all of it if that is one event; else one a line, or several behind each other as Firehose writes
//! them; packed by gzip or not. No more of it is in memory than an event may be long.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read as _};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::ses::event::{Event, NotAnEvent, TEXT_MAX};

/// How a file packed by gzip begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

pub(super) struct Texts {
    file: Box<dyn BufRead>,
    /// The line that is read next.
    line: usize,
    /// The event that the whole file is.
    whole: Option<Event>,
}

impl Texts {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::of(BufReader::new(File::open(path)?))
    }

    fn of(mut packed: impl BufRead + 'static) -> io::Result<Self> {
        let mut file: Box<dyn BufRead> = if packed.fill_buf()?.starts_with(&GZIP) {
            Box::new(BufReader::new(MultiGzDecoder::new(packed)))
        } else {
            Box::new(packed)
        };
        let mut start = Vec::new();
        file.by_ref().take(TEXT_MAX as u64 + 1).read_to_end(&mut start)?;
        let whole = Event::read(&start, None).ok();
        if whole.is_none() {
            file = Box::new(Cursor::new(start).chain(file));
        }
        Ok(Self { file, line: 1, whole })
    }

    /// The next event with the number of its line.
    pub(super) fn next(&mut self) -> io::Result<Option<(usize, Result<Event, NotAnEvent>)>> {
        if let Some(event) = self.whole.take() {
            return Ok(Some((1, Ok(event))));
        }
        while let Some(text) = self.text()? {
            let line = self.line;
            self.line += usize::from(text.ends_with(b"\n"));
            if !text.trim_ascii().is_empty() {
                return Ok(Some((line, Event::read(&text, None))));
            }
        }
        Ok(None)
    }

    /// The next line, or the next object in it; as much of it as an event may be long. `None` at the end.
    fn text(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        let mut place = Place::default();
        loop {
            let buffer = self.file.fill_buf()?;
            if buffer.is_empty() {
                return Ok(Some(text).filter(|text| !text.is_empty()));
            }
            let end = buffer.iter().position(|byte| place.is_end(*byte)).map(|at| at + 1);
            let taken = end.unwrap_or(buffer.len());
            let room = (TEXT_MAX + 1).saturating_sub(text.len());
            text.extend_from_slice(&buffer[..taken.min(room)]);
            if end.is_some() && buffer[taken - 1] == b'\n' && !text.ends_with(b"\n") {
                text.push(b'\n');
            }
            self.file.consume(taken);
            if end.is_some() {
                return Ok(Some(text));
            }
        }
    }
}

/// Where in a text it reads.
#[derive(Default)]
struct Place {
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
    /// Whether something else than an object has begun: that ends with its line.
    is_other: bool,
}

impl Place {
    /// Whether a text ends with this byte. A line's end is none within JSON of a line each, so one that is cut off takes
    /// no other along.
    fn is_end(&mut self, byte: u8) -> bool {
        if byte == b'\n' {
            return true;
        }
        if self.is_in_string {
            let was_escaped = std::mem::take(&mut self.is_escaped);
            match byte {
                b'\\' => self.is_escaped = !was_escaped,
                b'"' => self.is_in_string = was_escaped,
                _ => {}
            }
            return false;
        }
        match byte {
            b'{' => self.depth += 1,
            b'}' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0 && !self.is_other;
            }
            b'"' => self.is_in_string = true,
            _ => self.is_other |= self.depth == 0 && !byte.is_ascii_whitespace(),
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn event(id: &str) -> String {
        format!(
            r#"{{"eventType":"Delivery","mail":{{"timestamp":"2026-11-20T10:00:00Z","messageId":"{id}"}},
            "delivery":{{"smtpResponse":"250 \"}}{{\" \\"}}}}"#
        )
        .replace('\n', "")
    }

    /// Of each text the line, with the id that it names or why it is none.
    fn read(file: Vec<u8>) -> Vec<(usize, String)> {
        let mut texts = Texts::of(Cursor::new(file)).unwrap();
        let mut found = Vec::new();
        while let Some((line, event)) = texts.next().unwrap() {
            found.push((line, event.map_or_else(|why| why.to_string(), |event| event.ses_id)));
        }
        found
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn owned(of: &[(usize, &str)]) -> Vec<(usize, String)> {
        of.iter().map(|(line, id)| (*line, (*id).to_owned())).collect()
    }

    #[test]
    fn lines_and_objects_behind_each_other() {
        let [a, b, c] = ["a", "b", "c"].map(event);
        let not_json = NotAnEvent::NotJson.to_string();
        let table = [
            (format!("{a}{b}{c}"), owned(&[(1, "a"), (1, "b"), (1, "c")])),
            (format!("{a}\n{b} {c}\n"), owned(&[(1, "a"), (2, "b"), (2, "c")])),
            (format!("\n{a}\r\n\n{b}"), owned(&[(2, "a"), (4, "b")])),
            (format!("nothing}} {{\"\n{a}"), owned(&[(1, &not_json), (2, "a")])),
            (format!("{}\n{b}", &a[..a.len() / 2]), owned(&[(1, &not_json), (2, "b")])),
            (format!("{a}}}\n{b}"), owned(&[(1, "a"), (1, &not_json), (2, "b")])),
            (String::new(), vec![]),
        ];
        for (text, expected) in table {
            assert_eq!(read(text.clone().into_bytes()), expected, "{text}");
            assert_eq!(read(packed(text.as_bytes())), expected, "packed: {text}");
        }
    }

    #[test]
    fn one_event_may_be_written_over_many_lines() {
        let value: serde_json::Value = serde_json::from_str(&event("a")).unwrap();
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        assert_eq!(read(pretty.clone()), owned(&[(1, "a")]));
        assert_eq!(read(packed(&pretty)), owned(&[(1, "a")]));
    }

    #[test]
    fn what_is_too_long_is_left_out_and_takes_no_other_along() {
        let long = "x".repeat(3 * TEXT_MAX);
        let too_long = NotAnEvent::TooLong.to_string();
        let object = format!("{{\"a\":\"{long}\"}}");
        for (text, line) in [(format!("{object}{}", event("b")), 1), (format!("{long}\n{}", event("b")), 2)] {
            assert_eq!(read(text.into_bytes()), owned(&[(1, &too_long), (line, "b")]));
        }
    }

    #[test]
    fn packed_files_may_follow_each_other_and_one_that_is_cut_off_is_an_error() {
        let file = [packed(event("a").as_bytes()), packed(event("b").as_bytes())].concat();
        assert_eq!(read(file.clone()), owned(&[(1, "a"), (1, "b")]));
        Texts::of(Cursor::new(file[..file.len() - 10].to_vec())).err().expect("it is cut off");
        // Further behind than what is looked at first.
        let many: Vec<u8> = (0..5_000).flat_map(|n| event(&n.to_string()).into_bytes()).collect();
        let file = packed(&many);
        let mut texts = Texts::of(Cursor::new(file[..file.len() - 10].to_vec())).unwrap();
        let mut read = 0;
        let error = loop {
            match texts.next() {
                Ok(text) => read += usize::from(text.unwrap().1.is_ok()),
                Err(error) => break error,
            }
        };
        assert!(read > 1_000 && error.kind() == io::ErrorKind::UnexpectedEof, "{read}, {error}");
    }
}
