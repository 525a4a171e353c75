//! What someone typed or pasted to find someone, and what it finds.

use std::sync::Arc;

use uuid::Uuid;

use super::mailbox::{self, Mailbox};
use super::pairs;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::idn;
use crate::text::trimmed;

/// From how many characters a search looks inside e-mails and names; shorter ones look at their beginnings only,
/// since a trigram index knows nothing shorter.
const SUBSTRING_MIN: usize = 3;

/// The same beyond ASCII, where the index is of pairs: two syllables are a Korean's given name.
const SUBSTRING_MIN_BEYOND: usize = 2;

/// More words than these are looked for as they stand, one after the other: leaving some out would find more users than
/// were asked for.
const WORDS_MAX: usize = 8;

/// What someone typed to find someone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search(Arc<Parts>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Parts {
    typed: String,
    clauses: Vec<Vec<Pattern>>,
    number: Option<Number>,
    send: Option<SendId>,
    ses_ids: Vec<String>,
    mailbox: Option<Mailbox>,
}

/// A number that names someone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// `42`, `#42`, `verification 42`
    Verification(VerificationId),
    /// `user 42`
    User(UserId),
}

/// A text that an e-mail or a name has in it, folded. What is not all ASCII is of names only, and has no spaces: no address
/// is, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    anywhere: bool,
}

impl Search {
    /// `None` where there is no text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let typed = trimmed(text).replace('\0', "");
        if typed.is_empty() {
            return None;
        }
        if let Some(number) = named_number(&typed) {
            return Some(Self(Arc::new(Parts { typed, number: Some(number), ..Parts::default() })));
        }
        let mailbox = mailbox::find(&typed);
        let mut ses_ids: Vec<String> = id_like(&typed).filter(|id| is_ses_id(id)).map(str::to_owned).collect();
        ses_ids.truncate(WORDS_MAX);
        let send = id_like(&typed).find_map(send_id);
        let clauses = match &mailbox {
            Some(mailbox) => vec![vec![Pattern::anywhere(&mailbox.email)]],
            None if send.is_some() || !ses_ids.is_empty() => Vec::new(),
            None => clauses(&mailbox::without_mailto(&typed)),
        };
        // Not every SES id has the shape of most.
        if mailbox.is_none() && ses_ids.is_empty() && !typed.contains(char::is_whitespace) {
            ses_ids.push(typed.clone());
        }
        let number = typed.strip_prefix('#').unwrap_or(&typed).parse().ok().filter(|n| *n > 0);
        let number = number.map(|n| Number::Verification(VerificationId(n)));
        Some(Self(Arc::new(Parts { typed, clauses, number, send, ses_ids, mailbox })))
    }

    /// What to look for, as it was typed.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.0.typed
    }

    /// What an e-mail or name has to have in it: of each clause one pattern.
    #[must_use]
    pub fn clauses(&self) -> &[Vec<Pattern>] {
        &self.0.clauses
    }

    /// The number it may be.
    #[must_use]
    pub fn number(&self) -> Option<Number> {
        self.0.number
    }

    /// The send it names.
    #[must_use]
    pub fn send(&self) -> Option<SendId> {
        self.0.send
    }

    /// What may be SES's ids in it, with capitals as they were typed: they matter.
    #[must_use]
    pub fn ses_ids(&self) -> &[String] {
        &self.0.ses_ids
    }

    /// The address that was found in the text, and the name before it.
    #[must_use]
    pub fn mailbox(&self) -> Option<&Mailbox> {
        self.0.mailbox.as_ref()
    }

    /// Whether there is a letter or a digit in it. Without one nothing is found: the index knows nothing else, and one
    /// who types `%` does not mean everyone.
    #[must_use]
    pub fn can_find(&self) -> bool {
        self.0.typed.chars().any(char::is_alphanumeric)
    }

    /// Whether only beginnings are looked at.
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        matches!(&self.0.clauses[..], [patterns] if patterns.iter().all(|pattern| !pattern.anywhere))
    }

    /// From how many characters on it would look inside of e-mails and names.
    #[must_use]
    pub fn inside_from(&self) -> usize {
        let is_ascii = self.0.clauses.iter().flatten().all(|pattern| pattern.text.is_ascii());
        if is_ascii { SUBSTRING_MIN } else { SUBSTRING_MIN_BEYOND }
    }

    /// Whether it finds a user by e-mail and name: what the database is asked, for lists that are not there.
    #[must_use]
    pub fn fits(&self, email: &str, name: &str) -> bool {
        let texts = [email.to_lowercase(), name.to_lowercase()];
        let pairs = pairs::of_name(name).join(" ");
        let has = |pattern: &Pattern| match pattern.in_pairs() {
            Some(wanted) => pairs.contains(&wanted),
            None => texts.iter().any(|text| pattern.fits(text)),
        };
        !self.0.clauses.is_empty() && self.can_find() && self.0.clauses.iter().all(|patterns| patterns.iter().any(has))
    }
}

impl Pattern {
    fn anywhere(text: &str) -> Self {
        Self { text: without_spaces(text), anywhere: true }
    }

    /// One that stands alone goes through an index.
    fn indexed(text: &str) -> Self {
        Self { text: without_spaces(text), anywhere: has_index(text) }
    }

    /// The pairs of characters that a name has, by which it is looked for.
    #[must_use]
    pub fn pairs(&self) -> Option<Vec<String>> {
        (!self.text.is_ascii()).then(|| pairs::wanted(&self.text, self.anywhere))
    }

    /// The same as it stands in the pairs of a name; of one character, that.
    fn in_pairs(&self) -> Option<String> {
        let pairs = self.pairs()?;
        Some(if pairs.is_empty() { self.text.clone() } else { pairs.join(" ") })
    }

    /// For SQL's `like` with the pairs of a name.
    #[must_use]
    pub fn pairs_like(&self) -> Option<String> {
        Some(format!("%{}%", escaped(&self.in_pairs()?)))
    }

    fn fits(&self, text: &str) -> bool {
        if self.anywhere { text.contains(&self.text) } else { text.starts_with(&self.text) }
    }

    /// For SQL's `like`.
    #[must_use]
    pub fn like(&self) -> String {
        let prefix = self.prefix_like();
        if self.anywhere { format!("%{prefix}") } else { prefix }
    }

    /// For SQL's `like`: what begins with it.
    #[must_use]
    pub fn prefix_like(&self) -> String {
        format!("{}%", escaped(&self.text))
    }
}

/// For SQL's `like`.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Names beyond ASCII are compared without their spaces.
fn without_spaces(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { text.chars().filter(|c| !c.is_whitespace()).collect() }
}

/// Whether the database has an index of what is inside of texts that serves this one.
fn has_index(text: &str) -> bool {
    let min = if text.is_ascii() { SUBSTRING_MIN } else { SUBSTRING_MIN_BEYOND };
    without_spaces(text).chars().count() >= min
}

/// `user 42`, `verification #42`
fn named_number(text: &str) -> Option<Number> {
    let (noun, number) = text.trim_end_matches(['.', ',', ';']).split_once(char::is_whitespace)?;
    let number = number.trim();
    let number = number.strip_prefix('#').unwrap_or(number).parse().ok().filter(|n| *n > 0)?;
    match noun.to_lowercase().as_str() {
        "user" => Some(Number::User(UserId(number))),
        "verification" => Some(Number::Verification(VerificationId(number))),
        _ => None,
    }
}

/// What is made of hexadecimal digits and hyphens, as ids are.
fn id_like(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'))
}

fn send_id(text: &str) -> Option<SendId> {
    let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36)?;
    Some(SendId(id))
}

/// `0102019abcdef012-01234567-89ab-cdef-0123-456789abcdef-000000`
pub(super) fn is_ses_id(text: &str) -> bool {
    const SHAPE: [usize; 7] = [16, 8, 4, 4, 4, 12, 6];
    text.split('-').map(str::len).eq(SHAPE) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// A text, folded, and its words.
pub(super) fn words(text: &str) -> (String, Vec<String>) {
    let typed = pairs::fold(trimmed(text));
    let mut words: Vec<String> =
        typed.split_whitespace().map(|word| bare(word).to_owned()).filter(|word| !word.is_empty()).collect();
    if words.len() > 1 {
        words.retain(|word| word.contains(char::is_alphanumeric));
    }
    (typed, words)
}

/// Words in any order, each in the e-mail or the name.
fn clauses(text: &str) -> Vec<Vec<Pattern>> {
    let (typed, words) = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match &words[..] {
        [] => vec![vec![Pattern::indexed(&typed)]],
        [word] => vec![readings(word, Pattern::indexed)],
        words if words.len() > WORDS_MAX => vec![vec![Pattern::indexed(&words.join(" "))]],
        // None of them could go through an index: together they can.
        words if !words.iter().any(|word| has_index(word)) => vec![together(words)],
        words => words.iter().map(|word| readings(word, Pattern::anywhere)).collect(),
    }
}

/// A word as it stands, as a Korean name the other way round, and as a domain is stored.
fn readings(word: &str, pattern: fn(&str) -> Pattern) -> Vec<Pattern> {
    let mut readings = vec![pattern(word)];
    if has_index(word) {
        readings.extend(turned(word).iter().map(|turned| pattern(turned)));
        readings.extend(idn::stored(word).map(|stored| Pattern::anywhere(&stored)));
    }
    readings
}

/// A Korean name with family and given name the other way round: one and two syllables, or two and two.
fn turned(word: &str) -> Vec<String> {
    let syllables: Vec<char> = word.chars().collect();
    let places: &[usize] = match syllables.len() {
        _ if !syllables.iter().all(|c| pairs::is_syllable(*c)) => &[],
        3 => &[1, 2],
        4 => &[2],
        _ => &[],
    };
    places.iter().map(|place| syllables[*place..].iter().chain(&syllables[..*place]).collect()).collect()
}

/// Words one after the other, with spaces and without, as they stand and the first one last.
fn together(words: &[&str]) -> Vec<Pattern> {
    let mut turned = words.to_vec();
    turned.rotate_left(1);
    let mut patterns: Vec<Pattern> = Vec::new();
    for text in [words.join(" "), words.concat(), turned.join(" "), turned.concat()] {
        let pattern = Pattern::indexed(&text);
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    patterns
}

/// A word without quotes and brackets around it, and without the end of a sentence.
fn bare(word: &str) -> &str {
    const OPENING: &str = "\"'`“‘«「『<([{";
    const CLOSING: &str = "\"'`”’»」』>)]}.,;:!?。、，";
    word.trim_start_matches(|c| OPENING.contains(c)).trim_end_matches(|c| CLOSING.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::EmailAddress;
    use proptest::prelude::*;

    fn patterns(text: &str) -> Vec<Vec<String>> {
        let search = Search::parse(text).unwrap();
        let like = |pattern: &Pattern| pattern.pairs_like().unwrap_or_else(|| pattern.like());
        let all = search.clauses().iter().map(|patterns| patterns.iter().filter(|p| !p.text.contains("xn--")));
        all.map(|patterns| patterns.map(like).collect()).collect()
    }

    #[test]
    fn words() {
        let table: [(&str, &[&[&str]]); 21] = [
            ("Mina", &[&["%mina%"]]),
            ("김", &[&["%\n김%"]]),
            ("민아", &[&["%민아%"]]),
            ("김미나", &[&["%김미 미나%", "%미나 나김%", "%나김 김미%"]]),
            ("남궁민수", &[&["%남궁 궁민 민수%", "%민수 수남 남궁%"]]),
            ("\u{1100}\u{1175}\u{11b7}", &[&["%\n김%"]]),
            ("ㄱㅁㄴ", &[&["%ㄱㅁ ㅁㄴ%"]]),
            ("Jose\u{301}", &[&["%jo os sé%"]]),
            ("김 민", &[&["%김민%", "%민김%"]]),
            ("한국.Example", &[&["%한국 국. .e ex xa am mp pl le%"]]),
            ("a_b%", &[&["%a\\_b\\%%"]]),
            ("42", &[&["42%"]]),
            ("kim Mina", &[&["%kim%"], &["%mina%"]]),
            ("\"Kim, Mina\".", &[&["%kim%"], &["%mina%"]]),
            ("kim m", &[&["%kim%"], &["%m%"]]),
            ("kim %", &[&["%kim%"]]),
            ("김 미나", &[&["%김%"], &["%미나%"]]),
            ("@naver.com", &[&["%@naver.com%"]]),
            ("mina@naver", &[&["%mina@naver%"]]),
            ("Kim Mina <mina.kim@Example.com>", &[&["%mina.kim@example.com%"]]),
            ("a b c d e f g h i", &[&["%a b c d e f g h i%"]]),
        ];
        for (text, expected) in table {
            assert_eq!(patterns(text), expected, "{text}");
        }
        assert_eq!(Search::parse("  \0 "), None);
        assert!(["김", "42", "k"].iter().all(|text| Search::parse(text).unwrap().is_prefix()));
        assert!(["mina", "김 미나", "k@x.kr", "user 4"].iter().all(|text| !Search::parse(text).unwrap().is_prefix()));
    }

    #[test]
    fn domains_in_their_own_script() {
        let email = "shop@xn--3e0b707e.example";
        for text in
            ["한국", "한국.example", "@한국.example", "shop@한국.example", "shop@한국", "Shop 한국", "XN--3e0b707e"]
        {
            assert!(Search::parse(text).unwrap().fits(email, ""), "{text}");
        }
        for text in ["중국", "국", "한국.test", "mina@한국"] {
            assert!(!Search::parse(text).unwrap().fits(email, ""), "{text}");
        }
    }

    #[test]
    fn numbers() {
        let verification = |n| Some(Number::Verification(VerificationId(n)));
        let table = [
            ("42", verification(42)),
            ("#1042", verification(1042)),
            ("verification 4759", verification(4759)),
            ("Verification #4759.", verification(4759)),
            ("user 4759", Some(Number::User(UserId(4759)))),
            ("user  #4759", Some(Number::User(UserId(4759)))),
            ("-5", None),
            ("user -5", None),
            ("user mina", None),
            ("99999999999999999999", None),
        ];
        for (text, number) in table {
            assert_eq!(Search::parse(text).unwrap().number(), number, "{text}");
        }
        assert!(patterns("user 4759").is_empty(), "no one else is found");
    }

    #[test]
    fn ids() {
        let ses = "0102019abcdef012-01234567-89ab-cdef-0123-456789abcdef-000000";
        let send = "019ac5d2-7f00-7aaa-8bbb-0123456789ab";
        for text in [ses.to_owned(), format!("250 Ok {ses}"), format!("<{ses}@ap-northeast-2.amazonses.com>")] {
            let search = Search::parse(&text).unwrap();
            assert_eq!((search.ses_ids(), search.send(), search.clauses()), (&[ses.to_owned()][..], None, &[][..]));
        }
        for text in [send.to_owned(), format!("({send})"), format!("send {}", send.to_uppercase())] {
            let search = Search::parse(&text).unwrap();
            assert_eq!((search.send().map(|id| id.to_string()).as_deref(), search.clauses()), (Some(send), &[][..]));
        }
        assert_eq!(Search::parse(" 4VqK2w6Dz1z9rxX ").unwrap().ses_ids(), ["4VqK2w6Dz1z9rxX"]);
        assert!(Search::parse("kim mina").unwrap().ses_ids().is_empty());
    }

    #[test]
    fn words_find_in_any_order() {
        let (email, name) = ("mina.kim@example.com", "김미나");
        for text in [
            "kim mina",
            "Mina Kim",
            "mina example",
            "김미나 kim",
            "김 미나",
            "미나 김",
            "김미나",
            "미나김",
            "미나",
            "김미",
            "김",
            "ㄱㅁㄴ",
            "ㅁㄴ",
            "ㄱ",
            "ㄱㅁ ㄴ",
            "미나 kim",
            "나 kim",
            "\u{1106}\u{1175}\u{1102}\u{1161}",
        ] {
            assert!(Search::parse(text).unwrap().fits(email, name), "{text}");
        }
        for text in ["kim joon", "나", "나미", "ㄴㅁ", "ㅁ", "미나김미", "naver mina", "%", "김 민"] {
            assert!(!Search::parse(text).unwrap().fits(email, name), "{text}");
        }
    }

    fn address() -> impl Strategy<Value = String> {
        let atom = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,8}";
        let label = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,6}[a-zA-Z0-9])?";
        (proptest::collection::vec(atom, 1..3), proptest::collection::vec(label, 1..3), "[a-z]{2,6}|한국")
            .prop_map(|(local, domain, top)| format!("{}@{}.{top}", local.join("."), domain.join(".")))
            .prop_filter("it can be signed up", |address| EmailAddress::parse(address).is_ok())
    }

    fn encoded(address: &str) -> String {
        let keeps = |b: u8| b.is_ascii_alphanumeric() || b == b'@' || b == b'.';
        address.bytes().map(|b| if keeps(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    }

    proptest! {
        #[test]
        fn whatever_was_signed_up_is_found_however_it_is_dressed(typed in address()) {
            let stored = EmailAddress::parse(&typed).unwrap();
            let dressed = [
                typed.clone(),
                typed.to_uppercase(),
                format!("  {typed}.\n"),
                format!("{typed},"),
                format!("<{typed}>"),
                format!("Kim Mina <{typed}>"),
                format!("\"Mina, Kim\" <{typed}>;"),
                format!("'{typed}'"),
                format!("({typed})"),
                format!("“{typed}”"),
                format!("mailto:{}", encoded(&typed)),
                format!("<mailto:{}?subject=Hello%20you@there.test>", encoded(&typed)),
                format!("Nov 27 mx postfix/smtp[42]: 4F: to=<{typed}>, dsn=5.1.1, status=bounced (550 <b@c.test>)"),
                format!("to={typed} relay=none"),
            ];
            for text in dressed {
                let search = Search::parse(&text).unwrap();
                prop_assert!(search.fits(stored.as_str(), ""), "{text:?} {search:?}");
            }
        }

        #[test]
        fn hostile_text_is_no_trouble(text in "\\PC{0,80}", odd in "[@<>\"'%_\\\\#0-9a-f\\s\\x00-\\x1f-]{0,80}") {
            for text in [text, odd] {
                if let Some(search) = Search::parse(&text) {
                    prop_assert!(search.clauses().len() <= WORDS_MAX && search.ses_ids().len() <= WORDS_MAX);
                    prop_assert!(!search.can_find() || !search.clauses().iter().flatten().any(|p| p.text.is_empty()));
                    let _ = search.fits(&text, &text);
                }
            }
        }
    }
}
