//! SES's suppression list, read page by page by all workers together. Its newest part is kept: an account may have a million
//! addresses on it, and SES takes one call a second.

use chrono::TimeDelta;
use sqlx::PgConnection;

use super::{Error, Store, StoredTime};
use crate::domain::Time;
use crate::domain::account::CallTrouble;
use crate::domain::account::suppression_list::{ListedAddress, SuppressionList};

/// How often it is read, or tried again after a failure; and how often it is tried whether the whole is short enough.
const READ_EVERY: TimeDelta = TimeDelta::minutes(15);
const WHOLE_EVERY: TimeDelta = TimeDelta::days(1);

/// Pages of a reading at most.
const PAGES_MAX: i32 = 20;

/// Most addresses that are kept: the newest.
pub const KEPT_MAX: i64 = 10_000;

/// Which part is read where what was read before is too long, in days.
const PARTS: [i64; 4] = [90, 30, 7, 1];

/// A page that is to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPage {
    /// The reading that it is of, and when that began.
    reading: i64,
    begun_at: Time,
    /// Before it is asked for: what is known since is newer than the page.
    known_at: Time,
    whole_at: Time,
    part: i16,
    /// How many were read before it.
    pages: i32,
    pub token: Option<String>,
}

impl ListPage {
    fn first(reading: i64, now: Time, part: i16, whole_at: Time) -> Self {
        Self { reading, begun_at: now, known_at: now, whole_at, part, pages: 0, token: None }
    }

    /// Only what was put on the list since then is read; `None` for the whole.
    #[must_use]
    pub fn newer_than(&self) -> Option<Time> {
        let part = usize::try_from(self.part).ok()?.checked_sub(1)?;
        PARTS.get(part).map(|days| self.begun_at - TimeDelta::days(*days))
    }

    /// Whether so many pages are too many, and there is a newer part to be read in its place.
    fn is_too_long(&self) -> bool {
        self.pages + 1 >= PAGES_MAX && usize::try_from(self.part).is_ok_and(|part| part < PARTS.len())
    }
}

impl Store {
    /// The page that is to be read next, if it is time.
    pub async fn due_list_page(&self) -> Result<Option<ListPage>, Error> {
        let now = self.now().await?;
        let row = sqlx::query!(
            r#"select reading, begun_at, asked_at, part,
                whole_at, next_token, pages, trouble
            from suppression_reading"#
        )
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(Some(ListPage::first(1, now, 0, now))) };
        let (begun_at, asked_at, whole_at): (Time, Time, Time) =
            (row.begun_at.into(), row.asked_at.into(), row.whole_at.into());
        // A clock that was set back keeps no one waiting.
        let is_recent = |at: Time, span: TimeDelta| at > now - span && at < now + TimeDelta::minutes(1);
        if row.trouble.is_some() && is_recent(asked_at, READ_EVERY) {
            return Ok(None);
        }
        if row.next_token.is_some() {
            let (reading, part, pages, token) = (row.reading, row.part, row.pages, row.next_token);
            return Ok(Some(ListPage { reading, begun_at, known_at: now, whole_at, part, pages, token }));
        }
        if is_recent(begun_at, READ_EVERY) {
            return Ok(None);
        }
        Ok(Some(if is_recent(whole_at, WHOLE_EVERY) && row.part > 0 {
            ListPage::first(row.reading + 1, now, row.part, whole_at)
        } else {
            ListPage::first(row.reading + 1, now, 0, now)
        }))
    }

    /// Notes a page, and where the next one begins. Returns whether a reading has ended with it.
    pub async fn note_list_page(
        &self,
        page: &ListPage,
        addresses: &[ListedAddress],
        next: Option<&str>,
    ) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        lock(&mut tx).await?;
        put(&mut tx, page.reading, addresses, Some(page.known_at)).await?;
        // What is too long is read again at once, a newer part of it.
        let part = if next.is_some() && page.is_too_long() { page.part + 1 } else { page.part };
        let next = next.filter(|next| part == page.part && next.len() <= 10_000);
        let is_over = next.is_none() || page.pages + 1 >= PAGES_MAX;
        let is_read = is_over && part == page.part;
        sqlx::query!(
            "insert into suppression_reading as r
                (reading, begun_at, part, whole_at, next_token, pages, read_at, goes_back_to)
            values ($1, $2, $3, $4, $5, $6, case when $7 then now() end, $8)
            on conflict (one) do update
            set
                reading = excluded.reading, begun_at = excluded.begun_at, asked_at = now(), part = excluded.part,
                whole_at = excluded.whole_at, next_token = excluded.next_token, pages = excluded.pages,
                read_at = coalesce(excluded.read_at, r.read_at),
                goes_back_to = case when $7 then excluded.goes_back_to else r.goes_back_to end,
                trouble = null, failed_at = null, permission = null",
            page.reading,
            // The newer part is due as if this reading had never begun.
            StoredTime(if part == page.part { page.begun_at } else { page.begun_at - READ_EVERY }) as _,
            part,
            StoredTime(page.whole_at) as _,
            next.filter(|_| !is_over),
            page.pages + 1,
            is_read,
            page.newer_than().map(StoredTime) as _
        )
        .execute(&mut *tx)
        .await?;
        if is_read {
            forget_others(&mut tx, page).await?;
        }
        tx.commit().await?;
        Ok(is_read)
    }

    /// Notes that a page was not read, and which right is missing, if that is why. The reading begins again later.
    pub async fn note_list_trouble(
        &self,
        page: &ListPage,
        trouble: &str,
        permission: Option<&str>,
    ) -> Result<(), Error> {
        sqlx::query!(
            "insert into suppression_reading as r
                (reading, begun_at, part, whole_at, trouble, failed_at, permission)
            values ($1, $2, $3, $4, left($5, 2000), now(), $6)
            on conflict (one) do update
            set
                asked_at = now(), next_token = null, trouble = excluded.trouble, permission = excluded.permission,
                failed_at = coalesce(r.failed_at, now())",
            page.reading,
            StoredTime(page.begun_at) as _,
            page.part,
            StoredTime(page.whole_at) as _,
            trouble,
            permission
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The list as it was read last; its newest addresses, so many. `None` where no worker reads it.
    pub async fn suppression_list(&self, limit: i64) -> Result<Option<SuppressionList>, Error> {
        let row = sqlx::query!(
            r#"select read_at, goes_back_to, trouble,
                failed_at, permission,
                (select count(*) from (select from suppression_list limit 20000) as kept) as "count!"
            from suppression_reading
            where asked_at > now() - interval '1 day'"#
        )
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let newest = sqlx::query!(
            r#"select address, reason, since
            from suppression_list
            order by since desc, address
            limit $1"#,
            limit
        )
        .fetch_all(self.pool())
        .await?;
        Ok(Some(SuppressionList {
            newest: newest
                .into_iter()
                .map(|row| ListedAddress {
                    address: row.address.into(),
                    reason: row.reason.into(),
                    since: row.since.into(),
                })
                .collect(),
            count: row.count,
            is_full: row.count >= KEPT_MAX,
            read_at: row.read_at.map(Into::into),
            goes_back_to: row.goes_back_to.map(Into::into),
            trouble: row.trouble.zip(row.failed_at).map(|(text, since)| CallTrouble {
                text: text.into(),
                since: since.into(),
                permission: row.permission.map(Into::into),
            }),
        }))
    }
}

/// What is noted of a page, and of an address of which an act or a question has found out more, is noted one after the
/// other: the later of two sees what the first has noted.
async fn lock(connection: &mut PgConnection) -> Result<Option<i64>, Error> {
    Ok(sqlx::query_scalar!("select reading from suppression_reading for update").fetch_optional(connection).await?)
}

/// Puts addresses on the list, but for those that are known since then not to be on it.
async fn put(
    connection: &mut PgConnection,
    reading: i64,
    addresses: &[ListedAddress],
    known_at: Option<Time>,
) -> Result<(), Error> {
    let all: Vec<String> = addresses.iter().map(|one| one.address.raw().to_lowercase()).collect();
    let reasons: Vec<String> = addresses.iter().map(|one| one.reason.raw().to_owned()).collect();
    let since: Vec<StoredTime> = addresses.iter().map(|one| StoredTime(one.since)).collect();
    sqlx::query!(
        "insert into suppression_list (address, reason, since, reading)
        select distinct on (address) address, reason, since, $4::bigint
        from unnest($1::text[], $2::text[], $3::timestamptz[]) as given (address, reason, since)
        where not exists (
            select from suppressions x where x.address = given.address and x.reason is null and x.checked_at >= $5
        )
        order by address, since desc
        on conflict (address) do update
        set reason = excluded.reason, since = excluded.since, reading = excluded.reading",
        &all,
        &reasons,
        &since as _,
        reading,
        known_at.map(StoredTime) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a whole reading has not seen is on the list no more, or is older than what is kept; but not what was put on it since
/// the reading began.
async fn forget_others(connection: &mut PgConnection, page: &ListPage) -> Result<(), Error> {
    sqlx::query!(
        "delete from suppression_list l
        where
            l.reading < $1
            and not exists (
                select
                from suppressions x
                where x.address = l.address and x.reason is not null and x.checked_at >= $2
            )",
        page.reading,
        StoredTime(page.begun_at) as _
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "delete from suppression_list
        where address in (select address from suppression_list order by since desc, address offset $1)",
        KEPT_MAX
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update suppression_reading
        set whole_begun_at = case when $1 and (select count(*) from suppression_list) < $2 then begun_at end",
        page.newer_than().is_none(),
        KEPT_MAX
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes what an act found out or did: an address is on the list, or it is not.
pub async fn note(
    connection: &mut PgConnection,
    address: &str,
    on_list: Option<(&str, Option<Time>)>,
) -> Result<(), Error> {
    let reading = lock(connection).await?;
    if on_list.is_none() {
        sqlx::query!("delete from suppression_list where address = $1", address).execute(&mut *connection).await?;
    }
    if let (Some((reason, Some(since))), Some(reading)) = (on_list, reading) {
        let one = ListedAddress { address: address.into(), reason: reason.into(), since };
        put(connection, reading, &[one], None).await?;
    }
    Ok(())
}
