//! README's receiver, as it stands there.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use verifydesk::config::{Secret, Webhook};

use super::delivered::{drain, set, states, verify, world};
use super::receiver::SECRET;
use crate::mail_servers::{PATIENCE, python};

/// Ended when dropped.
struct OfReadme(Child);

impl Drop for OfReadme {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The Python in README.
fn program(root: &Path) -> String {
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_in_readme_takes_each_message_once_and_no_forged_one() {
    let (root, dir) = (Path::new(env!("CARGO_MANIFEST_DIR")), tempfile::tempdir().unwrap());
    let program = program(root);
    assert!(program.lines().count() <= 20, "{program}");
    let file = dir.path().join("receive.py");
    std::fs::write(&file, program).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(python(root));
    command.arg(file).env("SECRET", SECRET).env("PORT", port.to_string());
    let mut receiver = OfReadme(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut told = BufReader::new(receiver.0.stdout.take().unwrap()).lines();
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline && receiver.0.try_wait().unwrap().is_none(), "it does not listen");
        std::thread::yield_now();
    }

    let url = format!("http://127.0.0.1:{port}/");
    let webhook = Webhook {
        url: Some(Secret::new(&url)),
        secret: Some(Secret::new(SECRET)),
        allow_private: true,
        ..Webhook::default()
    };
    let world = world(&[("site", webhook)]).await;
    verify(&world, "mina").await;
    drain(&world).await;
    let first = told.next().unwrap().unwrap();
    assert!(first.starts_with("user.verified {'user_id': 1, 'email': 'mina@example.com'"), "{first}");
    world.execute("update webhook_deliveries set state = 'waiting', due_at = now()").await;
    drain(&world).await;
    let request = reqwest::Client::new().post(&url).header("webhook-id", "msg_1").header("webhook-timestamp", "1");
    let forged = request.header("webhook-signature", "v1,AAAA").body(r#"{"type":"forged"}"#).send().await.unwrap();
    assert_eq!(forged.status(), 401);
    set(&world, 1, false).await;
    drain(&world).await;
    let second = told.next().unwrap().unwrap();
    assert!(second.starts_with("user.unverified {'user_id': 1,"), "neither twice nor forged: {second}");
    assert_eq!(states(&world).await, ["delivered", "delivered"]);
}
