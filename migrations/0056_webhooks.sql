-- Webhooks: what the site's back end is told, and where. A message is written by the transaction that makes it true, by
-- triggers on what all acts write: whoever acts, from whatever program, and whatever that program's settings know. Workers
-- deliver it (src/hooks). Its body is text and never made again, so that every attempt is the same to the byte.

-- Where the site is told, by the names that the settings of workers have for it. Workers keep the rows; addresses and secrets
-- stay in their settings. Without a row nothing is written.
create table webhook_endpoints (
    name text primary key,
    -- Its scheme and host, to be shown.
    place text not null,
    since timestamptz not null default now(),
    -- When a worker last had it in its settings.
    seen_at timestamptz not null default now(),
    -- It answered that it wants nothing any more.
    disabled_at timestamptz,
    delivered_at timestamptz,
    -- Since when nothing is taken there, and what was wrong last; null while it takes messages.
    failing_since timestamptz,
    error text,
    constraint webhook_endpoints_name check (name ~ '^[a-z0-9][a-z0-9_-]{0,31}$'),
    constraint webhook_endpoints_texts check (char_length(place) <= 300 and char_length(error) <= 500)
);

create table webhook_messages (
    -- Their order. Messages about one user are ordered by the lock on the user's row.
    id bigint generated always as identity primary key,
    -- What the receiver knows it by. Not the number: a restored dump gives numbers out again.
    uid uuid not null default gen_random_uuid(),
    at timestamptz not null default now(),
    kind text not null,
    -- Who is erased is erased here as well. Null for tests.
    user_id bigint references users on delete cascade,
    body text not null
);
create unique index webhook_messages_uid on webhook_messages (uid);
create index webhook_messages_user on webhook_messages (user_id, id);
create index webhook_messages_at on webhook_messages (at);

-- What becomes of each message at each endpoint.
create table webhook_deliveries (
    -- No foreign keys. Where many users change in one statement, a check that was planned while there were no messages would
    -- read all that came since, for each of them; and every opening of a link would lock the endpoint's row.
    message_id bigint not null,
    endpoint text not null,
    user_id bigint,
    state text not null default 'waiting',
    attempts integer not null default 0,
    -- When it is tried next; while it is being tried, when another may try it.
    due_at timestamptz not null default now(),
    tried_since timestamptz,
    changed_at timestamptz not null default now(),
    -- The last answer: its status, and what was wrong.
    status smallint,
    error text,
    primary key (message_id, endpoint),
    constraint webhook_deliveries_state check (state in ('waiting', 'delivered', 'given_up')),
    constraint webhook_deliveries_error check (char_length(error) <= 500)
);
create index webhook_deliveries_due on webhook_deliveries (endpoint, due_at) where state = 'waiting';
create index webhook_deliveries_order on webhook_deliveries (endpoint, user_id, message_id) where state = 'waiting';
-- What is not over well: the oldest of what waits, and what was given up.
create index webhook_deliveries_open on webhook_deliveries (endpoint, state, message_id) where state <> 'delivered';

-- With a message goes what became of it.
create function forget_webhook_deliveries() returns trigger language plpgsql security definer as $$
begin
    delete from webhook_deliveries where message_id in (select id from gone);
    return null;
end
$$;
create trigger webhook_messages_forgotten after delete on webhook_messages
    referencing old table as gone
    for each statement execute function forget_webhook_deliveries();

-- The endpoints that are told. One that no worker has had in its settings for 30 days is not: it was taken out of them, and
-- what waits for it would only grow.
create function told_endpoints() returns setof text language sql stable as $$
    select name from webhook_endpoints where disabled_at is null and seen_at > now() - interval '30 days'
$$;

-- A moment as all messages have it.
create function webhook_time(moment timestamptz) returns text language sql stable as $$
    select to_char(moment at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- Writes a message for every endpoint. Its data has no nulls, and never a key.
create function write_webhook(kind text, about bigint, moment timestamptz, data json) returns void
language plpgsql as $$
declare
    message bigint;
begin
    insert into webhook_messages (kind, user_id, body)
    values (
        kind,
        about,
        json_strip_nulls(json_build_object('type', kind, 'timestamp', webhook_time(moment), 'data', data))::text
    )
    returning id into message;
    insert into webhook_deliveries (message_id, endpoint, user_id)
    select message, name, about from told_endpoints() as name;
end
$$;

-- Tells that a user is verified, or is not any more. When the transaction ends: by then its entry in the audit log says who
-- did it, and the row is as it stays; what it was in between is not told. What is written past all acts, as by a site that
-- shares the database, has no entry.
create function tell_of_user() returns trigger language plpgsql security definer as $$
declare
    known record;
    entry record;
begin
    if not exists (select from told_endpoints()) then
        return null;
    end if;
    select u.email, u.verified_at
    into known
    from users u
    where u.id = new.id and u.verified_at is not distinct from new.verified_at;
    if not found then
        return null;
    end if;
    select a.action, a.verification_id
    into entry
    from audit_log a
    where
        a.user_id = new.id
        and a.at = now()
        and a.action in ('open_link', 'force_verify', 'unverify', 'change_address', 'undo')
    order by a.id desc
    limit 1;
    perform write_webhook(
        case when known.verified_at is null then 'user.unverified' else 'user.verified' end,
        new.id,
        coalesce(known.verified_at, now()),
        json_build_object(
            'user_id', new.id,
            'email', known.email,
            'verification_id', entry.verification_id,
            'verified_at', webhook_time(known.verified_at),
            'cause', case
                when entry.action = 'open_link' then 'link'
                when entry.action is null then 'other'
                else 'operator'
            end
        ));
    return null;
end
$$;
create constraint trigger users_tell after update of verified_at on users
    deferrable initially deferred
    for each row when (old.verified_at is distinct from new.verified_at) execute function tell_of_user();

-- Tells that an address bounced for good, that its reader complained, or that it is on SES's suppression list: each time
-- that is reported, unless the address has taken a mail since. Who is being erased at this moment is passed by: that holds
-- the user's row and waits for the address's, which is held here.
create function tell_of_address() returns trigger language plpgsql security definer as $$
declare
    since timestamptz := coalesce(new.takes_at, '-infinity');
begin
    if not exists (select from told_endpoints()) then
        return null;
    end if;
    -- For a new row all that was before is null.
    perform write_webhook(
        told.kind,
        u.id,
        told.moment,
        json_build_object(
            'user_id', u.id,
            'email', u.email,
            'occurred_at', webhook_time(told.moment),
            'cause', told.cause
        ))
    from (
        values
            ('address.suppressed', new.suppressed_at, new.suppressed_at > since, old.suppressed_at,
                case when exists (
                    select
                    from suppressions s
                    where s.address = new.address and s.reason is not null and s.checked_at = new.suppressed_at
                ) then 'list' else 'mail' end),
            ('address.bounced', new.hard_at, new.hard_at > since, old.hard_at, 'mail'),
            ('address.complained', new.complained_at, true, old.complained_at, 'mail')
    ) as told (kind, moment, holds, before, cause)
    cross join (
        select id, email from users where lower(email) = new.address for key share skip locked
    ) u
    where told.moment is not null and told.moment is distinct from told.before and told.holds
    order by told.moment;
    return null;
end
$$;
create trigger address_states_tell_new after insert on address_states
    for each row when (coalesce(new.hard_at, new.suppressed_at, new.complained_at) is not null)
    execute function tell_of_address();
create trigger address_states_tell after update on address_states
    for each row when (
        (old.hard_at, old.suppressed_at, old.complained_at)
            is distinct from (new.hard_at, new.suppressed_at, new.complained_at)
    )
    execute function tell_of_address();

-- Writes a message that tells nothing, for one endpoint, and is due before all others; also where that was disabled, which
-- it ends. Null where there is none of that name.
create function queue_webhook_test(target text, who text, door text) returns uuid
language plpgsql security definer as $$
declare
    message bigint;
    known uuid;
begin
    update webhook_endpoints e set disabled_at = null where e.name = target;
    if not found then
        return null;
    end if;
    insert into webhook_messages (kind, body)
    values (
        'webhook.test',
        json_build_object('type', 'webhook.test', 'timestamp', webhook_time(now()), 'data', json_build_object())::text
    )
    returning id, uid into message, known;
    insert into webhook_deliveries (message_id, endpoint, due_at) values (message, target, now() - interval '7 days');
    insert into audit_log (actor, origin, action, outcome, reason) values (who, door, 'test_webhook', 'done', target);
    return known;
end
$$;

-- Has what was given up tried again: one message, or as many as go into a transaction. Where a later message has told an
-- endpoint how a user stands, an older one would tell it what is not so any more: it stays given up.
create function retry_webhooks(
    target text, message uuid, who text, door text, out outcome text, out retried bigint
) language plpgsql security definer as $$
declare
    whose bigint;
begin
    retried := 0;
    select case when e.disabled_at is null then 'none' else 'disabled' end
    into outcome
    from webhook_endpoints e
    where e.name = target;
    if not found then
        outcome := 'no_endpoint';
    end if;
    if outcome <> 'none' then
        return;
    end if;
    with given_up as (
        select d.message_id
        from webhook_deliveries d
        join webhook_messages m on m.id = d.message_id
        where
            d.endpoint = target
            and d.state = 'given_up'
            and (message is null or m.uid = message)
            and not exists (
                select
                from webhook_messages later
                join webhook_deliveries told on told.message_id = later.id and told.endpoint = target
                where
                    m.kind like 'user.%'
                    and later.user_id = m.user_id
                    and later.id > m.id
                    and later.kind like 'user.%'
                    and told.state = 'delivered'
            )
        order by d.message_id
        limit 10000
        for update of d skip locked
    ),
    again as (
        update webhook_deliveries d
        set state = 'waiting', attempts = 0, tried_since = null, due_at = now(), changed_at = now()
        from given_up
        where d.endpoint = target and d.message_id = given_up.message_id
        returning d.user_id
    )
    select count(*), max(user_id) into retried, whose from again;
    if retried > 0 then
        outcome := 'done';
        insert into audit_log (actor, origin, action, outcome, reason, user_id)
        values (
            who, door, 'retry_webhooks', outcome,
            case when message is null then format('%s: %s', target, retried) else target end,
            case when message is not null then whose end
        );
    elsif message is not null then
        select case when d.state = 'given_up' then 'overtaken' else d.state end
        into outcome
        from webhook_messages m
        join webhook_deliveries d on d.message_id = m.id and d.endpoint = target
        where m.uid = message;
        outcome := coalesce(outcome, 'no_message');
    end if;
end
$$;

do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'forget_webhook_deliveries()', 'tell_of_user()', 'tell_of_address()', 'queue_webhook_test(text, text, text)',
        'retry_webhooks(text, uuid, text, text)'
    ] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
    end loop;
    foreach pinned in array array[
        'told_endpoints()', 'write_webhook(text, bigint, timestamptz, json)', 'webhook_time(timestamptz)',
        'forget_webhook_deliveries()', 'tell_of_user()', 'tell_of_address()', 'queue_webhook_test(text, text, text)',
        'retry_webhooks(text, uuid, text, text)'
    ] loop
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
