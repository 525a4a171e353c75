//! What a verified user carries back to the site, read by a library that we did not write.

use std::path::Path;
use std::process::Command;

use chrono::Utc;
use serde_json::{Value, json};
use verifydesk::config::{Confirm, Secret, Settings};
use verifydesk::domain::locale::Locale;

use super::{Answer, Served, link};
use crate::mail_servers::python;

const SECRET: &str = "what the site knows as well, 32 and more";

fn greets(settings: &mut Settings) {
    settings.site.url = Some("https://books.example/welcome?from=mail".into());
    settings.serve.greeting_secret = Some(Secret::new(SECRET));
}

/// Where the page's link leads.
fn way_back(answer: &Answer) -> String {
    let (_, rest) = answer.body.split_once("<a class=\"button\" href=\"").unwrap_or_else(|| panic!("{}", answer.body));
    rest.split_once('"').unwrap().0.replace("&amp;", "&").replace("&#x2F;", "/").replace("&#x3D;", "=")
}

/// What `PyJWT` makes of a token, as the site's back end would ask it.
fn verified(token: &str, secret: &str, at: i64) -> Result<Value, String> {
    const ASKED: &str = "
import datetime, json, sys
import jwt
class Then(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(int(sys.argv[3]), tz)
jwt.api_jwt.datetime = Then
print(json.dumps(jwt.decode(sys.argv[1], sys.argv[2], algorithms=['HS256'],
    audience='https://books.example/welcome?from=mail', issuer='verifydesk',
    options={'require': ['exp', 'iat', 'sub', 'jti']})))";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = Command::new(python(root)).args(["-c", ASKED, token, secret, &at.to_string()]).output().unwrap();
    if run.status.success() {
        Ok(serde_json::from_slice(&run.stdout).unwrap())
    } else {
        let said = String::from_utf8(run.stderr).unwrap();
        Err(said.lines().last().unwrap().split(':').next().unwrap().to_owned())
    }
}

fn token_in(way: &str) -> &str {
    way.strip_prefix("https://books.example/welcome?from=mail&verified=").unwrap_or_else(|| panic!("{way}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_link_has_just_verified_them_is_greeted() {
    let site = Served::with(greets).await;
    let (id, key) = site.mailed("mina@example.com", Locale::En).await;
    let opened = site.server.get(&link(&key)).await;
    let (way, then) = (way_back(&opened), Utc::now().timestamp());
    let user: i64 = sqlx::query_scalar("select user_id from verifications where id = $1")
        .bind(id.0)
        .fetch_one(site.pool())
        .await
        .unwrap();
    let claims = verified(token_in(&way), SECRET, then).unwrap();
    assert_eq!(claims["sub"], json!(user.to_string()));
    let [begins, ends] = ["iat", "exp"].map(|claim| claims[claim].as_i64().unwrap());
    assert_eq!(ends - begins, 300);
    // Neither the address nor the key.
    assert!(!claims.to_string().contains("mina") && !claims.to_string().contains(&key.expose()), "{claims}");

    assert_eq!(verified(token_in(&way), SECRET, ends - 1).unwrap()["sub"], claims["sub"]);
    assert_eq!(verified(token_in(&way), SECRET, ends), Err("jwt.exceptions.ExpiredSignatureError".into()));
    let other = "what another site knows, 32 or more of it";
    assert_eq!(verified(token_in(&way), other, then), Err("jwt.exceptions.InvalidSignatureError".into()));

    // Later the page is the same, without a token.
    let again = site.server.get(&link(&key)).await;
    assert_eq!(
        (again.heading(), way_back(&again).as_str()),
        (opened.heading(), "https://books.example/welcome?from=mail")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_presses_the_button_is_greeted() {
    let site = Served::with(|settings| {
        greets(settings);
        settings.verification.confirm = Confirm::Button;
    })
    .await;
    let (_, key) = site.mailed("mina@example.com", Locale::Ko).await;
    let looked = site.server.get(&link(&key)).await;
    assert!(!looked.body.contains("verified="), "{}", looked.body);
    let pressed = site.server.post("/verify/", &key).await;
    assert!(verified(token_in(&way_back(&pressed)), SECRET, Utc::now().timestamp()).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_nothing_is_carried_back() {
    let site = Served::with(|settings| {
        greets(settings);
        settings.serve.greeting_secret = None;
    })
    .await;
    let (_, key) = site.mailed("mina@example.com", Locale::En).await;
    assert_eq!(way_back(&site.server.get(&link(&key)).await), "https://books.example/welcome?from=mail");
}
