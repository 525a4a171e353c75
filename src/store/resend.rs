//! How users stand towards another mail: what [`crate::domain::resend`] decides by, read here.

use sqlx::PgConnection;

use super::Error;
use crate::domain::Time;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::resend::{Block, OpenSend, OpenVerification, ResendPolicy, Standing};

/// How one user stands, and what time it is by the database's clock, which all processes share; `None` if there is no
/// such user.
pub async fn standing(
    connection: &mut PgConnection,
    user: UserId,
    policy: &ResendPolicy,
) -> Result<Option<(Standing, Time)>, Error> {
    let row = sqlx::query!(
        r#"select
            s.is_verified as "is_verified!",
            s.is_waiting as "is_waiting!",
            s.cooling_until,
            s.capped_until,
            now() as "now!",
            v.id as "open_id?",
            v.is_expired as "is_expired?",
            v.is_mailed as "is_mailed?",
            m.id as "send_id?",
            (m.state = 'sending' or m.lease_until > now()) is true as "is_sending!"
        from resend_standing($1, $2, $3) s
        left join open_verification($1) v on true
        left join sends m on m.verification_id = v.id and m.state in ('queued', 'sending')"#,
        user.0,
        policy.cool_down.as_secs_f64(),
        i64::from(policy.daily_cap)
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| {
        let standing = Standing {
            is_verified: row.is_verified,
            is_waiting: row.is_waiting,
            block: None,
            cooling_until: row.cooling_until.map(Into::into),
            capped_until: row.capped_until.map(Into::into),
            open: open(row.open_id, row.is_expired, row.is_mailed),
            send: row.send_id.map(|id| OpenSend { id: SendId(id), is_sending: row.is_sending }),
        };
        (standing, row.now.into())
    }))
}

/// Why the address takes no mail, if that is known. Not for the login of `serve`.
pub async fn block_of(connection: &mut PgConnection, user: UserId) -> Result<Option<Block>, Error> {
    let word = sqlx::query_scalar!(
        r#"select b.block
        from resend_standing($1, 0, 1) s
        cross join lateral address_block(s.answered, s.answer) b"#,
        user.0
    );
    Ok(block(word.fetch_optional(connection).await?.flatten().as_deref()))
}

/// The open verification of a left join.
pub(super) fn open(id: Option<i64>, is_expired: Option<bool>, is_mailed: Option<bool>) -> Option<OpenVerification> {
    id.map(|id| OpenVerification {
        id: VerificationId(id),
        is_expired: is_expired.unwrap_or_default(),
        is_mailed: is_mailed.unwrap_or_default(),
    })
}

/// What `address_block` says.
pub(super) fn block(word: Option<&str>) -> Option<Block> {
    word.map(|word| if word == "suppressed" { Block::Suppressed } else { Block::Bounced })
}
