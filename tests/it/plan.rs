//! `verifydesk ses plan`: what is missing, and the whole for those who have the rights.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use verifydesk::ses::plan::calls::{CALLS, Policy, actions};

use crate::doctor::make_well;
use crate::mail_servers::python;
use crate::support::Program;
use crate::support::world::World;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a helper prints that is fed with this.
fn ask(what: &str, input: &str) -> String {
    let mut helper = Command::new(python(root()))
        .arg(root().join("tests/amazon/check_plan.py"))
        .arg(what)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    helper.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = helper.wait_with_output().unwrap();
    assert!(done.status.success());
    String::from_utf8(done.stdout).unwrap()
}

/// A host that names a sender, and no database.
fn program() -> Program {
    Program::new("postgres://u@127.0.0.1:1/x")
        .set("VERIFYDESK_MAIL__FROM", "Shop <o'neil$HOME@shop.kr>")
        .set("AWS_SES_REGION_NAME", "ap-northeast-2")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_is_one_that_cloudformation_takes() {
    let printed = program().run(&["ses", "plan", "--cloudformation"]);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(&file, &printed.out).unwrap();
    let lint = python(root()).with_file_name("cfn-lint");
    // In every region that SES takes mails in, what it asks of the template is the same; two that differ in much else.
    let linted =
        Command::new(&lint).args(["--regions", "us-east-1", "ap-northeast-2", "--"]).arg(file.path()).output().unwrap();
    let said = [linted.stdout, linted.stderr].concat();
    assert!(linted.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    // One that is not right is refused.
    std::fs::write(&file, printed.out.replace("RawMessageDelivery", "RawDelivery")).unwrap();
    let linted = Command::new(lint).args(["--regions", "us-east-1", "--"]).arg(file.path()).output().unwrap();
    assert!(!linted.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_are_ones_that_there_are() {
    let printed = program().run(&["ses", "plan", "--aws-cli"]);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    assert_eq!(ask("commands", &printed.out), "");
    assert!(ask("commands", "aws sesv2 create-everything --now").contains("has no create_everything"));
    // A shell reads what was meant, also where an address holds signs of its own.
    let shim = tempfile::tempdir().unwrap();
    let aws = shim.path().join("aws");
    std::fs::write(
        &aws,
        "#!/bin/sh\nif [ \"$1\" = sts ]; then echo 123456789012; exit; fi\nprintf '%s\\n' \"$@\" ---\n",
    )
    .unwrap();
    std::fs::set_permissions(&aws, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let script = shim.path().join("script");
    std::fs::write(&script, &printed.out).unwrap();
    let path = format!("{}:{}", shim.path().display(), std::env::var("PATH").unwrap());
    let run = Command::new("sh").arg(&script).env("PATH", path).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let words = String::from_utf8(run.stdout).unwrap();
    assert!(words.contains("\"ses:FromAddress\":\"o'neil$HOME@shop.kr\""), "{words}");
    let documents: Vec<Value> =
        words.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(documents.len(), 5, "{words}");
    assert!(words.contains("arn:aws:sqs:ap-northeast-2:123456789012:ses-events-dead"), "{words}");
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The operations that the program calls, by its text: the SDK's names for them, each called without an argument.
fn called() -> BTreeSet<String> {
    let operations = ask("calls", "");
    let mut files = Vec::new();
    for dir in ["src/ses", "src/mail/transport", "src/poller"] {
        sources(&root().join(dir), &mut files);
    }
    let texts: Vec<String> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let is_called = |operation: &&str| texts.iter().any(|text| text.contains(&format!(".{operation}()")));
    operations.lines().filter(is_called).map(str::to_owned).collect()
}

#[test]
fn the_policies_allow_what_the_program_calls_and_nothing_else() {
    let known: BTreeSet<String> =
        CALLS.iter().map(|call| call.operation.to_owned()).filter(|operation| operation != "smtp").collect();
    assert_eq!(called(), known);
    // The calls beside the policies' actions.
    let listed = |policy: Policy| {
        let calls: Vec<&str> = CALLS.iter().filter(|call| call.policy == policy).map(|call| call.operation).collect();
        (calls, actions(policy))
    };
    assert_eq!(listed(Policy::Send), (vec!["smtp", "send_email"], vec!["ses:SendEmail", "ses:SendRawEmail"]));
    for policy in [Policy::Account, Policy::Events] {
        let (calls, actions) = listed(policy);
        let of_calls: BTreeSet<String> =
            calls.iter().map(|call| call.trim_end_matches("_batch").replace('_', "")).collect();
        let of_actions: BTreeSet<String> =
            actions.iter().map(|action| action.split(':').nth(1).unwrap().to_ascii_lowercase()).collect();
        assert_eq!(of_calls, of_actions);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_with_the_reason_and_the_command() {
    let world = World::new().await;
    make_well(&world).await;
    let program = Program::new(&world.db.url).set("AWS_SES_REGION_NAME", "eu-central-1");
    let well = program.run(&["ses", "plan", "--json"]);
    assert_eq!((well.code, well.err.as_str()), (0, ""), "{}", well.out);
    for row in well.json() {
        assert_eq!((&row["state"], row["commands"].as_array().unwrap().len()), (&"there".into(), 0), "{row}");
    }
    world
        .execute(
            "update ses_account set is_sandbox = true; delete from event_queues; delete from sns_subscriptions;
            update account_panels set figures = '\"absent\"' where kind in ('domain', 'configuration_set')",
        )
        .await;
    let ill = program.run(&["ses", "plan"]);
    for words in [
        "one region: there",
        "an identity that may send: missing",
        "  why    SES refuses mails from a domain that is not verified",
        "  $ aws sesv2 create-email-identity --email-identity 'example.org'",
        "a configuration set: missing",
        "a topic and a queue, with a dead-letter queue: missing",
        "production access: missing",
        "an event destination: there",
    ] {
        assert!(ill.out.contains(words), "{words}: {}", ill.out);
    }
    // Without a sender nothing can be named.
    world.execute("delete from account_panels; delete from ses_account").await;
    let unnamed = program.run(&["ses", "plan"]);
    assert_eq!(unnamed.code, 0);
    assert!(unnamed.err.contains("no commands: no sender is set"), "{}", unnamed.err);
    assert!(
        unnamed.out.contains("an identity that may send: not known") && !unnamed.out.contains("$ "),
        "{}",
        unnamed.out
    );
    assert_eq!(program.run(&["ses", "plan", "--cloudformation"]).code, 2);
}
