//! What this login may do, asked of the database itself.

use super::{Error, Store};
use crate::domain::right::{Right, Rights};

impl Store {
    /// The rights that its role gives this login.
    pub async fn rights(&self) -> Result<Rights, Error> {
        // What is not there, since the database is of another version, may not be done either.
        let row = sqlx::query!(
            r#"select
                current_user::text as "role!",
                current_database()::text as "database!",
                current_setting('transaction_read_only')::boolean as "is_read_only!",
                array[
                    has_function_privilege(to_regprocedure('queue_mail(uuid, bigint, smallint)'), 'execute')
                        and has_column_privilege('audit_log', 'action', 'insert'),
                    has_column_privilege('users', 'email', 'insert'),
                    has_function_privilege(
                        to_regprocedure('force_verify(bigint, text, text, text, double precision)'), 'execute'),
                    has_function_privilege(to_regprocedure('unverify(bigint, text, text, text)'), 'execute'),
                    has_function_privilege(to_regprocedure('revoke_verification(bigint, text, text, text)'), 'execute'),
                    has_function_privilege(
                        to_regprocedure('extend_verification(bigint, text, text, text, double precision)'), 'execute'),
                    has_function_privilege(to_regprocedure('change_address(bigint, text, text, text, text)'), 'execute'),
                    has_function_privilege(
                        to_regprocedure('delete_user(bigint, bigint, text, text, text, double precision)'), 'execute'),
                    has_table_privilege('jobs', 'insert'),
                    has_table_privilege('brake', 'update') and has_table_privilege('refused_sends', 'delete'),
                    has_column_privilege('sns_subscriptions', 'approved_at', 'update'),
                    has_column_privilege('sends', 'test_of', 'insert'),
                    has_function_privilege(to_regprocedure('retry_webhooks(text, uuid, text, text)'), 'execute'),
                    has_function_privilege(
                        to_regprocedure('queue_account_act(text, text, text, bigint, text, text, text)'), 'execute'),
                    has_function_privilege(to_regprocedure('queue_identity(text, text, text, text)'), 'execute')
                ] as "may!: Vec<Option<bool>>""#
        )
        .fetch_one(self.pool())
        .await?;
        let may = Right::ALL.into_iter().zip(row.may).filter(|(_, may)| *may == Some(true)).map(|(right, _)| right);
        Ok(Rights {
            role: row.role.into(),
            database: row.database.into(),
            is_read_only: row.is_read_only,
            may: may.collect(),
        })
    }
}
