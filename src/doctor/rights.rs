//! The rights of AWS's that workers were refused. The refusals stand in the database: no key is needed to see them.

use super::{Finding, Room, check::Examined};
use crate::domain::account::act::ActKind;
use crate::domain::account::{CallTrouble, PanelKind};
use crate::export::shown;
use crate::text::Untrusted;

/// What to do about a right that is missing.
fn refused(right: &str) -> Finding {
    Finding::yellow(
        format!("workers were refused {right}"),
        format!("allow the workers' IAM user or role {right} on all resources; what depends on it is skipped here"),
    )
}

pub(super) fn account(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let view = room.account().await?;
        let account = view.account.as_ref().ok_or_else(|| Finding::skipped("no worker asks SES"))?;
        Ok(match (&account.permission, &account.standing) {
            (Some(right), _) => refused(right.plain().as_str()),
            (None, Some(_)) => Finding::green("granted"),
            (None, None) => Finding::skipped("SES has not answered yet"),
        })
    })
}

fn of_panels<'a>(room: &'a Room, kinds: &'static [PanelKind]) -> Examined<'a> {
    Box::pin(async move {
        let view = room.account().await?;
        let panels: Vec<_> = view.panels.iter().filter(|panel| kinds.contains(&panel.kind)).collect();
        let missing = panels.iter().find_map(|panel| panel.trouble.as_ref()?.permission.as_ref());
        if let Some(right) = missing {
            return Ok(refused(right.plain().as_str()));
        }
        Ok(if panels.is_empty() {
            Finding::skipped("workers do not ask for it")
        } else if panels.iter().any(|panel| panel.answer.is_some() && panel.trouble.is_none()) {
            Finding::green("granted")
        } else {
            Finding::skipped("SES has not answered yet")
        })
    })
}

pub(super) fn identity(room: &Room) -> Examined<'_> {
    of_panels(room, &[PanelKind::Sender, PanelKind::Domain])
}

pub(super) fn identities(room: &Room) -> Examined<'_> {
    of_panels(room, &[PanelKind::Identities])
}

pub(super) fn configuration_set(room: &Room) -> Examined<'_> {
    of_panels(room, &[PanelKind::ConfigurationSet])
}

pub(super) fn destinations(room: &Room) -> Examined<'_> {
    of_panels(room, &[PanelKind::EventDestinations])
}

pub(super) fn rates(room: &Room) -> Examined<'_> {
    of_panels(room, &[PanelKind::Rates])
}

/// That of reading the suppression list.
pub(super) fn list(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let list = room.account().await?.list.as_ref().ok_or_else(|| Finding::skipped("no worker reads the list"))?;
        Ok(match list.trouble.as_ref() {
            Some(CallTrouble { permission: Some(right), .. }) => refused(right.plain().as_str()),
            None if list.read_at.is_some() => Finding::green("granted"),
            // Another failure says nothing of the right.
            Some(_) | None => Finding::skipped("SES has not answered yet"),
        })
    })
}

/// A right that only acts need. Whether it is there shows itself when one is done: to try it would change something at AWS,
/// or ask about someone.
fn of_acts(room: &Room, kind: ActKind) -> Examined<'_> {
    Box::pin(async move {
        let view = room.account().await?;
        if view.account.is_none() {
            return Err(Finding::skipped("no worker asks SES"));
        }
        let last = room.acts().await?.iter().find(|(of, ..)| *of == kind);
        Ok(match last {
            None => Finding::skipped("no act has needed it in 90 days; nothing tells without one"),
            Some((_, at, None)) => Finding::green(format!("granted: it was used {}", shown(*at))),
            Some((_, at, Some(right))) => {
                let right = right.plain();
                Finding::yellow(
                    format!("workers were refused {right}, {}", shown(*at)),
                    format!(
                        "allow the workers' IAM user or role {right} on all resources, and ask for the act again; this stays \
                         yellow until one has been done"
                    ),
                )
            }
        })
    })
}

pub(super) fn look_up(room: &Room) -> Examined<'_> {
    of_acts(room, ActKind::LookUp)
}

pub(super) fn take_off(room: &Room) -> Examined<'_> {
    of_acts(room, ActKind::Remove)
}

pub(super) fn put_on(room: &Room) -> Examined<'_> {
    of_acts(room, ActKind::Add)
}

pub(super) fn add_identity(room: &Room) -> Examined<'_> {
    of_acts(room, ActKind::AddIdentity)
}

/// Whether AWS refused for want of a right, by what is kept of its answer.
fn is_refusal(error: &Untrusted) -> bool {
    ["AccessDenied", "AccessDeniedException", "AuthorizationError"].iter().any(|word| error.raw().contains(word))
}

pub(super) fn queue(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        if outbox.event_queues.is_empty() {
            return Err(Finding::skipped("no worker reads a queue"));
        }
        let refused = outbox.event_queues.iter().find_map(|queue| {
            let (error, _) = queue.error.as_ref()?;
            is_refusal(error).then(|| (queue.url.plain(), error.plain()))
        });
        Ok(match refused {
            Some((url, error)) => Finding::red(
                format!("workers were refused at {url}: {error}"),
                "allow the workers' IAM user or role sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility, \
                 sqs:GetQueueAttributes and sqs:GetQueueUrl on the queue and its dead-letter queue",
            ),
            None => Finding::green("granted"),
        })
    })
}
