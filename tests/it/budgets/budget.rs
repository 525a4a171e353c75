//! How many buffers of 8 kB a statement may read.

/// A page of rows by an index and what is shown beside each, or an act on one user by a session that has read nothing of
/// the system's catalogues yet.
const USUAL: i64 = 4_000;

/// The largest part of a job that is done at once, of which each user takes a few rows of some tables.
const CHUNK: i64 = 60_000;

/// Parts of a statement that no other has together, what it may read, and why it is that much.
const EXCEPTIONS: &[(&[&str], i64, &str)] = &[
    (&["as looked_at,"], 2 * CHUNK, "a slice of a walk along a list, as long as 0.1 s or so; then progress is told"),
    (
        &["s.id from (select * from sends where user_id = any($1)"],
        CHUNK,
        "the mails of 20,000 users that a search names",
    ),
    (
        &["with page as", "v.user_id = any($1)"],
        2 * CHUNK,
        "the verifications of up to 20,000 users that a search names",
    ),
    (&["with page as", "limit"], 12_000, "up to 200 rows"),
    (&["with page as", "v.id = any($1)"], 12_000, "the rows of a walk"),
    (&["select found.*"], 16_000, "the mails in a state that have ended since"),
    (&["select s.verification_id from sends s where"], 16_000, "the mails in a state that have ended since"),
    (&["coalesce(array_agg(id)", "as fitting"], 16_000, "a sample, to tell how many a search names"),
    (&["with found as", "count(*)"], 250_000, "counts up to a bound, or plans a job: about 20 for each user in it"),
    (&["as \"opened!\""], 50_000, "a job's mails, each with its verification; a screen waits 400 ms for it"),
    (&["as counted"], 150_000, "counts of a screen's tabs or days, each up to a bound; a screen waits 400 ms for them"),
    (&["as \"open!\""], 8_000, "the queued mails of each job, counted"),
    (&["with last as", "as people"], 12_000, "up to a thousand of the last mails of each state"),
    (&["with last as"], 250_000, "the mails that the brake counts; once a day where it is looked for the oldest"),
    (&["prune_sends"], CHUNK, "a thousand mails are removed"),
    (&["delete from ses_event_keys"], CHUNK, "ten thousand keys are removed"),
    (&["update sends set state", "job_id"], CHUNK, "all mails of a job are cancelled"),
    (&["unnest("], CHUNK, "many rows are made"),
    (&["where id = any($1)"], CHUNK, "many rows are changed"),
    (&["take_events"], 8_000, "forty events"),
    (&["set lease_until = now()", "id = any ($2) and lease_by = $1"], 20_000, "what a worker has at this moment"),
    (&["from retry_webhooks("], 200_000, "ten thousand messages wait again, each with those about its user"),
    (&["as by_mail"], 40_000, "the newest 2,000 links, each with its mails"),
    (&["as before"], 30_000, "those of a job whose turn is still to come are counted"),
];

/// Parts of statements that need not be executed, and why they read little whatever the size.
const UNREAD: &[(&str, &str)] = &[
    ("alerts", "a row for each thing that is wrong"),
    ("alert_", "one row, and a few for each alert"),
    ("note_notice(", "one row"),
    ("note_worker_notice(", "one row"),
    ("ses_account", "one row"),
    ("as \"address!\" from newest n", "a bounded number of the newest mails; asked where there is an account"),
    ("account_panels", "a row for each thing that is asked"),
    ("account_act", "a thousand acts wait at most, by an index of those that do; one by its key, or by its address"),
    ("queue_look_up(", "the same"),
    ("queue_identity(", "the same"),
    ("suppression_reading", "one row, and ten thousand addresses at most"),
    ("suppression_list", "ten thousand addresses at most, twice that while they are read"),
    ("identities", "a row for each domain that is not verified yet, forgotten after a week"),
    ("update address_states", "one address"),
    ("select send_id from send_messages where ses_id = $1 ) as named", "one mail, by indexes"),
    ("idempotency_keys", "by primary key, and ten thousand of the oldest by their index"),
    ("sns_subscriptions", "a row for each topic"),
    ("sns_refusals", "a row for each day and reason"),
    ("event_queues", "a row for each queue"),
    ("update pace set", "one row"),
    ("update brake", "one row, and the mails of the domains that refuse"),
    ("show_serve(", "one of a hundred rows at most"),
    ("where id = $1", "by primary key"),
    ("where id = any($1)", "by primary key"),
    ("id = any ($2) and lease_by = $1", "by primary key"),
    ("state = 'sending' and lease_by = $1", "what a worker was sending when it ended"),
    ("s.id = given.id", "by primary key"),
    ("insert into suppressions", "one address"),
    ("with gate as", "the first of the mails that are due"),
    ("from open_links(", "links that are opened together, each as one by itself"),
    ("min(id)", "the ends of an index"),
];

/// Whether a statement may go unexecuted.
pub fn may_be_unread(query: &str) -> bool {
    let query = query.split_whitespace().collect::<Vec<_>>().join(" ");
    UNREAD.iter().any(|(part, _)| query.contains(part))
}

pub fn of(query: &str) -> i64 {
    let query = query.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_it = |parts: &&[&str]| parts.iter().all(|part| query.contains(part));
    EXCEPTIONS.iter().find(|(parts, ..)| is_it(parts)).map_or(USUAL, |(_, budget, _)| *budget)
}
