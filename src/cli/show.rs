//! `verifydesk show`

use std::process::ExitCode;

use super::format::json;
use super::render::Part;
use super::time::shown;
use super::{Failure, as_sent, output};
use crate::config::Settings;
use crate::desk::{Desk, Error};
use crate::domain::id::{SendId, VerificationId};
use crate::domain::idn;
use crate::domain::verdict::Facts;
use crate::domain::verification::{Counted, PROBABLY_SCANNED};
use crate::text::plain;

#[derive(Debug, clap::Args)]
#[expect(clippy::option_option, reason = "the option may stand without its value")]
pub struct Args {
    /// The verification's number
    id: VerificationId,
    /// Show the mail as the user got it, but for the link: the newest, or the one with this id
    #[arg(long, value_name = "MAIL", num_args = 0..=1, require_equals = true)]
    mail: Option<Option<SendId>>,
    /// Which part of the mail to print
    #[arg(long, value_enum, requires = "mail", conflicts_with = "json")]
    part: Option<Part>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn run(desk: &Desk, settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let detail = desk
        .store()
        .show(args.id)
        .await?
        .ok_or_else(|| Error::NotFound(plain(&format!("there is no verification {}", args.id))))?;
    let now = desk.store().now().await?;
    if let Some(send) = args.mail {
        as_sent::run(settings, &detail, send, args.part, args.json, now)?;
        return Ok(ExitCode::SUCCESS);
    }
    let held_by = desk.store().outbox().await?.why_waiting();
    let facts = Facts { detail: &detail, held_by: held_by.as_deref(), now };
    if args.json {
        output::line(&json::line(&json::detail(&detail, &facts.verdict(shown), now)))?;
    } else {
        for line in lines(&facts) {
            output::line(&line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(facts: &Facts<'_>) -> Vec<String> {
    let (detail, now) = (facts.detail, facts.now);
    let verdict = facts.verdict(shown);
    let (verification, user) = (&detail.verification, &detail.user);
    let mut out = vec![
        format!("verification {}: {}", verification.id, verification.status(now)),
        format!("verdict      {}", verdict.what),
        format!("             {}", verdict.advice),
        format!("user         {} {} {}", user.id, idn::shown(&user.email), user.name.plain()),
    ];
    if idn::shown(&user.email) != user.email.plain() {
        out.push(format!("mailed as    {}", user.email.plain()));
    }
    out.extend([
        format!("locale       {}", user.locale),
        format!("key          {}", verification.key_fingerprint.as_deref().unwrap_or("not mailed yet")),
        format!("created      {}", shown(verification.created_at)),
        format!("expires      {}", shown(verification.expires_at)),
    ]);
    let times = [
        ("verified", verification.verified_at),
        ("revoked", verification.revoked_at),
        ("link opened", verification.opened_at),
    ];
    out.extend(times.iter().filter_map(|(what, at)| at.map(|at| format!("{what:<12} {}", shown(at)))));
    if detail.is_probably_scanned() {
        out.push(format!("             {PROBABLY_SCANNED}"));
    }
    out.extend(detail.suppression.as_ref().map(|it| format!("address      {}", it.in_words(shown))));
    if let Some(act) = detail.act.as_ref().filter(|act| act.is_news(now)) {
        let at = shown(act.ended_at.unwrap_or(act.asked_at));
        out.push(format!("at AWS       {}, {at}", act.in_words()));
    }
    out.extend(in_all("verification", detail.in_all.verifications, 1 + detail.others.len()));
    for other in &detail.others {
        let (status, created) = (other.status(now), shown(other.created_at));
        out.push(format!("also         verification {}: {status}, created {created}", other.id));
    }
    let mails = detail.mails();
    out.extend(in_all("mail", detail.in_all.mails, mails.len()));
    for send in mails {
        let of = send.verification_id.filter(|id| *id != verification.id);
        let of = of.map(|id| format!(", of verification {id}")).unwrap_or_default();
        out.push(format!(
            "mail         {} {} {} after {} attempts{of}",
            shown(send.queued_at),
            send.state,
            send.id,
            send.attempts
        ));
        if send.recipient != user.email {
            out.push(format!("             to {}", send.recipient.plain()));
        }
        if send.is_possible_double() {
            out.push("             an answer was lost; the user may have received it more than once".into());
        }
        if let Some(at) = send.retry_at {
            out.push(format!("             tried once more at {}", shown(at)));
        }
        let details = [("SES id", &send.ses_id), ("reply", &send.reply), ("reason", &send.reason)];
        for (what, text) in details {
            if let Some(text) = text {
                out.push(format!("             {what}: {}", text.plain()));
            }
        }
        for event in &send.events {
            out.push(format!(
                "             {} {} ({}) {}",
                shown(event.occurred_at),
                event.in_words(shown),
                event.term(),
                event.detail.plain()
            ));
        }
    }
    for entry in &detail.audit {
        let reason = entry.reason.as_ref().map(|reason| format!(": {}", reason.plain())).unwrap_or_default();
        let before = entry.before_in_words(shown).map(|before| format!("; before: {before}")).unwrap_or_default();
        out.push(format!(
            "audit        {} {} by {} ({}): {}{reason}{before} (entry {})",
            shown(entry.at),
            entry.action.plain(),
            entry.actor.plain(),
            entry.origin.plain(),
            entry.outcome.plain(),
            entry.id
        ));
    }
    out
}

/// How many the user has, where there are several.
fn in_all(what: &str, counted: Counted, known: usize) -> Option<String> {
    let Counted { count, is_all } = counted;
    let label = format!("{what}s");
    if !is_all {
        return Some(format!("{label:<12} {count} or more; the newest are shown"));
    }
    let is_cut = usize::try_from(count).is_ok_and(|count| count > known);
    (count > 1).then(|| format!("{label:<12} {count}{}", if is_cut { "; the newest are shown" } else { "" }))
}
