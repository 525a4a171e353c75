//! Whose turn it is to ask SES about the account, and what its answers were: a panel each, with its age.
//!
//! SES takes one call a second, of all who use the account. So workers call one after another: who calls has the turn until
//! they have their answer, and the next one begins a second later.

use sqlx::types::Json;

use super::{Error, Store, StoredTime};
use crate::domain::account::{CallTrouble, Figures, Panel, PanelKind};

/// How often the account is asked what it may, by all workers together, in seconds; and each other thing, or anything
/// after a failure.
const ASK_EVERY_SECONDS: f64 = 60.0;
const ASK_AGAIN_SECONDS: f64 = 300.0;

/// How long a panel that no worker asks for any more is shown, in seconds.
const SHOWN_SECONDS: f64 = 86_400.0;

/// What is to be asked about the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountCall {
    /// What it may.
    Standing,
    /// A panel, and what it is about.
    Panel(PanelKind, String),
}

/// The turn to ask SES; until then.
#[derive(Clone, Copy, Debug)]
pub struct Turn(StoredTime);

impl Store {
    /// What of these is to be asked next, if anything.
    pub async fn due_account_call(&self, panels: &[(PanelKind, String)]) -> Result<Option<AccountCall>, Error> {
        let (kinds, subjects): (Vec<String>, Vec<String>) =
            panels.iter().map(|(kind, subject)| (kind.as_str().to_owned(), subject.clone())).unzip();
        let due = sqlx::query_scalar!(
            r#"select kind as "kind!"
            from (
                -- What it may comes first, since the pace keeps to it. A clock that was set back keeps no one waiting.
                select '' as kind, 1 as place, null::timestamptz as asked_at
                where not exists (
                    select
                    from ses_account
                    where
                        asked_at between
                            now() - make_interval(secs => case when error is null then $1::float8 else $2::float8 end)
                            and now() + interval '1 minute'
                )
                union all
                select wanted.kind, 2, p.asked_at
                from unnest($3::text[], $4::text[]) as wanted (kind, subject)
                left join account_panels p on p.kind = wanted.kind
                where
                    p.asked_at is null
                    or p.asked_at not between
                        now() - make_interval(
                            secs => case when p.subject is distinct from wanted.subject then $1::float8 else $2::float8 end
                        )
                        and now() + interval '1 minute'
            ) as due
            order by place, asked_at nulls first
            limit 1"#,
            ASK_EVERY_SECONDS,
            ASK_AGAIN_SECONDS,
            &kinds,
            &subjects
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(due.map(|due| match panels.iter().find(|(kind, _)| kind.as_str() == due) {
            Some((kind, subject)) => AccountCall::Panel(*kind, subject.clone()),
            None => AccountCall::Standing,
        }))
    }

    /// Takes the turn for a call, which may last so many seconds; `None` while it is another's. The call counts as made.
    pub async fn take_account_turn(&self, call: Option<&AccountCall>, longest: f64) -> Result<Option<Turn>, Error> {
        let (is_standing, panel) = match call {
            Some(AccountCall::Standing) => (true, None),
            Some(AccountCall::Panel(kind, subject)) => (false, Some((kind.as_str(), subject.as_str()))),
            None => (false, None),
        };
        let until = sqlx::query_scalar!(
            r#"with turn as (
                insert into ses_account as a (asked_at, called_at, calling_until)
                values (
                    case when $1::bool then now() else '-infinity' end,
                    now(),
                    now() + make_interval(secs => $2::float8)
                )
                on conflict (one) do update
                set
                    asked_at = case when $1::bool then now() else a.asked_at end,
                    called_at = excluded.called_at,
                    calling_until = excluded.calling_until
                where
                    a.called_at not between now() - interval '1 second' and now() + interval '1 second'
                    and (
                        a.calling_until is null
                        or a.calling_until not between now() and now() + make_interval(secs => $2::float8) * 2
                    )
                returning a.calling_until
            ),
            asked as (
                insert into account_panels as p (kind, subject, asked_at)
                select $3::text, $4::text, now() from turn where $3::text is not null
                on conflict (kind) do update
                set
                    asked_at = now(),
                    subject = excluded.subject,
                    -- What was said of another says nothing of this one.
                    figures = case when p.subject = excluded.subject then p.figures end,
                    answered_at = case when p.subject = excluded.subject then p.answered_at end
            )
            select calling_until from turn"#,
            is_standing,
            longest,
            panel.map(|(kind, _)| kind),
            panel.map(|(_, subject)| subject)
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(until.flatten().map(Turn))
    }

    /// Ends a turn: the answer is there, or none will come. The next call is a second later.
    pub async fn end_account_turn(&self, turn: Turn) -> Result<(), Error> {
        // One whose time was over may be another's by now.
        sqlx::query!(
            "update ses_account set called_at = now(), calling_until = null where calling_until = $1",
            turn.0 as _
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Notes an answer. Returns whether it is news.
    pub async fn note_panel(&self, kind: PanelKind, figures: &Figures) -> Result<bool, Error> {
        let is_news = sqlx::query_scalar!(
            r#"with before as (select figures, trouble from account_panels where kind = $1),
            noted as (
                update account_panels
                set answered_at = now(), figures = $2, trouble = null, failed_at = null, permission = null
                where kind = $1
            )
            select (figures is distinct from $2 or trouble is not null) as "is_news!" from before"#,
            kind.as_str(),
            Json(figures) as _
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(is_news.unwrap_or(false))
    }

    /// Notes that there is no answer, and which right is missing, if that is why. Returns whether it is news.
    pub async fn note_panel_trouble(
        &self,
        kind: PanelKind,
        trouble: &str,
        permission: Option<&str>,
    ) -> Result<bool, Error> {
        let done = sqlx::query!(
            "update account_panels
            set
                trouble = left($2, 2000),
                permission = $3,
                failed_at = case when trouble is null then now() else failed_at end
            where kind = $1 and (trouble, permission) is distinct from (left($2, 2000), $3)",
            kind.as_str(),
            trouble,
            permission
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The panels that workers ask for.
    pub async fn account_panels(&self) -> Result<Vec<Panel>, Error> {
        let rows = sqlx::query!(
            "select kind, subject, asked_at, answered_at, figures, trouble, failed_at, permission
            from account_panels
            where asked_at > now() - make_interval(secs => $1)",
            SHOWN_SECONDS
        )
        .fetch_all(self.pool())
        .await?;
        let mut panels: Vec<Panel> = rows
            .into_iter()
            .filter_map(|row| {
                // Those of a later version are not known here, nor are figures that it writes in another way.
                let figures = row.figures.and_then(|figures| serde_json::from_value(figures).ok());
                Some(Panel {
                    kind: row.kind.parse().ok()?,
                    subject: row.subject.into(),
                    asked_at: row.asked_at.into(),
                    answer: row.answered_at.map(Into::into).zip(figures),
                    trouble: row.trouble.zip(row.failed_at).map(|(text, since)| CallTrouble {
                        text: text.into(),
                        since: since.into(),
                        permission: row.permission.map(Into::into),
                    }),
                })
            })
            .collect();
        panels.sort_by_key(|panel| panel.kind);
        Ok(panels)
    }
}
