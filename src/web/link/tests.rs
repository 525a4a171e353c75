use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::*;

const KEY: &str = "UaFyjGRlAqY2FuIfuc87-9wpaC6xgDzZHnGg1-Bb4rY";
const OTHER: &str = "BaFyjGRlAqY2FuIfuc87-9wpaC6xgDzZHnGg1-Bb4rY";

fn read(path_and_query: &str) -> Option<String> {
    let (path, query) =
        path_and_query.split_once('?').map_or((path_and_query, None), |(path, query)| (path, Some(query)));
    key_of(path, query).map(|key| key.expose())
}

#[test]
fn what_cannot_be_read_is_not_guessed() {
    let table = [
        "/verify/".to_owned(),
        "/verify/?key=".to_owned(),
        format!("/verify/?key={}", &KEY[..42]),
        format!("/verify/?key={}", &KEY[1..]),
        format!("/verify/?key={KEY}&key={OTHER}"),
        format!("/verify/?key={OTHER}&KEY={KEY}"),
        format!("/verify/?key={KEY}&amp;key={OTHER}"),
        format!("/verify/?key={KEY}&key%3D{OTHER}"),
        format!("/verify/?key={KEY},{OTHER}"),
        format!("/verify/{KEY}/{OTHER}"),
        format!("/verify/?key={KEY}A"),
        format!("/verify/?key=A{KEY}"),
        format!("/verify/?key=3d{}", &KEY[..42]),
        format!("/verify/?key={}", KEY.to_lowercase()),
        format!("/verify/?key={KEY}{KEY}"),
        // Two links, without anything between.
        format!("/verify/?key={KEY}https://example.org/verify/?key={OTHER}"),
        format!("/verify/?key={}&key={OTHER}", &KEY[..42]),
        format!("/verify/?key={OTHER}&key={}", &KEY[..42]),
        format!("/verify/?key={}&key={OTHER}", &KEY[..30]),
        format!("/verify/?key={KEY}A&key={OTHER}"),
        format!("/verify/?key={}&amp;key%3D{OTHER}", &KEY[..40]),
        format!("/verify/?key={} {}&key={OTHER}", &KEY[..20], &KEY[20..42]),
    ];
    for link in table {
        assert_eq!(read(&link), None, "{link}");
    }
}

#[test]
fn a_key_is_that_of_its_parameter() {
    let table = [
        format!("/verify/?key={KEY}&fbclid={OTHER}"),
        format!("/verify/?mc_eid={OTHER}&key={KEY}."),
        format!("/verify/{OTHER}?key={KEY}"),
        format!("/verify/?monkey={OTHER}&key={KEY}"),
        format!("/verify/?key={KEY}&key=&key=x"),
        // What was cut off is a part of the whole.
        format!("/verify/?key={}&key={KEY}", &KEY[..42]),
        format!("/verify/?key={KEY}&key={}", &KEY[3..]),
        format!("/verify/?key={KEY}. If it was not you who asked for this mail, there is nothing to do at all."),
    ];
    for link in table {
        assert_eq!(read(&link).as_deref(), Some(KEY), "{link}");
    }
}

/// A key may begin with what is otherwise taken off.
#[test]
fn a_key_keeps_its_own_beginning() {
    for start in ["3D", "3d", "__", "--", "2E", "-_", "ke", "am"] {
        let key = format!("{start}{}", &KEY[2..]);
        for value in [key.clone(), format!("3D{key}"), format!("{key}_"), format!("{key}--"), format!("%3D{key}.")] {
            assert_eq!(read(&format!("/verify/?key={value}")).as_ref(), Some(&key), "{value}");
        }
    }
}

#[test]
fn paths_that_are_meant() {
    use Meant::{NewMail, View};
    let table = [
        ("/verify//", Some(View)),
        ("//verify/", Some(View)),
        ("/verify/%3Fkey=x", Some(View)),
        ("/verify%3Fkey=x", Some(View)),
        ("/Verify/", Some(View)),
        ("/ver=%0D%0Aify/", Some(View)),
        ("/%20verify/", Some(View)),
        ("/%2576erify/", Some(View)),
        ("/verify/new-mail/", Some(NewMail)),
        ("//verify//new-mail", Some(NewMail)),
        ("/", None),
        ("/nowhere/verify/", None),
        ("/veri/", None),
        ("/%", None),
    ];
    for (path, meant) in table {
        assert_eq!(meant_by(path), meant, "{path}");
    }
    for (path, way) in [
        ("/verify", "verify/"),
        ("/verify/", "./"),
        ("/verify//", "./"),
        ("/verify%3Fkey=x", "verify/"),
        ("/verify/%3Fkey=x", "./"),
        ("/VERIFY", "verify/"),
    ] {
        assert_eq!(way_to_view(path), way, "{path}");
    }
}

/// Time grows with the length alone.
#[test]
fn the_longest_head_is_read_at_once() {
    for piece in ["%25", "key=", "a.", "%3Ckey%3E", "&amp;key=", "3D", "=\r\n", "<b>", "_", "k%65y%3D"] {
        let query = piece.repeat(16_384 / piece.len());
        let started = std::time::Instant::now();
        let _ = key_of("/verify/", Some(&query));
        assert!(started.elapsed() < std::time::Duration::from_secs(1), "{piece}: {:?}", started.elapsed());
    }
}

fn a_key() -> impl Strategy<Value = String> {
    any::<[u8; 32]>().prop_map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// What a program may put around or into a key: no character of one, nothing that begins an escape or a parameter.
const JUNK: &str = "[ .,;:!'\"()<>\\[\\]{}|*~^$@+=\u{ad}\u{a0}\u{200b}\u{feff}。）】」’”\r\n\t]{0,4}";

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

proptest! {
    #[test]
    fn never_panics(path in "\\PC*", query in proptest::option::of(any::<String>())) {
        let _ = (key_of(&path, query.as_deref()), meant_by(&path), way_to_view(&path));
    }

    #[test]
    fn never_panics_on_what_looks_like_a_link(parts in proptest::collection::vec("key=|&amp;|%[0-9a-f]{0,2}|=[0-9A-F]{2}|<[a-z]*>|[-_A-Za-z0-9]{1,50}", 0..30)) {
        let _ = key_of("/verify/", Some(&parts.concat()));
    }

    #[test]
    fn a_key_in_junk_is_found(key in a_key(), before in JUNK, at in 0..43_usize, inside in JUNK, behind in JUNK) {
        // An `=` before two hexadecimal digits is an escape of quoted-printable: either reading is tried.
        let value = format!("{before}{}{inside}{}{behind}", &key[..at], &key[at..]);
        for query in [format!("key={value}"), format!("key={}", escaped(&value)), format!("key={}", escaped(&escaped(&value)))] {
            prop_assert_eq!(key_of("/verify/", Some(&query)).map(|key| key.expose()), Some(key.clone()), "{}", query);
        }
    }

    #[test]
    fn two_keys_are_none(one in a_key(), other in a_key(), junk in JUNK, separator in "&|&amp;|[.,; ]|%26") {
        prop_assume!(one != other);
        let query = format!("key={one}{junk}{separator}key={other}");
        prop_assert_eq!(key_of("/verify/", Some(&query)).map(|key| key.expose()), None, "{}", query);
    }
}
