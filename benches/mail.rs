//! What a mail costs before it leaves: its key, its words, its bytes.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use uuid::Uuid;
use verifydesk::config::Settings;
use verifydesk::domain::Time;
use verifydesk::domain::id::{SendId, VerificationId};
use verifydesk::domain::key::{Key, NONCE_LENGTH, Nonce};
use verifydesk::domain::locale::Locale;
use verifydesk::mail::message::Composer;
use verifydesk::mail::templates::Templates;
use verifydesk::mail::verification::{TEMPLATE, VerificationMail};

fn key(criterion: &mut Criterion) {
    let secret = [7; 32];
    let nonce = Nonce([9; NONCE_LENGTH]);
    criterion.bench_function("key: derive, text, digest", |bencher| {
        bencher.iter(|| {
            let key = Key::derive(black_box(&secret), black_box(VerificationId(42)), &nonce);
            (key.expose(), key.digest())
        });
    });
}

#[expect(clippy::expect_used, reason = "a benchmark that cannot be set up must not run")]
fn mail(criterion: &mut Criterion) {
    let mut settings = Settings::default();
    settings.mail.from = Some("Example, Inc. <no-reply@example.org>".to_owned());
    let templates = Templates::load(None).expect("the built-in templates are right");
    let composer = Composer::from_settings(&settings).expect("the sender is right");
    let id = SendId(Uuid::from_u128(42));
    for locale in Locale::ALL {
        let mail = VerificationMail::sample(locale, &settings, Time::UNIX_EPOCH);
        let render =
            || templates.render(TEMPLATE, locale, &mail.context(&settings.site)).expect("the templates render");
        criterion.bench_function(&format!("mail {locale}: render"), |bencher| bencher.iter(render));
        criterion.bench_function(&format!("mail {locale}: render and MIME"), |bencher| {
            bencher.iter(|| {
                composer
                    .compose(id, 1, &mail.recipient, mail.name.raw(), &render(), Time::UNIX_EPOCH)
                    .expect("the mail is composed")
            });
        });
    }
}

criterion_group!(benches, key, mail);
criterion_main!(benches);
