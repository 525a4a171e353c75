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
    message_id bigint not null references webhook_messages on delete cascade,
    -- No foreign key: every opening of a link would lock the endpoint's row.
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
create index webhook_deliveries_given_up on webhook_deliveries (endpoint, message_id) where state = 'given_up';

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
language sql as $$
    with message as (
        insert into webhook_messages (kind, user_id, body)
        values (
            kind,
            about,
            json_strip_nulls(json_build_object('type', kind, 'timestamp', webhook_time(moment), 'data', data))::text
        )
        returning id
    )
    insert into webhook_deliveries (message_id, endpoint, user_id)
    select message.id, name, about from message cross join told_endpoints() as name
$$;

-- Tells that a user is verified, or is not any more. When the transaction ends: by then its entry in the audit log says who
-- did it, and the row is as it stays. What is written past all acts, as by a site that shares the database, has no entry.
create function tell_of_user() returns trigger language plpgsql security definer as $$
declare
    known record;
    entry record;
begin
    if not exists (select from told_endpoints()) then
        return null;
    end if;
    select u.email, u.verified_at into known from users u where u.id = new.id;
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
-- that is reported, unless the address has taken a mail since.
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
    join users u on lower(u.email) = new.address
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

-- Writes a message that tells nothing, for one endpoint; also where that was disabled, which it ends. Null where there is
-- none of that name.
create function queue_webhook_test(target text) returns uuid language plpgsql security definer as $$
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
    insert into webhook_deliveries (message_id, endpoint) values (message, target);
    return known;
end
$$;

do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'tell_of_user()', 'tell_of_address()', 'queue_webhook_test(text)'
    ] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
    end loop;
    foreach pinned in array array[
        'told_endpoints()', 'write_webhook(text, bigint, timestamptz, json)', 'webhook_time(timestamptz)',
        'tell_of_user()', 'tell_of_address()', 'queue_webhook_test(text)'
    ] loop
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
