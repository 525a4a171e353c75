//! What people do to one user, to many, and to the queue.

use super::super::Large;

pub async fn all(large: &mut Large) {
    let reason = ["--reason", "on the phone"];
    let [verify, revoke, extend, change, link, delete, resend] = [1, 2, 3, 4, 5, 6, 7].map(|n| large.pending(n));
    let unverify = large.verified(1);
    large.run(&["signup", "somebody.new@example.com", "--name", "김미나"]).await;
    for act in [
        &["verify", &verify][..],
        &["unverify", &unverify],
        &["revoke", &revoke],
        &["extend", &extend],
        &["change-address", &change, "somebody.else@example.com"],
        &["link", &link],
        &["delete", &delete, "--yes"],
    ] {
        large.run(&[act, &reason].concat()).await;
        if act[0] != "link" {
            large.run(&["undo"]).await;
        }
    }
    large.run(&["delete", &delete, "--dry-run"]).await;
    large.run(&["resend", &resend]).await;
    large.run(&["undo"]).await;
    large.run(&["resend", &resend]).await;
    many(large).await;
    for act in [
        &["queue", "pause", "--reason", "a test"][..],
        &["queue"],
        &["queue", "resume"],
        &["queue", "drain", "--reason", "a test"],
        &["queue", "resume"],
    ] {
        large.run(act).await;
    }
}

async fn many(large: &mut Large) {
    let marked: Vec<String> = (8..12).map(|n| large.pending(n)).collect();
    let marked: Vec<&str> = ["resend", "--yes"].into_iter().chain(marked.iter().map(String::as_str)).collect();
    large.run(&marked).await;
    for bulk in [
        &["resend", "--status", "pending", "--search", "user999"][..],
        &["resend", "--status", "expired", "--since", "74h"],
        &["resend", "--mail-state", "failed", "--since", "24h"],
    ] {
        large.run(&[bulk, &["--dry-run"]].concat()).await;
        large.run(&[bulk, &["--yes"]].concat()).await;
    }
    let started = large.run(&["jobs", "--json", "--limit", "1"]).await;
    let job: serde_json::Value = serde_json::from_str(started.lines().next().unwrap()).unwrap();
    let job = job["id"].as_str().unwrap();
    large.run(&["jobs", "show", job]).await;
    large.run(&["jobs", "cancel", job]).await;
}
