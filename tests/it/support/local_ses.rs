//! SES's API as npm's aws-ses-v2-local plays it: keeps what it was sent, as its own mail parser reads it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::mail_servers::of_npm;

/// Ends when dropped.
pub struct LocalSes {
    process: Child,
    endpoint: String,
}

impl Drop for LocalSes {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl LocalSes {
    /// One that says this of its account, whole as the API's reference has it.
    pub fn start(account: &Value) -> Self {
        let mut command = of_npm(Path::new(env!("CARGO_MANIFEST_DIR")), "aws-ses-v2-local", "dist/cli.js");
        command.args(["--host", "127.0.0.1", "--port", "0"]).env("AWS_SES_ACCOUNT", account.to_string());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| line.rsplit_once("localhost:")?.1.parse::<u16>().ok());
        Self { process, endpoint: format!("http://127.0.0.1:{}", port.expect("it says where it listens")) }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What it was sent, the first one first.
    pub async fn mails(&self) -> Vec<Value> {
        let answer = reqwest::get(format!("{}/store", self.endpoint)).await.unwrap();
        let Value::Array(mails) = answer.json::<Value>().await.unwrap()["emails"].take() else { panic!("no mails") };
        mails
    }
}
