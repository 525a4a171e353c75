-- :people users after two months in which one of them signed up every few seconds, with a mail and an event or more each. Of ten, seven
-- are verified, one is revoked and two are open, expired but for those of the last three days. Every twentieth mail bounced.

create temp table people as
select
    n,
    now() - (:people - n) * (interval '60 days' / :people) - interval '1 hour' as at,
    ('{gmail.com,naver.com,daum.net,example.com,kakao.com,outlook.com,hanmail.net,example.net}'::text[])[1 + n % 8] as domain
from generate_series(1, :people) as n;

-- Identifiers in the order of their making, as those of version 7.
alter table people add id uuid;
update people set id = (
    lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7000' || '8' || lpad(to_hex(n), 15, '0')
)::uuid;

insert into users (id, email, name, locale, created_at, verified_at) overriding system value
select
    n, 'user' || n || '@' || domain,
    case when n % 2 = 0
        then substr('김이박최정강조윤장임한오서신권황안송전홍', 1 + n / 2 % 20, 1) || substr('미민서지하준도예수윤', 1 + n / 40 % 10, 1)
            || substr('나준연우영호경희아빈', 1 + n / 400 % 10, 1)
        else ('{Mina,Joon,Ada,Grace,Alan}'::text[])[1 + n / 2 % 5] || ' ' || ('{Kim,Park,Lovelace,Hopper,Turing}'::text[])[1 + n / 10 % 5]
    end,
    case when n % 3 = 0 then 'en' else 'ko' end, at, case when n % 10 < 7 then at + interval '30 seconds' end
from people;

insert into verifications (id, user_id, created_at, expires_at, verified_at, revoked_at, opened_at, key_nonce, key_digest)
overriding system value
select
    n, n, at, at + interval '3 days',
    case when n % 10 < 7 then at + interval '30 seconds' end, case when n % 10 = 7 then at + interval '50 minutes' end,
    case when n % 10 < 7 then at + interval '30 seconds' end,
    substring(sha256(int8send(n)) for 16), sha256(int8send(n))
from people;

-- Twenty finished jobs have made a mail of every tenth.
insert into jobs (id, created_at, created_by, origin, status, cut_off, state, starts_at, ended_at, found, looked_at, queued)
select
    ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, now() - n * interval '1 day', 'mina', 'console', 'pending',
    now() - n * interval '1 day', 'done', now() - n * interval '1 day', now() - n * interval '1 day', :people / 200, :people / 200,
    :people / 200
from generate_series(1, 20) as n;

insert into sends (
    id, verification_id, user_id, recipient, locale, state, fate, queued_at, due_at, changed_at, attempts, ses_id, reply, reason, job_id
)
select
    id, n, n, 'user' || n || '@' || domain, 'ko', state, nullif(state, 'failed'), at, at, at + interval '2 seconds', 1,
    case when state <> 'failed' then '0100' || lpad(to_hex(n), 12, '0') || '-000000' end,
    case state when 'failed' then '554 5.7.1 No' else '250 Ok' end, case when state in ('failed', 'bounced') then 'No such mailbox.' end,
    case when n % 10 = 3 then ('00000000-0000-7000-8000-' || lpad(to_hex(1 + n / 10 % 20), 12, '0'))::uuid end
from people
cross join lateral (
    select case when n % 20 = 1 then 'bounced' when n % 1000 = 2 then 'complained' when n % 500 = 4 then 'failed' else 'delivered' end
) as fate (state)
order by n;

insert into send_messages (send_id, ses_id, attempt, fate, against_us)
select id, ses_id, 1, case state when 'delivered' then 4 when 'bounced' then 5 else 6 end, state in ('bounced', 'complained')
from sends
where ses_id is not null
on conflict do nothing;

select make_event_partitions(now() - w * interval '7 days') from generate_series(0, 9) as w;

insert into ses_events (id, received_at, occurred_at, kind, send_id, ses_id, attempt, recipients, detail, fate, against_us, source)
select
    id, changed_at, changed_at, case state when 'delivered' then 'Delivery' when 'bounced' then 'Bounce' else 'Complaint' end, id, ses_id, 1,
    array[recipient], 'smtp; 250 ok', case state when 'delivered' then 4 when 'bounced' then 5 else 6 end,
    state in ('bounced', 'complained'), 'sqs'
from sends
where ses_id is not null;

insert into ses_event_keys (key, received_at) select 'event ' || n, at from people;

insert into address_states (address, takes_at, hard_at, complained_at)
select
    recipient, case when state = 'delivered' then changed_at end, case when state = 'bounced' then changed_at end,
    case when state = 'complained' then changed_at end
from sends
where state <> 'failed';

insert into audit_log (at, actor, origin, action, outcome, user_id, verification_id)
select at, 'site', 'api', 'sign_up', 'done', n, n from people
union all
select at + interval '30 seconds', 'link', 'web', 'open_link', 'verified', n, n from people where n % 10 < 7
union all
select at + interval '40 seconds', 'mina', 'console', 'resend', 'done', n, n from people where n % 100 = 9
order by 1;

-- A tenth of a job's people were left out.
insert into job_skips (job_id, verification_id, user_id, reason)
select j.id, n, n, 'cool_down'
from jobs as j cross join generate_series(1, :people / 2000) as n;

-- The site was told of everyone who has verified within 30 days. Another one was down for some days and is again: it waits for
-- what came of late, and what came before was given up.
insert into webhook_endpoints (name, place, delivered_at, failing_since, error)
values ('site', 'http://127.0.0.1', now(), null, null), ('ill', 'http://127.0.0.1', null, now() - interval '1 day', 'it answered 500');

insert into webhook_messages (at, kind, user_id, body)
select
    at, 'user.verified', n,
    json_build_object('type', 'user.verified', 'timestamp', webhook_time(at), 'data', json_build_object('user_id', n))::text
from people
where n % 10 < 7 and at > now() - interval '30 days'
order by n;

insert into webhook_deliveries (message_id, endpoint, user_id, state, attempts, due_at, tried_since, changed_at, status, error)
select
    id, name, user_id, state, 1, case when name = 'ill' then now() + interval '1 hour' else at end, at, at, case when state = 'delivered' then 200 end,
    case when state = 'given_up' then 'it answered 500' end
from webhook_messages
cross join (values ('site'), ('ill')) as e (name)
cross join lateral (
    select case
        when name = 'site' and at > now() - interval '1 hour 2 minutes' then 'waiting'
        when name = 'ill' and at > now() - interval '2 days' then 'waiting'
        when name = 'ill' and at > now() - interval '4 days' then 'given_up'
        else 'delivered'
    end
) as told (state);

insert into pace_minutes (minute, drawn)
select date_trunc('minute', now()) - n * interval '1 minute', 23 from generate_series(1, 1440) as n;

update verification_counts set (open, verified, revoked) = (
    select
        count(*) filter (where verified_at is null and revoked_at is null), count(verified_at), count(revoked_at)
    from verifications
);

select
    setval(pg_get_serial_sequence('users', 'id'), :people), setval(pg_get_serial_sequence('verifications', 'id'), :people);

drop table people;
vacuum analyze;
