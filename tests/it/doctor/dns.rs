//! What a name server says, one that this project did not write.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::mail_servers::python;

struct NameServer {
    process: Child,
    at: SocketAddr,
}

impl NameServer {
    fn start(zone: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut process = Command::new(python(root))
            .arg(root.join("tests/dns/name_server.py"))
            .arg(zone)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let told: serde_json::Value = serde_json::from_str(&first).unwrap();
        let at = SocketAddr::from(([127, 0, 0, 1], u16::try_from(told["port"].as_u64().unwrap()).unwrap()));
        Self { process, at }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const ZONE: &str = r#"
shop.kr. 60 IN TXT "v=spf1 include:amazonses.com ~all"
shop.kr. 60 IN TXT "something=else"
_dmarc.shop.kr. 60 IN TXT "v=DMARC1; " "p=quarantine"
a1._domainkey.shop.kr. 60 IN CNAME a1.dkim.amazonses.com.
b2._domainkey.shop.kr. 60 IN CNAME b2.dkim.amazonses.com.
c3._domainkey.shop.kr. 60 IN CNAME C3.DKIM.amazonses.com.
bounce.shop.kr. 60 IN MX 10 feedback-smtp.eu-central-1.amazonses.com.
bounce.shop.kr. 60 IN TXT "v=spf1 include:amazonses.com ~all"
mail.bare.kr. 60 IN A 192.0.2.1
twice.kr. 60 IN TXT "v=spf1 mx ~all"
twice.kr. 60 IN TXT "v=spf1 -all"
_dmarc.twice.kr. 60 IN TXT "v=DMARC1; p=ESC]0;pwn"
a1._domainkey.twice.kr. 60 IN CNAME elsewhere.example.
bounce.twice.kr. 60 IN MX 10 mail.twice.kr.
"#;

/// What the check says of mails from this domain, whose identity at SES has these tokens and this envelope's domain.
async fn of(server: &NameServer, world: &World, name: &str, domain: &str, own: &str) -> Finding {
    make_well(world).await;
    world
        .execute(&format!(
            r#"update account_panels set subject = '{domain}', figures = jsonb_set(jsonb_set(figures,
                '{{identity,dkim_tokens}}', '["a1", "b2", "c3"]'), '{{identity,mail_from}}', '"{own}"')
            where kind = 'domain'"#
        ))
        .await;
    let mut settings = world.settings.clone();
    settings.mail.from = Some(format!("Shop <no-reply@{domain}>"));
    Doctor::new(settings).with_name_server(server.at).examine_one(name).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_domain_says_is_read_and_judged() {
    let server = NameServer::start(ZONE);
    let world = World::new().await;
    let table = [
        ("dns.spf", "shop.kr", "", State::Green, "shop.kr: v=spf1 include:amazonses.com ~all"),
        ("dns.spf", "shop.kr", "bounce.shop.kr", State::Green, "bounce.shop.kr: v=spf1"),
        ("dns.spf", "shop.kr", "none.shop.kr", State::Red, "none.shop.kr has no SPF record"),
        ("dns.spf", "twice.kr", "", State::Red, "2 SPF records"),
        ("dns.spf", "mail.bare.kr", "", State::Yellow, "mail.bare.kr has no SPF record"),
        ("dns.dmarc", "shop.kr", "", State::Green, "_dmarc.shop.kr: v=DMARC1; p=quarantine"),
        ("dns.dmarc", "news.shop.kr", "", State::Green, "_dmarc.shop.kr"),
        ("dns.dmarc", "mail.bare.kr", "", State::Yellow, "no DMARC record"),
        ("dns.dmarc", "twice.kr", "", State::Yellow, "pwn"),
        ("dns.dkim", "shop.kr", "", State::Green, "all 3 records"),
        ("dns.dkim", "twice.kr", "", State::Red, "3 of 3 records"),
        ("dns.mail_from", "shop.kr", "bounce.shop.kr", State::Green, "feedback-smtp.eu-central-1.amazonses.com"),
        ("dns.mail_from", "twice.kr", "bounce.twice.kr", State::Red, "no MX record that leads to SES"),
        ("dns.mail_from", "shop.kr", "", State::Skipped, "SES's own"),
        ("dns.spf", "shop.silent", "", State::Yellow, "DNS does not answer"),
    ];
    for (name, domain, own, state, words) in table {
        let finding = of(&server, &world, name, domain, own).await;
        expect(&format!("{name} of {domain}"), &finding, state, words);
        assert!(!finding.found.as_str().contains(['\u{1b}', '\u{7}']), "{finding:?}");
    }
    let offline = Doctor::new(world.settings.clone()).offline(true).with_name_server(server.at);
    expect("offline", &offline.examine_one("dns.spf").await.unwrap(), State::Skipped, "--offline");
}
