//! The mail server: its greeting, TLS, signing in, the sender. No recipient is named, and no mail goes. The password, by its
//! form.

use std::time::Duration;

use super::{Finding, Room, State, check::Examined};
use crate::config::{SettingError, Tls, TransportKind};
use crate::domain::address::EmailAddress;
use crate::mail::message::Composer;
use crate::mail::transport::{Cause, Failure, Stage, Timeouts, Transport, Tried};
use crate::outbox::reply::{Class, judge};
use crate::ses::credentials::{PasswordKind, password_kind};
use crate::ses::{SmtpTarget, endpoint, smtp_settings};
use crate::text::plain;

/// The longest that one step may take, where `smtp.timeout` allows more.
const STEP_MAX: Duration = Duration::from_secs(8);

/// What a check may take that waits for all of the conversation. That has seven steps at most (reaching it, the greeting,
/// STARTTLS, the handshake, EHLO, signing in, the sender) and a farewell: a server that takes just not too long at each
/// is still told of as such.
pub(super) const LIMIT: Duration = Duration::from_mins(1);

/// Why a step is not looked at behind one that failed.
const TOO_FAR: &str = "it did not come so far";

/// What came of speaking to the mail server.
pub(super) struct Conversation {
    target: SmtpTarget,
    sender: EmailAddress,
    tried: Tried,
}

/// The mail server that the settings mean, the way to it, and the sender.
fn mail_server(room: &Room) -> Result<(SmtpTarget, Transport, EmailAddress), Finding> {
    match room.settings.mail.transport {
        TransportKind::Capture => return Err(Finding::skipped("mails are written into files")),
        TransportKind::Ses => return Err(Finding::skipped("mails go through SES's API, not by SMTP")),
        TransportKind::Smtp => {}
    }
    let known = || {
        let target = smtp_settings(&room.settings)?;
        let sender = Composer::from_settings(&room.settings)?.from().address().clone();
        Ok((target, Transport::from_settings(&room.settings)?, sender))
    };
    known().map_err(|error: SettingError| {
        if room.is_workers() {
            Finding::red(&error.what, &error.hint)
        } else {
            // A console needs no mail server.
            Finding::of_workers(format!("this host mails nothing: {}", error.what))
        }
    })
}

async fn speak(room: &Room) -> Result<Conversation, Finding> {
    let (target, transport, sender) = mail_server(room)?;
    let step = room.settings.smtp.timeout.min(STEP_MAX);
    let timeouts = Timeouts { connect: step, command: step, ..Timeouts::from_settings(&room.settings) };
    let tried = Box::pin(transport.with_timeouts(timeouts).try_out(&sender)).await;
    let tried = tried.ok_or_else(|| Finding::skipped("mails do not go by SMTP"))?;
    Ok(Conversation { target, sender, tried })
}

/// The conversation, which all checks share.
async fn conversation(room: &Room) -> Result<&Conversation, Finding> {
    room.is_to_ask_others()?;
    room.mail_server.get_or_init(async || speak(room).await).await.as_ref().map_err(Clone::clone)
}

/// The same for a check behind the first, which alone says what is wrong with the settings; skipped where the
/// conversation ended before this step.
async fn come_to(room: &Room, stage: Stage) -> Result<&Conversation, Finding> {
    let conversation = conversation(room).await.map_err(|finding| match finding.state {
        State::Red => Finding::skipped("the settings do not lead to a mail server"),
        _ => finding,
    })?;
    if conversation.tried.ended_before(stage) {
        return Err(Finding::skipped(TOO_FAR));
    }
    Ok(conversation)
}

impl Conversation {
    fn target(&self) -> String {
        format!("{}:{}", self.target.host, self.target.port)
    }

    /// Why nothing comes from there, as far as the settings let one suspect it.
    fn suspicion(&self) -> String {
        let SmtpTarget { port, tls, .. } = &self.target;
        let target = self.target();
        match (port, tls) {
            (465 | 2465, Tls::Starttls | Tls::None) => {
                format!("port {port} speaks TLS from the first byte: set `smtp.tls` to \"tls\", or `smtp.port` to 587")
            }
            (25 | 587 | 2587, Tls::Tls) => {
                format!("port {port} begins in clear text: set `smtp.tls` to \"starttls\", or `smtp.port` to 465")
            }
            (25, _) => format!(
                "see whether {target} is right and no firewall is between: many networks, and EC2, hold port 25 back; \
                 SES takes the same at `smtp.port` 587 and 2587"
            ),
            _ => format!("see whether {target} is right, whether that server runs, and whether a firewall is between"),
        }
    }

    /// What a failure means, as a worker would take it.
    fn judged(&self, failure: &Failure) -> Finding {
        let found = failure.to_string();
        match &failure.cause {
            Cause::TimedOut(_) | Cause::Network(_) => return Finding::red(found, self.suspicion()),
            Cause::OutOfTurn(_) => {
                let next = "look at the mail server and at what stands before it: no answer of its is certain to be what \
                            it was asked, and workers give such connections up";
                return Finding::red(found, next);
            }
            _ => {}
        }
        // No recipient was named.
        let verdict = judge(failure, &self.sender, &self.sender);
        let found = match failure.answer().map(|answer| answer.plain()) {
            Some(answer) if !verdict.happened.contains(answer.as_str()) => format!("{}: {answer}", verdict.happened),
            _ => verdict.happened,
        };
        match verdict.class {
            Class::Worker | Class::Account | Class::Relay | Class::Sandbox | Class::Recipient | Class::Message => {
                Finding::red(found, verdict.next)
            }
            _ => Finding::yellow(found, "the server says that this may pass: look again in a minute"),
        }
    }
}

pub(super) fn greeting(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let conversation = conversation(room).await?;
        Ok(match &conversation.tried.greeting {
            Some(Ok(greeting)) => Finding::green(format!("{}: {greeting}", conversation.target())),
            Some(Err(failure)) => conversation.judged(failure),
            None => Finding::skipped("it did not come so far: TLS stands before it"),
        })
    })
}

pub(super) fn tls(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let conversation = come_to(room, Stage::Connect).await?;
        Ok(match &conversation.tried.tls {
            Some(Ok(how)) => Finding::green(format!("{how}; the certificate is that of {}", conversation.target.host)),
            Some(Err(failure)) => conversation.judged(failure),
            None if conversation.tried.encrypts => Finding::skipped(TOO_FAR),
            None => Finding::skipped("`smtp.tls` is \"none\", to this machine itself"),
        })
    })
}

pub(super) fn sign_in(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let conversation = come_to(room, Stage::Auth).await?;
        Ok(match &conversation.tried.sign_in {
            Some(Ok(())) => Finding::green("it lets us in"),
            Some(Err(failure)) => {
                let mut finding = conversation.judged(failure);
                let is_wrong = failure.reply().is_some_and(|reply| reply.code == 535);
                let region = endpoint::smtp_region(&conversation.target.host).filter(|_| is_wrong);
                if let (Some(region), Some(next)) = (region, &finding.next) {
                    finding.next =
                        Some(plain(&format!("{next}; SES's are of one region each, and this server's is {region}")));
                }
                finding
            }
            None => Finding::skipped("no user is set: the server asks no one to sign in"),
        })
    })
}

pub(super) fn sender(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let conversation = come_to(room, Stage::Mail).await?;
        Ok(match &conversation.tried.sender {
            Some(Ok(reply)) => {
                Finding::green(format!("it takes mails of {}: {}", conversation.sender, reply.whole().plain()))
            }
            Some(Err(failure)) => conversation.judged(failure),
            None => Finding::skipped(TOO_FAR),
        })
    })
}

pub(super) fn password(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        if room.settings.mail.transport != TransportKind::Smtp {
            return Err(Finding::skipped("mails do not go by SMTP"));
        }
        let is_ses =
            |host: &String| endpoint::smtp_region(&host.trim().trim_end_matches('.').to_ascii_lowercase()).is_some();
        let smtp = &room.settings.smtp;
        if !smtp.host.as_ref().map_or_else(|| room.means_ses(), is_ses) {
            return Err(Finding::skipped("mails do not go to SES by SMTP, as far as these settings say"));
        }
        let Some(password) = &smtp.password else {
            return Ok(match &room.settings.ses.secret_access_key {
                Some(_) => Finding::green("it is derived from the AWS keys, in today's form"),
                None => Finding::of_workers("this host has none"),
            });
        };
        Ok(match password_kind(password) {
            PasswordKind::Current => Finding::green("it is of today's form"),
            PasswordKind::Old => Finding::red(
                "it is of the form from before 2019-01-10, which SES throttles",
                "make new SMTP credentials in SES, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY and no \
                 `smtp.password`",
            ),
            PasswordKind::SecretKey => Finding::red(
                "it seems to be a secret access key: SES takes what is derived from one",
                "set it as AWS_SECRET_ACCESS_KEY instead, and leave `smtp.password` out",
            ),
            PasswordKind::Other => Finding::yellow(
                "it has not the form of SES's SMTP passwords: 44 characters that begin with B",
                "see whether all of it was copied; SES shows it once, when the SMTP credentials are made",
            ),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::mail::transport::Reply;

    /// Settings that go wrong there are mostly of another region.
    #[tokio::test]
    async fn a_password_that_ses_refuses_names_the_region() {
        for (host, is_named) in [("email-smtp.eu-central-1.amazonaws.com", true), ("relay.example.org", false)] {
            let room = Room::new(Settings::default());
            let target = SmtpTarget { host: host.into(), port: 587, tls: Tls::Starttls, credentials: None };
            let reply = Reply::new(535, "Authentication Credentials Invalid");
            let refused = Failure { stage: Stage::Auth, cause: Cause::Reply(reply) };
            let tried = Tried {
                greeting: Some(Ok(plain("220"))),
                tls: Some(Ok(plain("TLS"))),
                sign_in: Some(Err(refused)),
                sender: None,
                encrypts: true,
                signs_in: true,
            };
            let sender = EmailAddress::parse("no-reply@shop.kr").unwrap();
            assert!(room.mail_server.set(Ok(Conversation { target, sender, tried })).is_ok());
            let finding = sign_in(&room).await.unwrap();
            assert_eq!((finding.state, sender_of(&room).await.state), (State::Red, State::Skipped));
            let next = finding.next.unwrap();
            assert_eq!(next.as_str().contains("this server's is eu-central-1"), is_named, "{next}");
        }
    }

    async fn sender_of(room: &Room) -> Finding {
        sender(room).await.unwrap_err()
    }
}
