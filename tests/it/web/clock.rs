//! A host whose clock is a year off: the times that it shows are the database's.

use reqwest::{Client, Method, RequestBuilder};
use verifydesk::domain::locale::Locale;

use super::{Answer, Served, link};
use crate::support::Program;
use crate::support::node::libfaketime;

const TOKEN: &str = "a token of at least thirty-two characters";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_are_those_of_the_databases_clock() {
    for off in ["-365d", "+365d"] {
        let site = Served::start().await;
        let (id, key) = site.mailed("mina@example.com", Locale::En).await;
        let (expired, late) = site.mailed("late@example.com", Locale::En).await;
        site.expire(expired).await;

        let program = Program::new(&site.db.url)
            .set("LD_PRELOAD", libfaketime().to_string_lossy())
            .set("FAKETIME", off)
            .set("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .set("FAKETIME_NO_CACHE", "1")
            .set("VERIFYDESK_SERVE__TOKEN", TOKEN);
        let (_serving, line) = program.start(&["serve", "--listen", "127.0.0.1:0"], "listening");
        let port: String = line.split("127.0.0.1:").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
        let client = Client::builder().no_proxy().build().unwrap();
        let ask = |method: Method, path: &str| client.request(method, format!("http://127.0.0.1:{port}{path}"));
        let api = |request: RequestBuilder| Answer::of(request.bearer_auth(TOKEN));

        let form = [("key", late.expose())];
        let queued = Answer::of(ask(Method::POST, "/verify/new-mail").form(&form)).await;
        assert_eq!((queued.status.as_u16(), queued.heading()), (202, "A new mail is on its way"), "{off}");
        let again = Answer::of(ask(Method::POST, "/verify/new-mail").form(&form)).await;
        assert_eq!(again.status, 429, "{off}");
        let seconds: u64 = again.header("retry-after").parse().unwrap();
        assert!((1..=61).contains(&seconds), "{off}: {seconds}");
        assert!(again.body.contains(&format!("You can ask for another one in {seconds} second")), "{}", again.body);
        let body = serde_json::json!({ "email": "late@example.com" });
        let cooling = api(ask(Method::POST, "/api/signups").json(&body)).await;
        let seconds: u64 = cooling.header("retry-after").parse().unwrap();
        assert!(cooling.status == 429 && (1..=61).contains(&seconds), "{off}: {seconds}");

        let state = api(ask(Method::GET, "/api/users?email=mina@example.com")).await.json();
        assert_eq!(state["verification"]["status"], "pending", "{off}");
        let shown = program.run(&["show", &id.to_string(), "--json"]);
        assert_eq!(shown.json()[0]["status"], "pending", "{off}: {}", shown.err);
        site.expire(id).await;
        let state = api(ask(Method::GET, "/api/users?email=mina@example.com")).await.json();
        assert_eq!(state["verification"]["status"], "expired", "{off}");
        let shown = program.run(&["show", &id.to_string(), "--json"]);
        assert_eq!(shown.json()[0]["status"], "expired", "{off}: {}", shown.err);
        assert_eq!(Answer::of(ask(Method::GET, &link(&key))).await.heading(), "This link has expired", "{off}");
    }
}
