//! Amazon's services as the Python library moto plays them, and what the tests do there as others would.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::mail_servers::python;

pub const REGION: &str = "eu-central-1";
pub const ACCOUNT: &str = "123456789012";

fn signed(service: &str) -> String {
    let scope = format!("AKIAIOSFODNN7EXAMPLE/20261126/{REGION}/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
}

/// Ends when dropped.
pub struct Moto {
    process: Child,
    port: u16,
    client: reqwest::Client,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Moto {
    pub fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(python(root));
        command.arg(root.join("tests/amazon/moto_server.py"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, port: line.trim().parse().unwrap(), client: reqwest::Client::new() }
    }

    /// For `AWS_ENDPOINT_URL` and `ses.endpoint`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.endpoint())
    }

    /// A request to a service; moto looks at no signature but for who is asked.
    async fn ask(&self, service: &str, target: Option<&str>, body: String) -> String {
        let mut request = self.client.post(self.endpoint()).header("authorization", signed(service));
        request = match target {
            Some(target) => request.header("content-type", "application/x-amz-json-1.0").header("x-amz-target", target),
            None => request.header("content-type", "application/x-www-form-urlencoded"),
        };
        let answer = request.body(body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        text
    }

    /// The certificate that it names in a message: without a host of SNS's, only a signature says whose that is.
    pub fn certificate(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("{}{path}", self.endpoint())).header("authorization", signed("sns"))
    }

    async fn sqs(&self, operation: &str, body: Value) -> Value {
        let text = self.ask("sqs", Some(&format!("AmazonSQS.{operation}")), body.to_string()).await;
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn sns(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("Action", action).append_pair("Version", "2010-03-31").extend_pairs(parameters);
        self.ask("sns", None, body.finish()).await
    }

    /// Makes a queue, whose messages go to its dead-letter queue once they were received so often.
    pub async fn make_queue(&self, name: &str, received_max: Option<u32>) {
        let mut attributes = json!({});
        if let Some(most) = received_max {
            let dead = format!("{name}-dead");
            self.sqs("CreateQueue", json!({ "QueueName": dead })).await;
            let policy = json!({
                "deadLetterTargetArn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{dead}"),
                "maxReceiveCount": most,
            });
            attributes["RedrivePolicy"] = policy.to_string().into();
        }
        self.sqs("CreateQueue", json!({ "QueueName": name, "Attributes": attributes })).await;
    }

    /// Makes a topic that posts to this queue; returns its ARN.
    pub async fn make_topic(&self, queue: &str, raw: bool) -> String {
        let topic = format!("arn:aws:sns:{REGION}:{ACCOUNT}:{queue}-topic");
        self.sns("CreateTopic", &[("Name", &format!("{queue}-topic"))]).await;
        self.subscribe(&topic, "sqs", &format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"), raw).await;
        topic
    }

    /// Has a topic post to this endpoint as well, with or without an envelope.
    pub async fn subscribe(&self, topic: &str, protocol: &str, endpoint: &str, raw: bool) {
        let raw = raw.to_string();
        let parameters = [
            ("TopicArn", topic),
            ("Protocol", protocol),
            ("Endpoint", endpoint),
            ("Attributes.entry.1.key", "RawMessageDelivery"),
            ("Attributes.entry.1.value", &raw),
        ];
        self.sns("Subscribe", &parameters).await;
    }

    pub async fn publish(&self, topic: &str, message: &str) {
        self.sns("Publish", &[("TopicArn", topic), ("Message", message)]).await;
    }

    /// Puts a message into a queue without a topic.
    pub async fn send(&self, queue: &str, body: &str) {
        self.sqs("SendMessage", json!({ "QueueUrl": self.queue_url(queue), "MessageBody": body })).await;
    }

    /// How many messages wait, and how many are received and not deleted.
    pub async fn depth(&self, queue: &str) -> (i64, i64) {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let asked = json!({ "QueueUrl": self.queue_url(queue), "AttributeNames": names });
        let answer = self.sqs("GetQueueAttributes", asked).await;
        let [waiting, in_flight] = names.map(|name| answer["Attributes"][name].as_str().unwrap().parse().unwrap());
        (waiting, in_flight)
    }

    /// Makes an address one that may send.
    pub async fn verify(&self, address: &str) {
        let body = format!("Action=VerifyEmailIdentity&EmailAddress={address}&Version=2010-12-01");
        self.ask("ses", None, body).await;
    }
}
