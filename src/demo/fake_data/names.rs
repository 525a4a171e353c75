//! Who the made-up people are.

use std::collections::HashSet;

use fastrand::Rng;

use crate::domain::Time;
use crate::domain::locale::Locale;

/// A user who signed up.
pub struct Person {
    pub email: String,
    pub name: String,
    pub locale: Locale,
    pub created_at: Time,
    pub verified_at: Option<Time>,
}

const SURNAMES: [(&str, &str); 20] = [
    ("김", "kim"),
    ("이", "lee"),
    ("박", "park"),
    ("최", "choi"),
    ("정", "jung"),
    ("강", "kang"),
    ("조", "cho"),
    ("윤", "yoon"),
    ("장", "jang"),
    ("임", "lim"),
    ("한", "han"),
    ("오", "oh"),
    ("서", "seo"),
    ("신", "shin"),
    ("권", "kwon"),
    ("황", "hwang"),
    ("안", "ahn"),
    ("송", "song"),
    ("남궁", "namgung"),
    ("선우", "sunwoo"),
];

const GIVEN: [(&str, &str); 40] = [
    ("민준", "minjun"),
    ("서준", "seojun"),
    ("도윤", "doyun"),
    ("예준", "yejun"),
    ("시우", "siwoo"),
    ("하준", "hajun"),
    ("지호", "jiho"),
    ("주원", "juwon"),
    ("지후", "jihu"),
    ("준우", "junwoo"),
    ("도현", "dohyun"),
    ("건우", "gunwoo"),
    ("우진", "woojin"),
    ("현우", "hyunwoo"),
    ("선우", "sunwoo"),
    ("유준", "yujun"),
    ("은우", "eunwoo"),
    ("승현", "seunghyun"),
    ("철수", "cheolsu"),
    ("영호", "youngho"),
    ("서연", "seoyeon"),
    ("서윤", "seoyun"),
    ("지우", "jiwoo"),
    ("서현", "seohyun"),
    ("하은", "haeun"),
    ("하윤", "hayun"),
    ("민서", "minseo"),
    ("지유", "jiyu"),
    ("윤서", "yunseo"),
    ("채원", "chaewon"),
    ("수아", "sua"),
    ("지민", "jimin"),
    ("예은", "yeeun"),
    ("다은", "daeun"),
    ("은서", "eunseo"),
    ("소율", "soyul"),
    ("영희", "younghee"),
    ("미나", "mina"),
    ("별", "byeol"),
    ("하늘", "haneul"),
];

const WESTERN_GIVEN: [&str; 32] = [
    "Anna", "Ben", "Clara", "David", "Elena", "Felix", "Grace", "Henry", "Ines", "James", "Kate", "Liam", "Maria",
    "Noah", "Olivia", "Paul", "Quinn", "Rosa", "Samuel", "Tess", "Umar", "Vera", "William", "Xenia", "Yusuf", "Zoe",
    "Renée", "Jürgen", "Søren", "Zoë", "Łukasz", "Seán",
];

const WESTERN_SURNAMES: [&str; 28] = [
    "Adams",
    "Baker",
    "Costa",
    "Dubois",
    "Evans",
    "Fischer",
    "Garcia",
    "Hughes",
    "Ito",
    "Jensen",
    "Kowalski",
    "Larsen",
    "Meyer",
    "Novak",
    "O'Brien",
    "Petrov",
    "Quist",
    "Rossi",
    "Smith",
    "Tanaka",
    "Ueda",
    "van Dijk",
    "Weber",
    "Young",
    "Zhang",
    "Müller",
    "Nuñez",
    "Þórsson",
];

/// Reserved by RFC 2606 and RFC 6761; mail to them goes nowhere. The last is an international one.
const DOMAINS: [&str; 14] = [
    "example.com",
    "example.com",
    "example.com",
    "example.net",
    "example.net",
    "example.org",
    "mail.example",
    "mail.example",
    "haneul.example",
    "maru.example",
    "univ.example",
    "northwind.example",
    "post.test",
    "xn--3e0b707e.example",
];

/// What an attacker types into a sign-up form.
const HOSTILE: [&str; 26] = [
    "\u{1b}[31mRed\u{1b}[0m",
    "\u{1b}]0;owned\u{7}Kim",
    "\u{1b}[2J\u{1b}[Hcleared",
    "\u{9b}31mC1",
    "Kim\r\nBcc: victim@example.com",
    "Kim\nX-Injected: yes",
    "evil\u{202e}gnp.exe",
    "\u{2066}isolated\u{2069}",
    "김\u{200b}민\u{200b}준",
    "ㅤ",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<b>Bold</b> & \"quoted\"",
    "{{ 7 * 7 }}",
    "{% for i in range(end=9) %}x{% endfor %}",
    "{{ __tera_context }}",
    "Win at https://prize.example/now",
    "buy.cheap.example",
    "ｅｖｉｌ．ｅｘａｍｐｌｅ",
    "'; drop table users; --",
    "👨\u{200d}👩\u{200d}👧\u{200d}👦 Family",
    "🇰🇷 🏳\u{fe0f}\u{200d}🌈 👍🏽",
    "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}algo",
    "محمد \u{200f}עברית",
    "가나다라마바사아자차카타파하가나다라마바사아자차카타파하가나다라마바사아자차카타파하가나다라마바사아자차카타파하가나다라마바사아",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
];

/// Local parts that are allowed and unpleasant.
const HOSTILE_LOCALS: [&str; 6] = [
    "o'neil+{{7*7}}",
    "$HOME`id`",
    "%s%n%x",
    "=cmd|calc",
    "-rf",
    "a.very.long.local.part.that.goes.on.and.on.to.the.limit.of.64.x",
];

/// Makes people up, no address twice.
#[derive(Default)]
pub struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// The person that signed up `place`-th last.
    pub fn person(&mut self, rng: &mut Rng, place: usize, created_at: Time) -> Person {
        let korean = rng.u32(0..100) < 62;
        let (mut name, local) = if korean { korean_name(rng) } else { western_name(rng) };
        let odd = rng.u32(0..100);
        let locale = if korean == (odd < 92) { Locale::Ko } else { Locale::En };
        if rng.u32(0..100) < 6 {
            name.clear();
        }
        let mut local = self::local(rng, &local);
        // Two on the first screen, the others here and there.
        if place == 3 || place == 9 || place % 190 == 77 {
            HOSTILE[(place / 190 + place % 190) % HOSTILE.len()].clone_into(&mut name);
        }
        if place % 1_000 == 505 {
            HOSTILE_LOCALS[place / 1_000 % HOSTILE_LOCALS.len()].clone_into(&mut local);
        }
        let domain = DOMAINS[rng.usize(..DOMAINS.len())];
        let mut email = format!("{local}@{domain}");
        while !self.taken.insert(email.to_lowercase()) {
            email = format!("{local}{}@{domain}", rng.u32(10..10_000));
        }
        Person { email, name, locale, created_at, verified_at: None }
    }
}

/// The name as written and two parts for an address.
fn korean_name(rng: &mut Rng) -> (String, [String; 2]) {
    // The first few surnames are most of the country.
    let surname = SURNAMES[rng.usize(..SURNAMES.len()).min(rng.usize(..SURNAMES.len()))];
    let given = GIVEN[rng.usize(..GIVEN.len())];
    (format!("{}{}", surname.0, given.0), [given.1.to_owned(), surname.1.to_owned()])
}

fn western_name(rng: &mut Rng) -> (String, [String; 2]) {
    let given = WESTERN_GIVEN[rng.usize(..WESTERN_GIVEN.len())];
    let surname = WESTERN_SURNAMES[rng.usize(..WESTERN_SURNAMES.len())];
    (format!("{given} {surname}"), [ascii(given), ascii(surname)])
}

/// As its owner would write it in an address.
fn ascii(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .filter_map(|c| match c {
            'a'..='z' => Some(c),
            'é' | 'ë' => Some('e'),
            'ü' => Some('u'),
            'ø' | 'ó' => Some('o'),
            'ł' => Some('l'),
            'á' => Some('a'),
            'ñ' => Some('n'),
            'þ' => Some('t'),
            _ => None,
        })
        .collect()
}

fn local(rng: &mut Rng, [given, surname]: &[String; 2]) -> String {
    match rng.u32(0..8) {
        0 | 1 => format!("{given}.{surname}"),
        2 => format!("{surname}{given}"),
        3 => format!("{given}{}", rng.u32(60..100)),
        4 => format!("{}{surname}", given.chars().next().unwrap_or('x')),
        5 => format!("{surname}.{given}{}", rng.u32(1..1_000)),
        6 => format!("{given}_{surname}"),
        _ => format!("{given}+news{}", rng.u32(1..100)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::name;

    #[test]
    fn lists_fit_the_rules() {
        for hostile in HOSTILE {
            assert!(name::check(hostile).is_ok_and(|name| name == hostile), "{hostile:?}");
        }
        assert_eq!(HOSTILE.iter().filter(|name| name.chars().count() == name::NAME_MAX).count(), 2);
        assert!(HOSTILE_LOCALS.iter().all(|local| local.len() <= 64));
    }
}
