//! The rules that the database itself keeps.

use crate::support::TestDb;

#[tokio::test]
async fn one_account_an_address() {
    let db = TestDb::new().await;
    assert!(db.url.contains("/test_"), "{}", db.url);
    sqlx::query("insert into users (email) values ('mina@example.com')").execute(&db.pool).await.unwrap();
    let again = sqlx::query("insert into users (email) values ('Mina@Example.com')").execute(&db.pool).await;
    assert_eq!(constraint(&again), "users_email_key");
}

fn constraint<T>(result: &Result<T, sqlx::Error>) -> String {
    match result {
        Err(sqlx::Error::Database(error)) => error.constraint().unwrap_or_default().to_owned(),
        _ => String::new(),
    }
}
