//! The password for the mail server, by its form.

use super::{Finding, Room, check::Examined};
use crate::config::TransportKind;
use crate::ses::credentials::{PasswordKind, password_kind};
use crate::ses::endpoint;

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
                None => Finding::skipped("this host has none"),
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
