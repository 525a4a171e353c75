//! Who may do what: seven groups named after the database, and their rights. The SQL is a file, so that people can read
//! it and have it run by who may.

use sqlx::{AssertSqlSafe, Connection as _};

use super::migrate::patiently;
use super::{Error, Purpose, Store};
use crate::text::plain;

/// The groups, each named `<database>_<this>`.
pub const GROUPS: [&str; 7] = ["owner", "worker", "operator", "support", "viewer", "serve", SITE];

/// The group for sites that share the database.
const SITE: &str = "site";

/// What the rights are on: tables, and a view. Other tables in the same schema are not touched.
const TABLES: [&str; 42] = [
    "_sqlx_migrations",
    "account_acts",
    "account_panels",
    "address_states",
    "alert_notices",
    "alert_watch",
    "alerts",
    "audit_log",
    "brake",
    "event_queues",
    "idempotency_keys",
    "identities",
    "job_skips",
    "jobs",
    "odd_openings",
    "outbox_gate",
    "pace",
    "pace_minutes",
    "refused_sends",
    "schema_floor",
    "send_messages",
    "sends",
    "serves",
    "ses_account",
    "ses_event_keys",
    "ses_events",
    "sns_refusals",
    "sns_subscriptions",
    "suppression_list",
    "suppression_reading",
    "suppressions",
    "users",
    "verification_count_deltas",
    "verification_counts",
    "verifications",
    "verified_users",
    "webhook_attempts",
    "webhook_deliveries",
    "webhook_endpoints",
    "webhook_expiry",
    "webhook_messages",
    "workers",
];

/// The functions of the migrations, and the one that the script makes itself. By their signatures: a site may have
/// functions of its own with these names.
const FUNCTIONS: [&str; 68] = [
    "account_act_lasts(text)",
    "address_block(uuid, text)",
    "admit_worker(uuid, text, integer, text, text, text, text, double precision)",
    "apply_events(jsonb)",
    "approve(bytea)",
    "change_address(bigint, text, text, text, text)",
    "changed_nothing(text, text)",
    "check_audit_entry()",
    "check_reason(text, text)",
    "claim_notice(text[], text[], double precision)",
    "claim_worker_notice(text[], double precision)",
    "commit_minted_link(bigint, bytea)",
    "count_verifications()",
    "delete_user(bigint, bigint, text, text, text, double precision)",
    "drop_event_week(text, timestamptz)",
    "end_account_act(bigint, integer, text, text, text, text, uuid, text)",
    "entry_to_undo(bigint, text, text)",
    "erase_user(bigint, text, text)",
    "extend_verification(bigint, text, text, text, double precision)",
    "force_verify(bigint, text, text, text, double precision)",
    "forget_in_audit()",
    "forget_user()",
    "forget_webhook_deliveries()",
    "has_room_for_account_act()",
    "judge_workers(double precision)",
    "keep_account_acts()",
    "link_outcome(timestamptz, timestamptz, timestamptz, timestamptz)",
    "lock_user(bigint)",
    "look_at_link(bytea)",
    "make_event_partitions(timestamptz)",
    "match_orphans()",
    "name_pairs(text)",
    "mint_link(bigint, text, text, text, bytea, double precision)",
    "note_all_verified(bigint[], text)",
    "note_notice(text[], bigint, text, text, text)",
    "note_session()",
    "note_verified(bigint, bigint, timestamptz, text)",
    "note_worker_notice(bigint, text, text, text)",
    "notify_of_user()",
    "old_event_weeks(timestamptz)",
    "open_links(bytea[], boolean)",
    "open_verification(bigint)",
    "prune_sends(timestamptz, uuid, uuid, integer, boolean)",
    "queue_account_act(text, text, text, bigint, text, text, text)",
    "queue_identity(text, text, text, text)",
    "queue_look_up(text, text, text)",
    "queue_mail(uuid, bigint, smallint)",
    "queue_webhook_test(text, text, text)",
    "refuse_audit_change()",
    "refuse_while_deleted()",
    "resend_standing(bigint, double precision, bigint)",
    "restore_mails(bigint, bigint, timestamptz)",
    "retry_webhooks(text, uuid, text, text)",
    "revoke_verification(bigint, text, text, text)",
    "settle_by_events(uuid[])",
    "show_serve(uuid, text, integer, text, boolean)",
    "take_events(jsonb)",
    "tell_of_address()",
    "tell_of_expired(integer)",
    "tell_of_user()",
    "told_endpoints()",
    "undo_act(bigint, text, text, text)",
    "undo_delete(bigint, text, text, text)",
    "undo_resend(bigint, text, text, text)",
    "unverify(bigint, text, text, text)",
    "user_of_address(text)",
    "webhook_time(timestamptz)",
    "write_webhook(text, bigint, timestamptz, json)",
];

/// The rights, with `@` before what differs between databases.
const SQL: &str = include_str!("roles.sql");

/// PostgreSQL cuts longer names off, and two would be one.
const NAME_MAX: usize = 63;

impl Store {
    /// The SQL that makes the groups of this database and grants them their rights.
    pub async fn roles_sql(&self) -> Result<String, Error> {
        let (database, schema): (String, Option<String>) =
            sqlx::query_as("select current_database()::text, current_schema()::text").fetch_one(self.pool()).await?;
        fill(&database, schema.as_deref().unwrap_or("public"))
    }

    /// Makes the groups and grants them their rights. Only after the migrations. What an error leaves behind works as
    /// before, and the next time continues from there.
    pub async fn make_roles(&self) -> Result<(), Error> {
        self.require_own_sessions().await?;
        let sql = self.roles_sql().await?;
        let gate = self.enter_migration().await?;
        patiently("granting the roles their rights", async || {
            let mut connection = self.connect_alone(Purpose::Migrate).await?;
            // An error ends the connection, and with it the transaction.
            sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut connection).await?;
            Ok(connection.close().await?)
        })
        .await?;
        Ok(gate.close().await?)
    }

    /// Whether the groups of this database are there; that for sites came later than the others.
    pub async fn has_roles(&self) -> Result<bool, Error> {
        self.has_groups(GROUPS.into_iter().filter(|group| *group != SITE)).await
    }

    /// Whether that one is.
    pub async fn has_site_role(&self) -> Result<bool, Error> {
        self.has_groups([SITE].into_iter()).await
    }

    async fn has_groups(&self, needed: impl Iterator<Item = &'static str>) -> Result<bool, Error> {
        let needed: Vec<String> = needed.map(ToOwned::to_owned).collect();
        // Not a checked query: what it reads is the server's own.
        Ok(sqlx::query_scalar(
            "select count(*) = $1 from pg_roles where rolname = any(
                select current_database() || '_' || name from unnest($2::text[]) as name
            )",
        )
        .bind(i64::try_from(needed.len()).unwrap_or(i64::MAX))
        .bind(needed)
        .fetch_one(self.pool())
        .await?)
    }
}

fn fill(database: &str, schema: &str) -> Result<String, Error> {
    for name in [database, schema] {
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        let longest = GROUPS.iter().map(|group| group.len() + 1).max().unwrap_or_default() + name.len();
        if !is_plain || longest > NAME_MAX {
            return Err(Error::Other(plain(&format!(
                "roles cannot be named after \"{name}\": it takes letters, digits, _ and -, and at most {NAME_MAX} \
                 characters with what is added"
            ))));
        }
    }
    let all = |names: &[&str], around: [&str; 2]| {
        names.iter().map(|name| format!("{}@schema.{name}{}", around[0], around[1])).collect::<Vec<_>>().join(", ")
    };
    let lines = SQL.lines().flat_map(|line| {
        let of_each = TABLES.map(|table| line.replace("@each", table));
        if line.contains("@each") { of_each.to_vec() } else { vec![line.to_owned()] }
    });
    let mut sql = lines.collect::<Vec<_>>().join("\n");
    sql = sql.replace("@functions", &format!("array[{}]", all(&FUNCTIONS, ["'", "'"])));
    sql = sql.replace("@all_tables", &all(&TABLES, [""; 2])).replace("@tables", &TABLES.join(","));
    sql = sql.replace("@database", &format!("\"{database}\"")).replace("@schema", &format!("\"{schema}\""));
    for group in GROUPS {
        sql = sql.replace(&format!("@{group}"), &format!("\"{database}_{group}\""));
    }
    Ok(sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_it_is_for() {
        let sql = fill("desk-1", "mail").unwrap_or_default();
        assert!(sql.contains(r#"on schema "mail" to "desk-1_owner""#), "{sql}");
        assert!(!sql.contains('@'), "{sql}");
        for odd in ["a\"b", "a'b", "a b", "", &"x".repeat(60)] {
            assert!(fill(odd, "public").is_err() || odd.is_empty(), "{odd}");
        }
    }
}
