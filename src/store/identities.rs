//! Domains that SES has not verified yet, and what it says of each: what has to be in DNS for them.

use sqlx::PgConnection;
use sqlx::types::Json;

use super::{Error, Store};
use crate::domain::account::{CallTrouble, Figures, Identity, IdentityDetail};

/// How many of them are asked about: one call a second is for all things together.
const ASKED_MAX: i64 = 20;

/// How often, in seconds.
const ASK_AGAIN_SECONDS: f64 = 300.0;

impl Store {
    /// The domain that is to be asked about next, if any: of those that SES listed as not verified.
    pub async fn due_identity(&self) -> Result<Option<String>, Error> {
        let name = sqlx::query_scalar!(
            r#"with waiting as (
                select l.name
                from account_panels p
                cross join lateral jsonb_to_recordset(p.figures #> '{identities,listed}')
                    as l (name text, kind text, verification text)
                where
                    p.kind = 'identities'
                    and l.kind = 'DOMAIN'
                    and l.verification <> 'SUCCESS'
                    and l.name ~ '^[A-Za-z0-9_.-]{1,253}$'
                order by l.name
                limit $1
            )
            select w.name as "name!"
            from waiting w
            left join identities i on i.name = w.name
            -- A clock that was set back keeps no one waiting.
            where i.asked_at is null or i.asked_at not between now() - make_interval(secs => $2) and now() + interval '1 minute'
            order by i.asked_at nulls first
            limit 1"#,
            ASKED_MAX,
            ASK_AGAIN_SECONDS
        );
        Ok(name.fetch_optional(self.pool()).await?)
    }

    /// Notes what SES says of a domain. Returns whether it is news.
    pub async fn note_identity(&self, name: &str, figures: &Figures) -> Result<bool, Error> {
        let mut connection = self.pool().acquire().await?;
        note(&mut connection, name, figures).await
    }

    /// Notes that there is no answer, and which right is missing, if that is why.
    pub async fn note_identity_trouble(
        &self,
        name: &str,
        trouble: &str,
        permission: Option<&str>,
    ) -> Result<(), Error> {
        sqlx::query!(
            "insert into identities as i (name, trouble, permission, failed_at)
            values ($1, left($2, 2000), $3, now())
            on conflict (name) do update
            set
                asked_at = now(),
                trouble = excluded.trouble,
                permission = excluded.permission,
                failed_at = coalesce(i.failed_at, now())",
            name,
            trouble,
            permission
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The domains that are not verified yet, as far as SES was asked about them lately.
    pub async fn waiting_domains(&self) -> Result<Vec<IdentityDetail>, Error> {
        let rows = sqlx::query!(
            "select name, answered_at, figures, trouble, failed_at, permission
            from identities
            where asked_at > now() - interval '1 day'
            order by name
            limit $1",
            ASKED_MAX
        )
        .fetch_all(self.pool())
        .await?;
        let waiting = rows.into_iter().map(|row| {
            // Figures that a later version writes in another way are not known here.
            let identity = row.figures.and_then(|figures| match serde_json::from_value(figures) {
                Ok(Figures::Identity(identity)) => Some(identity),
                _ => None,
            });
            IdentityDetail {
                name: row.name.into(),
                answer: row.answered_at.map(Into::into).zip(identity),
                trouble: row.trouble.zip(row.failed_at).map(|(text, since)| CallTrouble {
                    text: text.into(),
                    since: since.into(),
                    permission: row.permission.map(Into::into),
                }),
            }
        });
        // What was verified meanwhile waits for nothing.
        Ok(waiting.filter(|one| !one.answer.as_ref().is_some_and(|(_, identity)| identity.is_verified)).collect())
    }
}

/// Notes what SES says of a domain, and forgets those that were not asked about for a week. Returns whether it is news.
pub async fn note(connection: &mut PgConnection, name: &str, figures: &Figures) -> Result<bool, Error> {
    let is_news = sqlx::query_scalar!(
        r#"with before as (select figures, trouble from identities where name = $1),
        forgotten as (
            delete from identities where asked_at < now() - interval '7 days' and name <> $1
        ),
        noted as (
            insert into identities (name, answered_at, figures)
            values ($1, now(), $2)
            on conflict (name) do update
            set
                asked_at = now(), answered_at = now(), figures = excluded.figures,
                trouble = null, failed_at = null, permission = null
        )
        select not exists (select from before where figures = $2 and trouble is null) as "is_news!""#,
        name,
        Json(figures) as _
    )
    .fetch_one(connection)
    .await?;
    Ok(is_news)
}

/// Notes an identity that was added, and has all identities asked for again. Of an address nothing is noted but that.
pub async fn note_added(connection: &mut PgConnection, domain: Option<(&str, &Identity)>) -> Result<(), Error> {
    if let Some((name, identity)) = domain {
        note(connection, name, &Figures::Identity(identity.clone())).await?;
    }
    // What was answered stays on the screen until then.
    sqlx::query!("update account_panels set asked_at = now() - interval '1 hour' where kind = 'identities'")
        .execute(connection)
        .await?;
    Ok(())
}
