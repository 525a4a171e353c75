//! Links as mail programs, chats and people mangle them.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::key::{Key, Nonce};
use verifydesk::domain::locale::Locale;

use super::{Answer, Served, Server, button, link};
use crate::support::world::SECRET;

/// What reaches the server when a user follows the link: `{K}` is the key, `{A}` and `{B}` its two parts.
const FORMS: &[&str] = &[
    // As it was mailed, with what mail services add.
    "/verify/?key={K}",
    "/verify?key={K}",
    "/verify/?key={K}&utm_source=mail&fbclid=IwAR0abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW",
    "/verify/?utm_source=mail&key={K}",
    // The sentence's punctuation taken in.
    "/verify/?key={K}.",
    "/verify/?key={K},",
    "/verify/?key={K};",
    "/verify/?key={K}:",
    "/verify/?key={K}!",
    "/verify/?key={K}?",
    "/verify/?key={K}...",
    "/verify/?key={K}%E2%80%A6",
    "/verify/?key={K}%E3%80%82",
    "/verify/?key={K}%EF%BC%8C",
    // Brackets and quotes, opened or closed.
    "/verify/?key={K})",
    "/verify/?key=({K})",
    "/verify/?key={K}%3E",
    "/verify/?key=%3C{K}%3E",
    "/verify/?key={K}]",
    "/verify/?key={K}%7D",
    "/verify/?key={K}%22",
    "/verify/?key=%22{K}%22",
    "/verify/?key={K}'",
    "/verify/?key={K}%60",
    "/verify/?key={K}%E2%80%9D",
    "/verify/?key=%E2%80%98{K}%E2%80%99",
    "/verify/?key=%EF%BC%88{K}%EF%BC%89",
    "/verify/?key=%E3%80%8C{K}%E3%80%8D",
    "/verify/?key={K}%E3%80%91",
    "/verify/?key={K}%C2%BB",
    // Emphasis of chats, signs of Markdown.
    "/verify/?key={K}*",
    "/verify/?key={K}**",
    "/verify/?key={K}_",
    "/verify/?key={K}__",
    "/verify/?key=_{K}_",
    "/verify/?key={K}-",
    "/verify/?key={K}~",
    "/verify/?key={K}%5C",
    "/verify/?key={K}|",
    // Blanks and breaks at the ends and inside.
    "/verify/?key={K}%20",
    "/verify/?key=%20{K}",
    "/verify/?key={K}+",
    "/verify/?key=+{K}",
    "/verify/?key={A}%20{B}",
    "/verify/?key={A}+{B}",
    "/verify/?key={A}%0D%0A{B}",
    "/verify/?key={A}%0A%20%20{B}",
    "/verify/?key={A}%09{B}",
    "/verify/?key={K}%0D%0A",
    "/verify/?key%20={K}",
    "/verify/?%20key=%20{K}",
    // What is invisible.
    "/verify/?key={K}%E2%80%8B",
    "/verify/?key=%E2%80%8B{K}",
    "/verify/?key={A}%E2%80%8B{B}",
    "/verify/?key={K}%EF%BB%BF",
    "/verify/?key=%EF%BB%BF{K}",
    "/verify/?key={K}%C2%A0",
    "/verify/?key={A}%C2%AD{B}",
    "/verify/?key={A}%E2%81%A0{B}",
    "/verify/?key=%E2%80%8E{K}%E2%80%8E",
    "/verify/?key={K}%E3%80%80",
    "/verify/?key={K}%00",
    // Quoted-printable that was not undone, or half.
    "/verify/?key=3D{K}",
    "/verify/?key=3d{K}",
    "/verify/?key=%3D{K}",
    "/verify/?key%3D{K}",
    "/verify/?key=={K}",
    "/verify/?key=3D{A}=%0D%0A{B}",
    "/verify/?key={A}={B}",
    "/verify/?key={A}=%0A{B}",
    "/verify/?key={A}=0D=0A{B}",
    "/verify/?key={K}=",
    "/verify/?key={K}=20",
    "/verify/?ke=%0Ay=3D{K}",
    "/ver=%0D%0Aify/?key=3D{K}",
    // HTML that was not undone, or that came along.
    "/verify/?utm_source=mail&amp;key={K}",
    "/verify/?amp;key={K}",
    "/verify/?utm_source=mail&amp;amp;key={K}",
    "/verify/?utm_source=mail&%2338;key={K}",
    "/verify/?key={K}&amp;utm_source=mail",
    "/verify/?key={K}&quot;",
    "/verify/?key={K}&gt;",
    "/verify/?key={A}&shy;{B}",
    "/verify/?key={A}%3Cwbr%3E{B}",
    "/verify/?key={K}%3C/a%3E",
    "/verify/?key={K}%22%20target=%22_blank",
    // Escaped once more, or where nothing is to be escaped.
    "/verify/%3Fkey={K}",
    "/verify/%3Fkey%3D{K}",
    "/verify%3Fkey={K}",
    "/verify/%253Fkey%253D{K}",
    "/verify/?key={K}%252E",
    "/verify/?%6Bey={K}",
    "/verify/?key={A}%2520{B}",
    "/verify/?key=%253D{K}",
    "/verify/%EF%BC%9Fkey%EF%BC%9D{K}",
    // The name, written otherwise.
    "/verify/?KEY={K}",
    "/verify/?Key={K}",
    "/VERIFY/?KEY={K}",
    "/verify/?key:{K}",
    "/verify/?{K}",
    "/verify/{K}",
    "/verify/key={K}",
    // Slashes doubled, lost or added.
    "/verify//?key={K}",
    "//verify/?key={K}",
    "//verify//?key={K}",
    "/verify/?key={K}/",
    "/verify/?key=/{K}",
    "/verify/?/key={K}",
    // The link twice.
    "/verify/?key={K}&key={K}",
    "/verify/?key={K}%20https://books.example/verify/?key={K}",
    "/verify/?key={K}%3Ehttps://books.example/verify/?key={K}",
    "/verify/?key={K}?key={K}",
    "/verify/?key={K}&key=",
    // A section, and words behind it.
    "/verify/?key={K}%23main",
    "/verify/?key={K}%20(link)",
    "/verify/?key={K}%EC%9D%84",
    "/verify/?key={K}.%20Thanks!",
];

/// What no one can read.
const BEYOND: &[&str] = &[
    "/verify/",
    "/verify/?key=",
    "/verify/?key={A}",
    "/verify/?key={B}",
    "/verify/?key={K}&key={O}",
    "/verify/?key={O}%20key={K}",
    "/verify/?key={K}A",
    "/verify//?key={A}",
    "/verify/%3Fkey={B}",
];

/// The form, filled in.
fn filled(form: &str, key: &str) -> String {
    let (a, b) = key.split_at(31);
    form.replace("{K}", key).replace("{A}", a).replace("{B}", b)
}

/// Asks for a path exactly as it is written: clients tidy up.
async fn ask(server: &Server, method: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nAccept-Language: en\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer[9..12].parse().unwrap(), answer)
}

#[tokio::test]
async fn a_mangled_link_leads_to_its_verification() {
    let site = Served::start().await;
    let (_, key) = site.mailed("mina@example.com", Locale::En).await;
    let failed = async |method: &str, heading: &str| {
        let mut failed = Vec::new();
        for form in FORMS {
            let (status, answer) = ask(&site.server, method, &filled(form, &key.expose())).await;
            if status != 200 || !answer.contains(heading) {
                failed.push(format!("{status} {form}"));
            }
        }
        failed
    };
    assert!(FORMS.len() >= 70);
    let before = site.traces().await;
    assert_eq!(failed("HEAD", "").await, [""; 0]);
    assert_eq!(site.traces().await, before);
    assert_eq!(failed("GET", "<h1>Your email address is confirmed</h1>").await, [""; 0]);
    assert_eq!(site.outcomes("open_link").await, ["verified"]);
}

#[tokio::test]
async fn each_form_verifies_by_itself() {
    let site = Served::start().await;
    for (at, form) in FORMS.iter().enumerate() {
        let (id, key) = site.mailed(&format!("user{at}@example.com"), Locale::En).await;
        let (status, _) = ask(&site.server, "GET", &filled(form, &key.expose())).await;
        let detail = site.server.desk.store().show(id).await.unwrap().unwrap();
        assert!(status == 200 && detail.user.verified_at.is_some(), "{status} {form}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_an_unknown_link() {
    let site = Served::start().await;
    let (_, key) = site.mailed("mina@example.com", Locale::En).await;
    let (_, other) = site.mailed("jun@example.com", Locale::En).await;
    let before = site.traces().await;
    for form in BEYOND {
        let path = filled(&form.replace("{O}", &other.expose()), &key.expose());
        let (status, answer) = ask(&site.server, "GET", &path).await;
        assert!(status == 404 && answer.contains("<h1>We do not know this link</h1>"), "{status} {form}");
    }
    // Well-formed, and no user's.
    let stray = Key::derive(SECRET.as_bytes(), VerificationId(7), &Nonce([7; 16]));
    for form in FORMS {
        assert_eq!(ask(&site.server, "GET", &filled(form, &stray.expose())).await.0, 404, "{form}");
    }
    assert_eq!(site.traces().await, before);
}

/// A page's forms go to where they are, as a browser takes it.
fn aim(path: &str, page: &str) -> String {
    let (_, rest) = page.split_once("action=\"").unwrap_or_else(|| panic!("no form: {page}"));
    let action = rest.split_once('"').unwrap().0;
    // Behind a host, a path may begin with two slashes.
    url::Url::parse(&format!("http://x{path}")).unwrap().join(action).unwrap().path().to_owned()
}

#[tokio::test]
async fn the_buttons_of_a_mangled_link_work() {
    let site = Served::with(button).await;
    for (at, form) in FORMS.iter().enumerate() {
        let (id, key) = site.mailed(&format!("user{at}@example.com"), Locale::En).await;
        let path = filled(form, &key.expose());
        let (_, page) = ask(&site.server, "GET", &path).await;
        assert!(page.contains("<h1>Please confirm your email address</h1>"), "{form}: {path}");
        let pressed = site.server.post(&aim(&path, &page), &key).await;
        assert_eq!((pressed.status.as_u16(), pressed.heading()), (200, "Your email address is confirmed"), "{form}");

        let (expired, key) = site.mailed(&format!("late{at}@example.com"), Locale::En).await;
        site.expire(expired).await;
        let path = filled(form, &key.expose());
        let (_, page) = ask(&site.server, "GET", &path).await;
        assert!(page.contains("<h1>This link has expired</h1>"), "{form}: {path}");
        let asked = site.server.post(&aim(&path, &page), &key).await;
        assert_eq!((asked.status.as_u16(), asked.heading()), (202, "A new mail is on its way"), "{form}");
        assert!(site.server.desk.store().show(id).await.unwrap().unwrap().user.verified_at.is_some());
    }
}

#[tokio::test]
async fn other_methods_keep_to_their_rules() {
    let site = Served::start().await;
    let (_, key) = site.mailed("mina@example.com", Locale::En).await;
    let before = site.traces().await;
    for path in ["/verify//", "//verify/", "/verify/%3Fkey="] {
        let path = format!("{path}{}", key.expose());
        let (status, answer) = ask(&site.server, "OPTIONS", &path).await;
        assert!(status == 204 && answer.contains("allow: GET, HEAD, POST, OPTIONS"), "{answer}");
        let (status, answer) = ask(&site.server, "DELETE", &path).await;
        assert!(status == 405 && answer.to_ascii_lowercase().contains("allow: "), "{answer}");
        // A key in the address of a POST counts for nothing.
        let request = site.server.request(reqwest::Method::POST, &path).form(&[("x", "y")]);
        assert_eq!(Answer::of(request).await.status, 404);
    }
    let (status, answer) = ask(&site.server, "GET", "//verify//new-mail").await;
    assert!(status == 405 && answer.to_ascii_lowercase().contains("allow: post"), "{answer}");
    assert_eq!(site.traces().await, before);
    assert_eq!(site.server.get(&link(&key)).await.status, 200);
}
