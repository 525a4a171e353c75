//! Nothing arrives at a domain, or no one there opens their link.

use super::*;

/// Mails of that many hours ago to so many people at a domain, all in this state. `series` distinguishes their ids.
async fn mails(told: &Told, series: u8, hours: u8, people: i64, domain: &str, state: &str) {
    let statement = format!(
        "insert into sends (id, recipient, locale, state, reason)
        select
            (lpad(to_hex((extract(epoch from now() - interval '{hours} hours') * 1000)::bigint), 12, '0')
                || '70008' || lpad(to_hex({series} * 100000 + n), 15, '0'))::uuid,
            'user' || n || '@{domain}', 'en', '{state}', 'of the test'
        from generate_series(1, {people}) as n"
    );
    told.site.execute(&statement).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_where_nothing_arrives_begins_and_ends_once() {
    let nothing = (Judged::default(), vec![]);
    let told = Told::by(KEEP).await;
    let watches = [told.watch(), told.watch()];
    mails(&told, 1, 3, 19, "Silent.example", "accepted").await;
    mails(&told, 2, 3, 40, "other.example", "delivered").await;
    mails(&told, 3, 3, 35, "other.example", "accepted").await;
    assert_eq!(told.both(&watches).await, nothing, "few people");
    mails(&told, 4, 1, 20, "silent.example", "accepted").await;
    assert_eq!(told.both(&watches).await, nothing, "more, and they may still come");
    mails(&told, 5, 25, 30, "silent.example", "accepted").await;
    assert_eq!(told.both(&watches).await, nothing, "and some of yesterday");
    mails(&told, 6, 3, 30, "other.example", "delayed").await;
    told.site.execute("update sends set recipient = 'user20@silent.example' where id = (select max(id::text)::uuid from sends where state = 'delayed')").await;
    assert_eq!(told.both(&watches).await, nothing, "little arrives anywhere");
    told.site.execute("delete from sends where state = 'delayed' and recipient like '%@other.example'").await;
    begin(&told, &watches, "nothing_arrives").await;

    told.site.execute("delete from sends where recipient = 'user20@silent.example' and state = 'delayed'").await;
    assert_eq!(told.both(&watches).await, nothing, "it goes on with fewer");
    mails(&told, 7, 1, 1, "silent.example", "delivered").await;
    end(&told, &watches, "nothing_arrives").await;

    told.site.execute("delete from sends where lower(recipient) like '%@silent.example'").await;
    mails(&told, 8, 4, 25, "silent.example", "bounced").await;
    begin(&told, &watches, "nothing_arrives").await;
    told.site.execute("delete from sends where lower(recipient) like '%@silent.example'").await;
    end(&told, &watches, "nothing_arrives").await;
    let messages = told.messages();
    let first = [&messages[0]["subject"], &messages[0]["summary"]];
    assert_eq!(first, ["silent.example", "none of 20 mails to silent.example has arrived, but 40 of 75 to others"]);
}

/// So many people at a domain who signed up that many hours ago, each with a mail in this state.
async fn links(told: &Told, hours: u8, people: i64, domain: &str, state: &str, opened: &str) {
    let statement = format!(
        "with people as (
            insert into users (email) select 'user{hours}.' || n || '@{domain}' from generate_series(1, {people}) as n returning id
        ), links as (
            insert into verifications (user_id, key_nonce, created_at, expires_at, opened_at)
            select id, decode(repeat('00', 16), 'hex'), now() - interval '{hours} hours', now() + interval '2 days', {opened}
            from people
            returning id
        )
        insert into sends (id, verification_id, recipient, locale, state, reason)
        select gen_random_uuid(), id, 'user@example.com', 'en', '{state}', 'of the test' from links"
    );
    told.site.execute(&statement).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_where_no_link_is_opened_begins_and_ends_once() {
    let nothing = (Judged::default(), vec![]);
    let told = Told::by(KEEP).await;
    let watches = [told.watch(), told.watch()];
    links(&told, 4, 19, "Spam.example", "accepted", "null").await;
    links(&told, 4, 30, "other.example", "delivered", "now()").await;
    links(&told, 4, 80, "third.example", "delivered", "null").await;
    links(&told, 5, 1, "third.example", "delivered", "now()").await;
    assert_eq!(told.both(&watches).await, nothing, "few people");
    links(&told, 1, 20, "spam.example", "accepted", "null").await;
    assert_eq!(told.both(&watches).await, nothing, "more, and they may still open it");
    links(&told, 25, 20, "spam.example", "accepted", "null").await;
    assert_eq!(told.both(&watches).await, nothing, "and some of yesterday");
    links(&told, 5, 20, "spam.example", "failed", "null").await;
    assert_eq!(told.both(&watches).await, nothing, "and some who were not mailed");
    links(&told, 6, 1, "spam.example", "accepted", "null").await;
    assert_eq!(told.both(&watches).await, nothing, "few open theirs anywhere");
    links(&told, 6, 20, "other.example", "delivered", "now()").await;
    begin(&told, &watches, "nothing_opened").await;
    let summary = &told.messages()[0]["summary"];
    assert_eq!(summary, "none of 20 links mailed to spam.example was opened, but 51 of 131 elsewhere");

    links(&told, 2, 1, "Spam.example", "delivered", "now()").await;
    end(&told, &watches, "nothing_opened").await;
}
