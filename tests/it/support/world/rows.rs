//! What a test does to the rows of its world, past the desk, and what it reads from them.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::PgPool;
use verifydesk::desk::{Desk, SignUp};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::key::Key;
use verifydesk::domain::locale::Locale;
use verifydesk::store::outbox::keys::set_keys;
use verifydesk::store::verifications;

use super::{SECRET, World, number, request, sign_up};

/// A mail's id of that moment, as workers and desks make them.
pub const ID_OF: &str = "create function pg_temp.id_of(at timestamptz) returns uuid language sql as $$
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7000' || '8'
        || substr(md5(random()::text), 1, 15))::uuid
$$;";

impl World {
    /// A user whose mail went out some time ago.
    pub async fn mailed(&self, email: &str, locale: Locale) -> (VerificationId, Key) {
        self.mailed_to(SignUp { locale, ..request(email) }).await
    }

    pub async fn mailed_to(&self, who: SignUp) -> (VerificationId, Key) {
        let id = sign_up(&self.desk, &who).await;
        let key = self.mail(id).await;
        self.run("update sends set queued_at = queued_at - interval '1 hour' where verification_id = $1", id).await;
        (id, key)
    }

    /// Does what the worker does before it mails a key, and says that the mail was accepted.
    pub async fn mail(&self, id: VerificationId) -> Key {
        let key = make_key(self.pool(), id).await;
        self.run("update sends set state = 'accepted' where verification_id = $1", id).await;
        key
    }

    pub async fn expire(&self, id: VerificationId) {
        self.run(
            "update verifications
            set created_at = created_at - interval '9 days', expires_at = now() - interval '1 day'
            where id = $1",
            id,
        )
        .await;
    }

    pub async fn revoke(&self, id: VerificationId) {
        self.run("update verifications set revoked_at = now() where id = $1", id).await;
    }

    /// Does a statement about one verification.
    pub async fn run(&self, statement: &'static str, id: VerificationId) {
        sqlx::query(statement).bind(id.0).execute(self.pool()).await.unwrap();
    }

    /// All that an opened link could change.
    pub async fn traces(&self) -> String {
        sqlx::query_scalar(
            "select concat(
                (select json_agg(u order by id) from users u),
                (select json_agg(v order by id) from verifications v),
                (select json_agg(s order by id) from sends s),
                (select json_agg(a order by id) from audit_log a))",
        )
        .fetch_one(self.pool())
        .await
        .unwrap()
    }

    /// The audit log's outcomes of one action, in order.
    pub async fn outcomes(&self, action: &str) -> Vec<String> {
        sqlx::query_scalar("select outcome from audit_log where action = $1 order by id")
            .bind(action)
            .fetch_all(self.pool())
            .await
            .unwrap()
    }
}

/// Makes the key of a verification as the worker does; it opens the link for three days.
pub async fn make_key(pool: &PgPool, id: VerificationId) -> Key {
    let mut connection = pool.acquire().await.unwrap();
    let material = verifications::key_material(&mut connection, id).await.unwrap().unwrap();
    let key = Key::derive(SECRET.as_bytes(), id, &material.nonce);
    set_keys(&mut connection, &[(id, key.digest())], Duration::from_hours(72)).await.unwrap();
    key
}

/// Closes all connections, which report what they have read when they end.
pub async fn leave(desk: &Desk, pool: &PgPool) {
    desk.store().close().await;
    let there = "select count(*) from pg_stat_activity
        where datname = current_database() and application_name = 'verifydesk'";
    while number(pool, there).await > 0 {
        tokio::task::yield_now().await;
    }
}

/// Rows of the large tables that were read without an index, as far as connections have reported.
pub async fn rows_read_one_by_one(pool: &PgPool) -> BTreeMap<String, i64> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select relname::text, seq_tup_read
        from pg_stat_user_tables
        where relname in ('users', 'verifications', 'sends')",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    rows.into_iter().collect()
}
