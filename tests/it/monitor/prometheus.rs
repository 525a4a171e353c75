//! Prometheus itself, as Debian ships it, reads what worker and serve show.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::metrics::listed;
use super::{get, program, start, until};
use crate::support::world::{captured_in, key_in};
use crate::support::{Program, Running, TestDb, address_in};

const TOKEN: &str = "a token of the tests, long enough";

/// A Prometheus that asks some processes ten times a second.
struct Prometheus {
    url: String,
    _running: Running,
    _dir: TempDir,
}

impl Prometheus {
    fn start(targets: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let targets: Vec<String> =
            targets.iter().map(|url| format!("\"{}\"", url.trim_start_matches("http://"))).collect();
        let config = format!(
            "scrape_configs:\n  - job_name: verifydesk\n    scrape_interval: 100ms\n    scrape_timeout: 100ms\n    \
             static_configs:\n      - targets: [{}]\n",
            targets.join(", ")
        );
        std::fs::write(dir.path().join("prometheus.yml"), config).unwrap();
        let mut process = Command::new("prometheus")
            .current_dir(dir.path())
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Prometheus; scripts/install-test-tools.sh installs it");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let running = Running(process);
        let line = log.by_ref().map_while(Result::ok).find(|line| line.contains("\"Listening on\""));
        // Read on, or it would stand still when the pipe is full.
        std::thread::spawn(move || log.for_each(drop));
        let line = line.expect("it listens");
        Self { url: format!("http://{}", address_in(&line)), _running: running, _dir: dir }
    }

    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let url = format!("{}/api/v1/{path}", self.url);
        let request = reqwest::Client::new().get(reqwest::Url::parse_with_params(&url, parameters).unwrap());
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["status"], "success", "{answer}");
        answer["data"].clone()
    }

    /// The value of an expression that has one, or none.
    async fn value(&self, expression: &str) -> Option<f64> {
        let data = self.ask("query", &[("query", expression)]).await;
        data["result"][0]["value"][1].as_str().map(|value| value.parse().unwrap())
    }
}

/// A person signs up, gets their mail and opens the link.
async fn verify(program: &Program, pages: &str) {
    let client = reqwest::Client::new();
    let signed_up = client
        .post(format!("{pages}/api/signups"))
        .bearer_auth(TOKEN)
        .json(&serde_json::json!({"email": "mina@example.com"}));
    assert!(signed_up.send().await.unwrap().status().is_success());
    let mails = program.home().join("mails");
    until("the mail is there", async || !captured_in(&mails).is_empty()).await;
    let key = key_in(&captured_in(&mails)[0]);
    assert_eq!(get(&format!("{pages}/verify/?key={}", key.expose())).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reads_worker_and_serve() {
    let db = TestDb::new().await;
    let program = program(&db.url).set("VERIFYDESK_SERVE__TOKEN", TOKEN);
    let (_worker, worker) = start(&program, &["worker"]);
    let (_serve, serve, pages) = super::start_serve(&program);
    let prometheus = Prometheus::start(&[&worker, &serve]);
    verify(&program, &pages).await;
    for expression in [
        "sum(up) == 2",
        "sum(verifydesk_ready) == 2",
        "min(verifydesk_figures_up) == 1",
        "sum(verifydesk_mail_tries_total{result=\"accepted\", reply=\"2xx\"}) == 1",
        "sum(verifydesk_mail_accepted_seconds_count) == 1",
        "histogram_quantile(0.5, sum by (le) (verifydesk_mail_accepted_seconds_bucket)) < 60",
        "max(verifydesk_workers{state=\"working\"}) == 1",
        "sum(verifydesk_pages_total{page=\"verified\"}) == 1",
        "sum(verifydesk_http_requests_total{route=\"/api/signups\", status=\"2xx\"}) == 1",
        "sum(verifydesk_http_request_seconds_count{route=~\"/verify.*\"}) == 1",
        "count(verifydesk_build_info) == 2",
    ] {
        until(expression, async || prometheus.value(expression).await.is_some()).await;
    }
    // The roll-up of verifications is asked for anew within ten seconds.
    until("the figures follow", async || {
        prometheus.value("max(verifydesk_verifications{status=\"verified\"}) == 1").await.is_some()
    })
    .await;

    // Types are what the page says, as Prometheus understands them.
    let known = prometheus.ask("targets/metadata", &[]).await;
    let mut compared = 0;
    for one in known.as_array().unwrap() {
        let (name, kind) = (one["metric"].as_str().unwrap(), one["type"].as_str().unwrap());
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let listed = &listed()[&format!("{}{suffix}", name.trim_end_matches(suffix))];
        assert_eq!(listed.kind, kind, "{name}");
        compared += 1;
    }
    assert!(compared > 40, "{compared}");
}
