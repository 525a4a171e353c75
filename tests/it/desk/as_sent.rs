//! The mail as its recipient got it, rendered again: the mail itself is not kept, since it holds the link.

use mail_parser::MessageParser;
use verifydesk::config::Settings;
use verifydesk::desk::SignUp;
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::locale::Locale;
use verifydesk::mail::templates::Templates;
use verifydesk::mail::verification::TEMPLATE;
use verifydesk::preview::as_sent::Likeness;
use verifydesk::preview::proof::{self, Person, PreviewRequest, Proof, Values};
use verifydesk::preview::view::View;

use crate::support::Program;
use crate::support::world::{World, sign_up};

const SAMPLE_KEY: &str = "sample-key-of-a-preview-that-opens-nothing";

async fn proof(world: &World, settings: &Settings, id: VerificationId) -> Proof {
    let detail = world.detail(id).await;
    let send = detail.sends.first();
    let request = PreviewRequest {
        template: TEMPLATE.into(),
        locale: send.map_or(detail.user.locale, |send| send.locale),
        values: Values::Person(Person::of(&detail, send)),
        view: View::default(),
    };
    *proof::render_preview(&Templates::gather(settings), settings, &request, chrono::Utc::now()).outcome.unwrap()
}

#[tokio::test]
async fn is_word_for_word_what_was_sent_but_for_the_key() {
    let world = World::with(|settings| settings.site.name = "Haru & Söhne".into()).await;
    let mut ids = Vec::new();
    for (email, name, locale) in
        [("mina@example.com", "김미나", Locale::Ko), ("o@example.com", "O'Brien <b>", Locale::En)]
    {
        ids.push(sign_up(&world.desk, &SignUp { email: email.into(), name: name.into(), locale }).await);
    }
    assert_eq!(proof(&world, &world.settings, ids[0]).await.likeness, Some(Likeness::NotSent));
    assert_eq!(world.drain().await.sent, 2);
    let keys = world.keys();
    let mails: Vec<Vec<u8>> = world.captured().iter().map(|file| std::fs::read(file).unwrap()).collect();
    for id in ids {
        let shown = proof(&world, &world.settings, id).await;
        assert_eq!(shown.likeness, Some(Likeness::Same));
        let detail = world.detail(id).await;
        let to = detail.user.email.raw();
        let mail = mails.iter().map(|mail| MessageParser::default().parse(mail).unwrap());
        let (mail, key) =
            mail.zip(&keys).find(|(mail, _)| mail.to().unwrap().first().unwrap().address() == Some(to)).unwrap();
        let without_key = |text: &str| text.replace("\r\n", "\n").replace(&key.expose(), SAMPLE_KEY);
        assert_eq!(shown.text.trim(), without_key(&mail.body_text(0).unwrap()).trim());
        assert_eq!(shown.html.trim(), without_key(&mail.body_html(0).unwrap()).trim());
        assert_eq!(shown.subject, mail.subject().unwrap());
        assert!(shown.from.contains("no-reply@example.org") && shown.to.contains(to), "{shown:?}");
        assert!(shown.mime.encoded.contains(&detail.sends[0].id.to_string()), "the same Message-ID");
        for key in &keys {
            assert!(!format!("{shown:?}").contains(&key.expose()), "a key is shown");
        }
    }
}

#[tokio::test]
async fn what_has_changed_since_is_said() {
    type Change<'a> = &'a dyn Fn(&mut Settings);
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    assert_eq!(world.drain().await.sent, 1);
    let with = |change: &dyn Fn(&mut Settings)| {
        let mut settings = world.settings.clone();
        change(&mut settings);
        settings
    };
    let templates = world.dir.path().join("templates/en/verification");
    std::fs::create_dir_all(&templates).unwrap();
    std::fs::write(templates.join("subject.txt"), "Welcome to {{ site_name }}\n").unwrap();
    let other_templates = |settings: &mut Settings| settings.templates.dir = Some(world.dir.path().join("templates"));
    let other_settings = |settings: &mut Settings| settings.mail.from = Some("hello@example.org".into());
    let both = |settings: &mut Settings| {
        other_templates(settings);
        other_settings(settings);
    };
    let table: [(Change<'_>, &str); 4] = [
        (&|_| {}, "same"),
        (&other_templates, "other_templates"),
        (&other_settings, "other_settings"),
        (&both, "other_templates_and_settings"),
    ];
    for (change, expected) in table {
        let shown = proof(&world, &with(change), id).await;
        assert_eq!(shown.likeness.map(Likeness::as_str), Some(expected));
    }
    // Of mails from before it was recorded.
    world.execute("update sends set templates_fingerprint = null").await;
    assert_eq!(proof(&world, &world.settings, id).await.likeness, Some(Likeness::NotRecorded));
}

#[tokio::test(flavor = "multi_thread")]
async fn show_prints_it_whole_or_in_parts_and_never_the_key() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    assert_eq!(world.drain().await.sent, 1);
    let program = Program::new(&world.db.url)
        .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>");
    let number = id.to_string();
    let send = world.one_send().await.id.to_string();
    let key = world.keys()[0].expose();
    let show = |more: &[&str]| {
        let run = program.run(&[&["show", &number], more].concat());
        assert!(!run.out.contains(&key) && !run.err.contains(&key), "{more:?}");
        run
    };
    let whole = show(&["--mail"]);
    assert_eq!(whole.code, 0, "{}", whole.err);
    for part in [
        "From ",
        "<no-reply@example.org>",
        "To ",
        "Mina <mina@example.com>",
        "Sent  ",
        "Subject ",
        "As it was sent",
        SAMPLE_KEY,
    ] {
        assert!(whole.out.contains(part), "{part} is missing in\n{}", whole.out);
    }
    assert_eq!(show(&[&*format!("--mail={send}")]).out, whole.out);
    let html = show(&["--mail", "--part", "html"]);
    assert!(html.out.contains("<html") && html.err.contains("As it was sent"), "{}{}", html.out, html.err);
    assert!(show(&["--mail", "--part", "mime"]).out.contains("Content-Type: multipart/alternative"));
    let json = show(&["--mail", "--json"]).json().remove(0);
    assert_eq!((&json["send_id"], &json["likeness"]), (&send.clone().into(), &"same".into()));
    assert!(json["html"].as_str().unwrap().contains(SAMPLE_KEY) && json["sent_at"].is_string(), "{json}");
    let unknown = show(&["--mail=01900000-0000-7000-8000-000000000000"]);
    assert_eq!(unknown.code, 3, "{}", unknown.err);
    assert_eq!(show(&["--part", "html"]).code, 2);
    // A host that does not know the site says so.
    let elsewhere = Program::new(&world.db.url).run(&["show", &number, "--mail"]);
    assert!(elsewhere.out.contains("or are others on this host"), "{}{}", elsewhere.out, elsewhere.err);
}
