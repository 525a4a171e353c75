//! A mail as its recipient got it, but for the link: `verifydesk show ID --mail`.

use std::io;

use serde_json::{Value, json};

use super::format::json as lines;
use super::render::{Part, print};
use super::time::shown;
use super::{Failure, output};
use crate::config::Settings;
use crate::domain::Time;
use crate::domain::id::SendId;
use crate::domain::send::SendRow;
use crate::domain::verification::VerificationDetail;
use crate::mail::templates::Templates;
use crate::mail::verification::TEMPLATE;
use crate::preview::as_sent::Likeness;
use crate::preview::proof::{self, Person, PreviewRequest, Proof, Values};
use crate::preview::view::View;
use crate::text::plain;

/// Prints it: a part, or the whole with what is known of it.
pub fn run(
    settings: &Settings,
    detail: &VerificationDetail,
    send: Option<SendId>,
    part: Option<Part>,
    as_json: bool,
    now: Time,
) -> Result<(), Failure> {
    let send = choose(detail, send)?;
    let proof = render(settings, detail, send, now)?;
    let likeness = proof.likeness.unwrap_or(Likeness::NotSent);
    if as_json {
        output::line(&lines::line(&json(detail, send, &proof, likeness)))?;
        return Ok(());
    }
    match part {
        None => return Ok(whole(send, &proof, likeness)?),
        Some(Part::Subject) => print(proof.subject.as_bytes())?,
        Some(Part::Text) => print(proof.text.as_bytes())?,
        Some(Part::Html) => print(proof.html.as_bytes())?,
        Some(Part::Mime) => print(proof.mime.encoded.as_bytes())?,
    }
    // What is read by a program stays what it is.
    output::remark(&format!("{} {SAMPLE}", likeness.in_words()));
    Ok(())
}

const SAMPLE: &str = "The link is a sample; theirs is never shown.";

/// The mail that is named, or the newest that went out, or else the newest.
fn choose(detail: &VerificationDetail, send: Option<SendId>) -> Result<Option<&SendRow>, Failure> {
    let Some(id) = send else {
        let went_out = detail.sends.iter().find(|send| send.mailed_at().is_some());
        return Ok(went_out.or(detail.sends.first()));
    };
    detail.mails().into_iter().find(|send| send.id == id).map(Some).ok_or_else(|| {
        Failure::not_found(
            format!("user {} has no mail {id} among their newest", detail.user.id),
            "`verifydesk show ID` lists the mails of a user with their ids",
        )
    })
}

fn render(
    settings: &Settings,
    detail: &VerificationDetail,
    send: Option<&SendRow>,
    now: Time,
) -> Result<Box<Proof>, Failure> {
    let templates = Templates::gather(settings);
    let request = PreviewRequest {
        template: TEMPLATE.to_owned(),
        locale: send.map_or(detail.user.locale, |send| send.locale),
        values: Values::Person(Person::of(detail, send)),
        view: View::default(),
    };
    proof::render_preview(&templates, settings, &request, now)
        .outcome
        .map_err(|problem| Failure::failed(problem.message, "correct the template"))
}

fn whole(send: Option<&SendRow>, proof: &Proof, likeness: Likeness) -> io::Result<()> {
    let at = send.and_then(SendRow::mailed_at).map_or_else(|| "not yet".to_owned(), shown);
    for (label, value) in [("From", &proof.from), ("To", &proof.to), ("Sent", &at), ("Subject", &proof.subject)] {
        output::line(plain(&format!("{label:<12} {value}")).as_str())?;
    }
    output::line(&format!("{:<12} {}", "", likeness.in_words()))?;
    output::line(&format!("{:<12} {SAMPLE}", ""))?;
    output::line("")?;
    print(proof.text.as_bytes())
}

fn json(detail: &VerificationDetail, send: Option<&SendRow>, proof: &Proof, likeness: Likeness) -> Value {
    json!({
        "verification_id": send.and_then(|send| send.verification_id).unwrap_or(detail.verification.id),
        "user_id": detail.user.id,
        "send_id": send.map(|send| send.id),
        "locale": send.map_or(detail.user.locale, |send| send.locale).as_str(),
        "sent_at": send.and_then(SendRow::mailed_at).map(shown),
        "likeness": likeness.as_str(),
        "from": proof.from,
        "to": proof.to,
        "subject": proof.subject,
        "text": proof.text,
        "html": proof.html,
    })
}
