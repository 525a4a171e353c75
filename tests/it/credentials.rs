//! Where credentials for SES's API come from: each source of the SDK's usual chain, as AWS's SDK and Tools Reference Guide
//! describes it ("Standardized credential providers"), answered by a server of the test's.

use std::fs;
use std::path::Path;

use serde_json::json;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::Program;
use crate::support::ses_api::{SesApi, read, whole};
use crate::support::world::World;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const EXPIRES: &str = "2099-01-01T00:00:00Z";
/// The SHA-1 of "work", the name of the session.
const SSO_CACHE: &str = ".aws/sso/cache/e274eeff768c6396088ec6eb091f4bf4d47ab1e0.json";

/// What answers for a container's host, an instance, STS and the portal of IAM Identity Center. Ends when dropped.
struct Sources {
    url: String,
    listening: JoinHandle<()>,
}

impl Drop for Sources {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Sources {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while let Ok(Some(request)) = read(&mut stream).await {
                        let _ = stream.write_all(answer(&request.line).as_bytes()).await;
                    }
                });
            }
        });
        Self { url, listening }
    }
}

fn answer(line: &str) -> String {
    let (method, path) = line.rsplit_once(' ').unwrap().0.split_once(' ').unwrap();
    let keys = |id: &str| {
        json!({
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": "2026-01-01T00:00:00Z",
            "AccessKeyId": id,
            "SecretAccessKey": SECRET,
            "Token": format!("token of {id}"),
            "Expiration": EXPIRES,
        })
        .to_string()
    };
    match (method, path.split_once('?').map_or(path, |(path, _)| path)) {
        ("GET", "/container") => whole(200, "", &keys("ASIACONTAINER")),
        ("PUT", "/latest/api/token") => whole(200, "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", "token"),
        ("GET", "/latest/meta-data/iam/security-credentials/") => whole(200, "", "mailer"),
        ("GET", "/latest/meta-data/iam/security-credentials/mailer") => whole(200, "", &keys("ASIAINSTANCE")),
        ("GET", "/federation/credentials") => {
            let keys = json!({ "roleCredentials": {
                "accessKeyId": "ASIASSO",
                "secretAccessKey": SECRET,
                "sessionToken": "token of ASIASSO",
                "expiration": 4_070_908_800_000_i64,
            } });
            whole(200, "", &keys.to_string())
        }
        ("POST", "/") => {
            let keys = format!(
                "<AccessKeyId>ASIAWEBIDENTITY</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
                 <SessionToken>token of ASIAWEBIDENTITY</SessionToken><Expiration>{EXPIRES}</Expiration>"
            );
            let result = format!(
                "<AssumeRoleWithWebIdentityResult><Credentials>{keys}</Credentials></AssumeRoleWithWebIdentityResult>"
            );
            let namespace = "https://sts.amazonaws.com/doc/2011-06-15/";
            let body = format!(
                "<AssumeRoleWithWebIdentityResponse xmlns=\"{namespace}\">{result}</AssumeRoleWithWebIdentityResponse>"
            );
            whole(200, "", &body)
        }
        _ => whole(404, "", ""),
    }
}

fn write(home: &Path, file: &str, text: &str) {
    let file = home.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// A source: what the machine has of it.
type Source = fn(Program, &str) -> Program;

const ALL: [(&str, Source); 7] = [
    ("ASIAENVIRONMENT", |program, _| {
        program
            .set("AWS_ACCESS_KEY_ID", "ASIAENVIRONMENT")
            .set("AWS_SECRET_ACCESS_KEY", SECRET)
            .set("AWS_SESSION_TOKEN", "token of ASIAENVIRONMENT")
    }),
    ("ASIAPROFILE", |program, _| {
        let keys = format!("aws_access_key_id = ASIAPROFILE\naws_secret_access_key = {SECRET}");
        let text = format!("[mail]\n{keys}\naws_session_token = token of ASIAPROFILE\n");
        write(program.home(), ".aws/credentials", &text);
        program.set("AWS_PROFILE", "mail")
    }),
    ("ASIAPROCESS", |program, _| {
        let keys = json!({
            "Version": 1,
            "AccessKeyId": "ASIAPROCESS",
            "SecretAccessKey": SECRET,
            "SessionToken": "token of ASIAPROCESS",
            "Expiration": EXPIRES,
        });
        let file = program.home().join("keys.json");
        fs::write(&file, keys.to_string()).unwrap();
        let text = format!("[default]\ncredential_process = cat {}\n", file.display());
        write(program.home(), ".aws/config", &text);
        program
    }),
    ("ASIASSO", |program, url| {
        let session = "[sso-session work]\nsso_region = eu-central-1\nsso_start_url = https://example.org/start\n";
        let profile = "[default]\nsso_session = work\nsso_account_id = 123456789012\nsso_role_name = mailer\n";
        write(program.home(), ".aws/config", &format!("{profile}{session}"));
        let token = json!({ "accessToken": "of a sign-in", "expiresAt": EXPIRES });
        write(program.home(), SSO_CACHE, &token.to_string());
        program.set("AWS_ENDPOINT_URL_SSO", url)
    }),
    ("ASIAWEBIDENTITY", |program, url| {
        let file = program.home().join("identity");
        fs::write(&file, "of a pod").unwrap();
        program
            .set("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap())
            .set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/mailer")
            .set("AWS_ENDPOINT_URL_STS", url)
    }),
    ("ASIACONTAINER", |program, url| {
        program
            .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{url}/container"))
            .set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of a task")
    }),
    ("ASIAINSTANCE", |program, url| program.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)),
];

/// The key in a file is one of the settings: it comes before the chain. Beside another of the settings, none is taken.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_in_a_file_comes_before_the_chain_and_beside_no_other() {
    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    let api = SesApi::start().await;
    let world = World::with_ses_api(&api.endpoint()).await;
    world.sign_up("mina@example.com").await;
    let program = || {
        let program = Program::new(&world.db.url)
            .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
            .set("VERIFYDESK_SECRET", "a secret of the tests, 32 bytes and more")
            .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
            .set("VERIFYDESK_MAIL__TRANSPORT", "ses")
            .set("AWS_SES_REGION_NAME", "eu-central-1")
            .set("AWS_SES_REGION_ENDPOINT", api.endpoint());
        let keys = program.home().join("accessKeys.csv");
        fs::write(&keys, format!("Access key ID,Secret access key\r\n{ID},{SECRET}\r\n")).unwrap();
        program.set("VERIFYDESK_SES__ACCESS_KEY_FILE", keys.to_str().unwrap())
    };
    for arguments in [&["worker", "--drain"][..], &["doctor"]] {
        let refused = program().set("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT0").set("AWS_SECRET_ACCESS_KEY", SECRET);
        let ended = refused.run(arguments);
        assert_ne!(ended.code, 0, "{}", ended.out);
        let words = "ses.access_key_file is set beside an access key (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)";
        assert!(ended.err.contains(words) && ended.err.contains("leave one of the two out"), "{}", ended.err);
        assert!(!ended.err.contains(ID) && !ended.err.contains(SECRET), "{}", ended.err);
    }
    assert!(api.requests().is_empty());
    let (_, profile) = ALL[1];
    let ended = profile(program(), "").run(&["worker", "--drain"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let requests = api.requests();
    let mail = requests.iter().find(|request| request.line.contains("/outbound-emails")).unwrap();
    assert!(mail.header("authorization").unwrap().contains(&format!("Credential={ID}/")));
    assert_eq!(mail.header("x-amz-security-token"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_source_of_the_usual_chain_signs_the_mails() {
    let (api, sources) = (SesApi::start().await, Sources::start().await);
    let world = World::with_ses_api(&api.endpoint()).await;
    for (id, source) in ALL {
        world.sign_up(&format!("{}@example.com", id.to_lowercase())).await;
        let program = Program::new(&world.db.url)
            .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
            .set("VERIFYDESK_SECRET", "a secret of the tests, 32 bytes and more")
            .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
            .set("VERIFYDESK_MAIL__TRANSPORT", "ses")
            .set("AWS_REGION", "eu-central-1")
            .set("AWS_SES_REGION_NAME", "eu-central-1")
            .set("AWS_SES_REGION_ENDPOINT", api.endpoint());
        let ended = source(program, &sources.url).run(&["worker", "--drain"]);
        assert_eq!(ended.code, 0, "{id}: {}", ended.err);
        let requests = api.requests();
        let mail = requests.iter().find(|request| request.line.contains("/outbound-emails")).expect(id);
        let signature = mail.header("authorization").unwrap();
        assert!(signature.contains(&format!("Credential={id}/")), "{id}: {signature}");
        assert_eq!(mail.header("x-amz-security-token"), Some(format!("token of {id}").as_str()));
        assert!(!ended.err.contains(SECRET) && !ended.err.contains("token of"), "{}", ended.err);
    }
}
