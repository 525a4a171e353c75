//! What a filter asks of a mail: its state, why, since when, of which job.

use chrono::TimeDelta;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::list::{self, FOUND_MAX};
use crate::domain::Time;
use crate::domain::filter::{Filter, Reason, Span};
use crate::domain::send::SendState;

/// How far the clock of a host that makes a mail's id may be from the database's.
const CLOCKS_APART: TimeDelta = TimeDelta::days(1);

/// How much older than its place in the queue a mail may be: one that waits and is asked for again is queued anew, under
/// the same id.
const WAITS_MAX: TimeDelta = TimeDelta::days(30);

/// Each state by itself, since each has its part of an index, as each state of a job has; `None` where all count. No index
/// is walked along where rows are named one by one.
pub(super) fn branches(filter: &Filter, are_named: bool) -> Vec<Option<SendState>> {
    match filter.mail_states() {
        states if states.is_any() && filter.job.is_some() && !are_named => SendState::ALL.map(Some).to_vec(),
        states if states.is_any() => vec![None],
        states => states.chosen().map(Some).collect(),
    }
}

/// The verifications whose last mail fits, `FOUND_MAX` of each state and one more. Those of a state lie together in an
/// index, in the order in which they were queued.
pub(super) fn push_verifications(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    for (at, state) in branches(filter, true).into_iter().enumerate() {
        query.push(if at == 0 { "(" } else { " union all (" });
        query.push("select s.verification_id from sends s where s.verification_id is not null");
        if let Some(state) = state {
            query.push(" and s.state = ").push_bind(state.as_str());
        }
        push_mail(query, filter, "s");
        push_is_last(query, "s");
        // By their job, or along the index of their state.
        query.push(if filter.job.is_some() { "" } else { " order by s.id desc" });
        query.push(" limit ").push_bind(FOUND_MAX + 1).push(")");
    }
}

/// Whether a mail is its verification's last.
pub(super) fn push_is_last(query: &mut QueryBuilder<Postgres>, mail: &str) {
    query.push(format!(
        " and not exists (select from sends n where n.verification_id = {mail}.verification_id and n.id > {mail}.id)"
    ));
}

/// Whether the last mail of the verification `v` fits.
pub(super) fn push_last_mail(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    query.push(" and (select true");
    push_states(query, filter, "s");
    push_mail(query, filter, "s");
    query.push(" from sends s where s.verification_id = v.id order by s.id desc limit 1)");
}

/// Whether a mail is in one of the states.
pub(super) fn push_states(query: &mut QueryBuilder<Postgres>, filter: &Filter, mail: &str) {
    let states: Vec<&str> = filter.mail_states().chosen().map(SendState::as_str).collect();
    if !states.is_empty() {
        query.push(format!(" and {mail}.state = any(")).push_bind(states).push(")");
    }
}

/// All else that is asked of a mail: when it was queued, why it is where it is, of which job it is.
pub(super) fn push_mail(query: &mut QueryBuilder<Postgres>, filter: &Filter, mail: &str) {
    list::push_span(query, &format!("{mail}.queued_at"), Span { from: filter.since, to: filter.until });
    push_ids(query, filter, mail);
    if let Some(job) = filter.job {
        query.push(format!(" and {mail}.job_id = ")).push_bind(job.0);
    }
    if let Some(reason) = &filter.reason {
        push_reason(query, reason, mail);
    }
}

/// What of it an index knows that has the mails of a state, or of all, in the order of their ids.
pub(super) fn push_along(query: &mut QueryBuilder<Postgres>, filter: &Filter, state: Option<SendState>, mail: &str) {
    if let Some(state) = state {
        query.push(format!(" and {mail}.state = ")).push_bind(state.as_str());
    }
    if let Some(job) = filter.job {
        query.push(format!(" and {mail}.job_id = ")).push_bind(job.0);
    }
    push_ids(query, filter, mail);
}

/// The ids of mails that were queued at that time. An id has the time in it at which it was made, and an index.
fn push_ids(query: &mut QueryBuilder<Postgres>, filter: &Filter, mail: &str) {
    let from = filter.since.and_then(|from| from.checked_sub_signed(WAITS_MAX));
    let to = filter.until.and_then(|to| to.checked_add_signed(CLOCKS_APART));
    for (comparison, time) in [(">=", from), ("<", to)] {
        if let Some(id) = time.and_then(first_id) {
            query.push(format!(" and {mail}.id {comparison} ")).push_bind(id);
        }
    }
}

/// The first UUIDv7 of a moment.
fn first_id(time: Time) -> Option<Uuid> {
    let millis = u128::try_from(time.timestamp_millis()).ok().filter(|millis| *millis < 1 << 48)?;
    Some(Uuid::from_u128(millis << 80))
}

/// Whether that is why. What SES reported counts, and what the mail itself says, which stays when the events are gone;
/// not what the relay said when it accepted it.
fn push_reason(query: &mut QueryBuilder<Postgres>, reason: &Reason, mail: &str) {
    let regex = reason.regex();
    query.push(format!(" and ({mail}.reason ~* ")).push_bind(regex.clone());
    query.push(format!(" or ({mail}.ses_id is null and {mail}.reply ~* ")).push_bind(regex.clone());
    query.push(format!(") or exists (select from ses_events e where e.send_id = {mail}.id and ("));
    let sub_kinds: Vec<String> = reason.sub_kinds().into_iter().map(|kind| format!("%{kind}")).collect();
    query.push("e.sub_kind like any(").push_bind(sub_kinds).push(") or e.detail ~* ").push_bind(regex.clone());
    // A word may be of SES's own terms.
    if let Reason::Said(_) = reason {
        query.push(" or e.sub_kind ~* ").push_bind(regex);
    }
    // Weeks before it was queued have nothing about it.
    query.push(format!(") and e.received_at >= {mail}.queued_at - interval '1 day'))"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SendId;

    #[test]
    fn an_id_of_now_is_not_before_now() {
        let now = chrono::Utc::now();
        let id = SendId::new().0;
        assert!(first_id(now).unwrap() <= id && id < first_id(now + TimeDelta::minutes(1)).unwrap());
        assert_eq!(first_id(Time::UNIX_EPOCH - TimeDelta::seconds(1)), None);
    }
}
