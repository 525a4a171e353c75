//! The schema beside this program, and what the login may do with it.

use super::database::failed;
use super::{Finding, Room, check::Examined};
use crate::domain::right::{Right, Rights};

pub(super) fn version(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let (store, _) = room.server().await?;
        let schema = store.schema().await.map_err(|error| failed(&error))?;
        schema.fits.map_err(|error| failed(&error))?;
        let version = schema.version.unwrap_or_default();
        Ok(if version > schema.known {
            Finding::yellow(
                format!(
                    "its version is {version}; this program knows {} and goes on beside it, until a migration needs a \
                     newer one",
                    schema.known
                ),
                "install the newer verifydesk on this machine too",
            )
        } else {
            Finding::green(format!("version {version}, that of this program"))
        })
    })
}

pub(super) fn extension(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let (_, server) = room.server().await?;
        Ok(match &server.trigrams {
            None => Finding::red(
                "the extension pg_trgm is not there: nothing can be searched",
                "run `verifydesk migrate`, which creates it; PostgreSQL's contrib package must be installed",
            ),
            Some(schema) => Finding::green(format!("pg_trgm, in the schema {schema}")),
        })
    })
}

pub(super) fn rights(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let store = room.ready().await?;
        let rights = store.rights().await.map_err(|error| failed(&error))?;
        if room.is_workers() && !store.may_work().await.map_err(|error| failed(&error))? {
            return Ok(Finding::red(
                format!(
                    "this host has the server secret, and its login {} may not do a worker's work",
                    rights.role.plain()
                ),
                "put the login into the worker's group, or run `verifydesk migrate` as the owner, which grants the groups \
                 their rights again (docs/roles.md); a console needs no secret",
            ));
        }
        Ok(Finding::green(in_words(&rights)))
    })
}

/// What the login may, in words.
fn in_words(rights: &Rights) -> String {
    let role = rights.role.plain();
    if rights.is_read_only {
        return format!("{role} reads; the server takes no writes");
    }
    let missing: Vec<_> = Right::ALL.into_iter().filter(|right| !rights.has(*right)).map(Right::in_words).collect();
    match missing.len() {
        0 => format!("{role} may do all that operators do"),
        all if all == Right::ALL.len() => format!("{role} may change nothing"),
        _ => format!("{role} may not {}", missing.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_told_by_what_is_missing() {
        let rights = |may: &[Right]| Rights {
            role: "mina".into(),
            database: "desk".into(),
            is_read_only: false,
            may: may.to_vec(),
        };
        assert_eq!(in_words(&rights(&Right::ALL)), "mina may do all that operators do");
        assert_eq!(in_words(&rights(&[])), "mina may change nothing");
        let without: Vec<_> = Right::ALL.into_iter().filter(|right| *right != Right::Delete).collect();
        assert_eq!(in_words(&rights(&without)), "mina may not delete users");
    }
}
