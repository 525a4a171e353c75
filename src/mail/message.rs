//! The mail as bytes: MIME with plain text first and HTML second, all of it 7-bit, every line short, every header
//! there once. The same input makes the same bytes, so that a mail can be tried again and compared.

use std::fmt;

use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Message, MultiPart, SinglePart};

use super::header;
use super::sender::Sender;
use super::templates::Rendered;
use crate::config::{SettingError, Settings};
use crate::domain::Time;
use crate::domain::address::EmailAddress;
use crate::domain::id::SendId;
use crate::domain::name;
use crate::text::plain;

const FROM: HeaderName = HeaderName::new_from_ascii_str("From");
const TO: HeaderName = HeaderName::new_from_ascii_str("To");
const REPLY_TO: HeaderName = HeaderName::new_from_ascii_str("Reply-To");
const SUBJECT: HeaderName = HeaderName::new_from_ascii_str("Subject");
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
const CONFIGURATION_SET: HeaderName = HeaderName::new_from_ascii_str("X-SES-CONFIGURATION-SET");
const MESSAGE_TAGS: HeaderName = HeaderName::new_from_ascii_str("X-SES-MESSAGE-TAGS");

/// Longest name of a configuration set (SES API, `CreateConfigurationSet`).
const CONFIGURATION_SET_MAX: usize = 64;

/// A mail that is ready to be sent. `Debug` leaves the bytes out: they hold the link.
#[derive(Clone, PartialEq, Eq)]
pub struct Composed {
    /// The envelope's sender.
    pub from: EmailAddress,
    /// The envelope's recipient.
    pub to: EmailAddress,
    /// Headers and body, lines ending in CRLF, ASCII only.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Composed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Composed({} to {}, {} bytes)", self.from, self.to, self.bytes.len())
    }
}

/// A mail that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The MIME library refuses an address that SES would take.
    #[error("the address {address} cannot stand in a mail's header")]
    Address { address: EmailAddress },
    /// The MIME library refuses the whole.
    #[error("the mail cannot be put together: {0}")]
    Message(#[from] lettre::error::Error),
}

/// Makes mails of one sender.
#[derive(Clone, Debug)]
pub struct Composer {
    from: Sender,
    reply_to: Option<Sender>,
    configuration_set: Option<String>,
}

impl Composer {
    /// Takes the sender from the settings and checks it, so that a wrong one shows at start.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let mail = &settings.mail;
        if let Some(set) = &mail.configuration_set {
            check_configuration_set(set)?;
        }
        Ok(Self {
            from: Sender::from_setting("mail.from", settings.require_from()?)?,
            reply_to: mail.reply_to.as_deref().map(|text| Sender::from_setting("mail.reply_to", text)).transpose()?,
            configuration_set: mail.configuration_set.clone(),
        })
    }

    /// Who the mails come from.
    #[must_use]
    pub fn from(&self) -> &Sender {
        &self.from
    }

    /// Puts a mail together. `attempt` is 1, and more where the answer to the one before was lost: SES's events name
    /// it. `to_name` is the recipient's own name; it is left out unless it is mailable.
    pub fn compose(
        &self,
        send: SendId,
        attempt: i16,
        to: &EmailAddress,
        to_name: &str,
        rendered: &Rendered,
        at: Time,
    ) -> Result<Composed, ComposeError> {
        let to_name = name::mailable(to_name);
        let from = self.from.address();
        let mut message = Message::builder()
            .raw_header(mailbox(FROM, self.from.name(), from)?)
            .raw_header(mailbox(TO, to_name, to)?)
            .raw_header(header::text(SUBJECT, &rendered.subject))
            .date(at.into())
            .message_id(Some(format!("<{send}@{}>", from.domain())))
            .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
            .raw_header(HeaderValue::new(MESSAGE_TAGS, format!("send={send}, attempt={attempt}")));
        if let Some(reply_to) = &self.reply_to {
            message = message.raw_header(mailbox(REPLY_TO, reply_to.name(), reply_to.address())?);
        }
        if let Some(set) = &self.configuration_set {
            message = message.raw_header(HeaderValue::new(CONFIGURATION_SET, set.clone()));
        }
        // No one who writes into a mail knows the id of the send before the mail exists.
        let boundary = format!("verifydesk-{}", send.0.simple());
        let parts = MultiPart::alternative()
            .boundary(boundary)
            .singlepart(part(ContentType::TEXT_PLAIN, &rendered.text))
            .singlepart(part(ContentType::TEXT_HTML, &rendered.html));
        let bytes = message.multipart(parts)?.formatted();
        Ok(Composed { from: from.clone(), to: to.clone(), bytes })
    }
}

/// A header with one mailbox, if its address may stand there.
fn mailbox(header: HeaderName, name: Option<&str>, address: &EmailAddress) -> Result<HeaderValue, ComposeError> {
    if address.as_str().parse::<Address>().is_err() {
        return Err(ComposeError::Address { address: address.clone() });
    }
    Ok(header::mailbox(header, name, address.as_str()))
}

/// One part, in the shortest encoding that keeps it 7-bit. A lone CR or a NUL would pass lettre as it is and be refused
/// or repaired by each server differently.
fn part(content_type: ContentType, text: &str) -> SinglePart {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "");
    SinglePart::builder().header(content_type).body(text)
}

fn check_configuration_set(set: &str) -> Result<(), SettingError> {
    let fits = (1..=CONFIGURATION_SET_MAX).contains(&set.len())
        && set.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if fits {
        return Ok(());
    }
    Err(SettingError::new(
        format!("`mail.configuration_set` is not the name of a configuration set: {}", plain(set)),
        format!("SES names have up to {CONFIGURATION_SET_MAX} letters, digits, - and _; leave it out to use none"),
    ))
}

#[cfg(test)]
mod tests;
