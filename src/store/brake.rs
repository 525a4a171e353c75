//! The brake: one row that every claim looks at.

use sqlx::PgConnection;

use super::{Error, Store};
use crate::config;
use crate::domain::brake::{Brake, BrakeCause, BrakeState};
use crate::domain::reputation::RESULTS_MIN;

/// A brake to be set.
#[derive(Clone, Copy, Debug)]
pub struct NewBrake<'a> {
    /// How far; *off* releases it.
    pub state: BrakeState,
    /// What sets it.
    pub cause: BrakeCause,
    pub set_by: &'a str,
    /// Why. Plain.
    pub reason: &'a str,
    /// For how many seconds, if it ends by itself.
    pub seconds: Option<f64>,
}

/// Longest reason, in characters.
pub const REASON_MAX: usize = 1_000;

/// Sets it, unless a stronger one is set: what a machine sets never replaces what a person has paused, and what
/// ends by itself never what does not, but for a pause for refusals that has interrupted no drain: any other reason
/// says more. False if it stays as it was.
pub async fn set(connection: &mut PgConnection, brake: NewBrake<'_>) -> Result<bool, Error> {
    let reason: String = brake.reason.replace('\0', "").chars().take(REASON_MAX).collect();
    let done = sqlx::query!(
        "update brake
        set
            state = $1,
            cause = $2,
            set_by = $3,
            reason = $4,
            set_at = now(),
            until = now() + make_interval(secs => $5),
            probe_at = null,
            probes = 0,
            probed_at = null,
            drain_set_by = null,
            drain_reason = null,
            drain_set_at = null
        where
            state = 'off'
            or until <= now()
            or (state = 'draining' and $5::float8 is null)
            or $2 = 'operator'
            or (until is not null and $5::float8 is null)
            or (cause = 'refusals' and ($5::float8 is null or drain_set_at is null))",
        brake.state.as_str(),
        brake.cause.as_str(),
        brake.set_by,
        reason,
        brake.seconds
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Releases it; false if it was off.
pub async fn release(connection: &mut PgConnection) -> Result<bool, Error> {
    let done = sqlx::query!(
        "with ended as (
            -- It takes a whole run to stop again.
            delete from refused_sends
        )
        update brake
        set
            state = 'off',
            cause = null,
            set_by = null,
            reason = null,
            set_at = null,
            until = null,
            probe_at = null,
            probes = 0,
            probed_at = null,
            drain_set_by = null,
            drain_reason = null,
            drain_set_at = null,
            released_at = now()
        where state <> 'off'"
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The results of the last mails, as far as SES has reported them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Mails that SES took.
    pub sends: i64,
    /// Refused for good by the recipients' servers.
    pub bounced: i64,
    /// Called spam.
    pub complained: i64,
}

impl Store {
    /// The brake, if it is on.
    pub async fn brake(&self) -> Result<Option<Brake>, Error> {
        let row = sqlx::query!(
            r#"select state, cause as "cause!", set_by as "set_by!", reason as "reason!", set_at as "set_at!", until,
                probe_at, now() as "as_of!"
            from brake
            where state <> 'off' and (until is null or until > now())"#
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| Brake {
            // Constraints keep the columns to the known words.
            state: row.state.parse().unwrap_or(BrakeState::Paused),
            cause: row.cause.parse().unwrap_or(BrakeCause::Operator),
            set_by: row.set_by.into(),
            reason: row.reason.into(),
            set_at: row.set_at.into(),
            until: row.until.map(Into::into),
            probe_at: row.probe_at.map(Into::into),
            as_of: row.as_of.into(),
        }))
    }

    /// What became of the last so many mails that SES took since the brake was last released.
    pub async fn last_results(&self, sends: i64) -> Result<Results, Error> {
        let row = sqlx::query!(
            r#"with last as (
                select newest.id, newest.state, newest.against_us
                from unnest(array['accepted', 'delivered', 'delayed', 'bounced', 'complained']) as one (state)
                cross join lateral (
                    select id, state, against_us
                    from sends
                    where
                        -- By the index of states and ids: written so, since by ids alone all mails would be walked over
                        -- for the rarest state. Ids begin with the time at which they were made: what is older than the
                        -- last release is not looked at, but for an hour, since clocks differ.
                        (sends.state, id) > (one.state, (
                            select lpad(to_hex(greatest(
                                (extract(epoch from released_at - interval '1 hour') * 1000)::bigint, 0
                            )), 12, '0')::text || repeat('0', 20)
                            from brake
                        )::uuid)
                        and sends.state <= one.state
                        and queued_at > (select released_at from brake)
                        -- What the simulator bounces is nobody's.
                        and test_of is null
                    order by sends.state desc, id desc
                    limit $1
                ) as newest
                order by id desc
                limit $1
            )
            select
                count(*) as "sends!",
                count(*) filter (where state = 'bounced' and against_us) as "bounced!",
                count(*) filter (where state = 'complained') as "complained!"
            from last"#,
            sends
        )
        .fetch_one(self.pool())
        .await?;
        Ok(Results { sends: row.sends, bounced: row.bounced, complained: row.complained })
    }
}

impl Results {
    /// Why nothing should go out any more, if so.
    #[must_use]
    pub fn verdict(&self, rules: &config::Brake) -> Option<String> {
        if self.sends < RESULTS_MIN.min(rules.sends) {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = |count: i64| count as f64 / self.sends as f64;
        let (count, what, limit) = if rate(self.bounced) >= rules.bounce_rate {
            (self.bounced, "bounced for good", rules.bounce_rate)
        } else if rate(self.complained) >= rules.complaint_rate && self.complained > 1 {
            (self.complained, "were called spam", rules.complaint_rate)
        } else {
            return None;
        };
        Some(format!(
            "{count} of the last {} mails {what} ({:.1} %, the limit is {:.1} %); find out why before AWS stops the \
             account, then resume",
            self.sends,
            rate(count) * 100.0,
            limit * 100.0
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_rates_of_many_mails_stop_the_outbox() {
        let rules = config::Brake::default();
        let table = [
            (1_000, 49, 2, None),
            (1_000, 50, 0, Some("50 of the last 1000 mails bounced for good (5.0 %")),
            (1_000, 0, 3, Some("3 of the last 1000 mails were called spam (0.3 %")),
            (60, 3, 0, Some("3 of the last 60 mails bounced")),
            (60, 0, 1, None),
            (49, 49, 0, None),
            (0, 0, 0, None),
        ];
        for (sends, bounced, complained, expected) in table {
            let verdict = Results { sends, bounced, complained }.verdict(&rules);
            match expected {
                Some(words) => assert!(verdict.as_ref().is_some_and(|v| v.starts_with(words)), "{verdict:?}"),
                None => assert_eq!(verdict, None),
            }
        }
    }
}
