//! What became of one mail, in a few words: for columns, where SES's acceptance says nothing any more.

use super::bounce;
use super::mail::last;
use crate::domain::event::words;
use crate::domain::send::{SendRow, SendState};

impl SendRow {
    /// Why it is where it is; `None` where its state says it all. Plain.
    #[must_use]
    pub fn result(&self) -> Option<String> {
        let given = || self.reason.as_ref().or(self.reply.as_ref()).map(|text| text.plain().into_string());
        match self.state {
            SendState::Accepted | SendState::Delivered => None,
            SendState::Bounced => Some(bounce::in_short(self)),
            SendState::Delayed => Some(words::delay(last(self, "DeliveryDelay")?.sub_kind.raw()).to_owned()),
            SendState::Complained => Some(match last(self, "Complaint").map_or("", |event| event.sub_kind.raw()) {
                "auth-failure" => "SPF, DKIM or DMARC fail".to_owned(),
                "virus" | "fraud" => "called dangerous".to_owned(),
                _ => "called spam".to_owned(),
            }),
            SendState::Rejected => Some("SES found a virus, or could not read it".to_owned()),
            SendState::Queued | SendState::Sending | SendState::Failed | SendState::Cancelled | SendState::Unknown => {
                given()
            }
        }
    }
}
