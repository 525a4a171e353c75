-- What SES reports afterwards. Each event is stored as it comes, then a send is found for it; one that no send is found
-- for is an orphan. The table of before was written by demos only.
drop table send_events;

-- Append-only, by week: pruning drops partitions. No foreign key: an event may come before what it is about is committed.
create table ses_events (
    id uuid not null,
    received_at timestamptz not null default now(),
    occurred_at timestamptz not null,
    -- In SES's words: Bounce, Permanent/General.
    kind text not null,
    sub_kind text not null default '',
    -- Null for an orphan.
    send_id uuid,
    ses_id text not null,
    -- Which mail of the send its tag names.
    attempt smallint,
    recipients text[] not null default '{}',
    -- What the receiving server said, or SES.
    detail text not null default '',
    until timestamptz,
    -- What follows from it (src/domain/event.rs).
    fate smallint,
    against_us boolean not null default false,
    mark text,
    -- How it came.
    source text not null,
    body jsonb,
    primary key (id, received_at),
    constraint ses_events_kind_length check (char_length(kind) between 1 and 2000),
    constraint ses_events_source_known check (source in ('sqs', 'sns', 'import', 'simulated')),
    constraint ses_events_times_bounded check (
        least(occurred_at, received_at, until) >= '0001-01-01 00:00:00+00'
        and greatest(occurred_at, received_at, until) < '10000-01-01 00:00:00+00')
) partition by range (received_at);
create index ses_events_send on ses_events (send_id, occurred_at) where send_id is not null;
create index ses_events_orphan on ses_events (received_at, id) where send_id is null;
create index ses_events_orphan_recipients on ses_events using gin (recipients) where send_id is null;
create index ses_events_received on ses_events (received_at, id);

-- The same event often comes twice: what tells it from all others, for some days.
create table ses_event_keys (
    key text primary key,
    received_at timestamptz not null default now()
);
create index ses_event_keys_received on ses_event_keys (received_at);

-- The messages of a send that SES has reported on: one, or more where an answer was lost.
create table send_messages (
    send_id uuid not null references sends on delete cascade,
    ses_id text not null,
    attempt smallint,
    -- The greatest of all that was reported of it.
    fate smallint not null,
    against_us boolean not null,
    primary key (send_id, ses_id)
);

-- What events say of addresses, in lower case: when each was last so.
create table address_states (
    address text primary key,
    takes_at timestamptz,
    soft_at timestamptz,
    suppressed_at timestamptz,
    hard_at timestamptz,
    complained_at timestamptz
);

-- What SES reports of the send, of all its messages together; null until it does. From then on it is the state, but
-- while a worker is sending it.
alter table sends add column fate text;
alter table sends add column against_us boolean not null default false;
alter table sends add constraint sends_state_is_fate check (fate is null or state in ('sending', fate)) not valid;

-- Makes the partitions from this moment on to some weeks from now, where there are none. A partition is made aside and
-- attached: no one who reads or writes waits.
create function make_event_partitions(since timestamptz) returns void language plpgsql security definer as $$
declare
    home text := (select nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid
        where c.oid = 'ses_events'::regclass);
    week date;
    name text;
begin
    for week in select generate_series(date_trunc('week', since at time zone 'utc'),
        date_trunc('week', now() at time zone 'utc') + interval '3 weeks', interval '1 week')::date
    loop
        name := 'ses_events_' || to_char(week, 'YYYYMMDD');
        if to_regclass(format('%I.%I', home, name)) is null then
            -- One at a time; another process may have been faster.
            perform pg_advisory_xact_lock(hashtext('verifydesk event partitions'));
            if to_regclass(format('%I.%I', home, name)) is null then
                execute format('create table %I.%I (like %I.ses_events including defaults including constraints)',
                    home, name, home);
                execute format('alter table %I.ses_events attach partition %I.%I for values from (%L) to (%L)',
                    home, home, name, week::timestamp at time zone 'utc', (week + 7)::timestamp at time zone 'utc');
            end if;
        end if;
    end loop;
end
$$;

-- The state that these sends have by what SES reports of them. Locks them in the order of their ids, as all do that lock
-- many. What is being sent keeps its state until the result is recorded. Returns the verifications that changed.
create function settle_by_events(of uuid[]) returns setof bigint language plpgsql as $$
begin
    perform from sends where id = any(of) order by id for no key update;
    -- SES answered that it accepted this one, and may have reported nothing of it yet.
    insert into send_messages (send_id, ses_id, fate, against_us)
    select s.id, s.ses_id, 1, false
    from sends s
    where s.id = any(of) and s.ses_id is not null
    order by s.id
    on conflict do nothing;
    return query
    with chosen as (
        select distinct on (m.send_id)
            m.send_id,
            m.ses_id,
            (array['accepted', 'delayed', 'bounced', 'delivered', 'rejected', 'bounced', 'complained'])[m.fate] as fate,
            m.against_us
        from send_messages m
        where m.send_id = any(of)
        -- One called spam is; else the one that came furthest.
        order by m.send_id, array_position(array[7, 4, 2, 1, 6, 3, 5]::smallint[], m.fate)
    )
    update sends s
    set
        fate = chosen.fate,
        against_us = chosen.against_us,
        state = case when s.state = 'sending' then s.state else chosen.fate end,
        changed_at = case when s.state in ('sending', chosen.fate) then s.changed_at else now() end,
        ses_id = coalesce(s.ses_id, chosen.ses_id),
        -- Of one whose answer was lost it is known now what became.
        lost = case when s.state in ('unknown', 'queued') then greatest(s.lost - 1, 0) else s.lost end,
        retry_at = null,
        lease_by = case when s.state = 'sending' then s.lease_by end,
        lease_until = case when s.state = 'sending' then s.lease_until end
    from chosen
    where
        s.id = chosen.send_id
        and (s.fate is distinct from chosen.fate or s.against_us <> chosen.against_us)
    returning s.verification_id;
end
$$;

-- Takes up the fates of these events, which are stored and have their sends, and what they say of addresses.
create function apply_events(given jsonb) returns setof bigint language plpgsql as $$
begin
    insert into send_messages as m (send_id, ses_id, attempt, fate, against_us)
    select e.send_id, e.ses_id, max(e.attempt), max(e.fate), bool_or(e.against_us)
    from jsonb_to_recordset(given)
        as e (send_id uuid, ses_id text, attempt smallint, fate smallint, against_us boolean)
    where e.fate is not null
    group by e.send_id, e.ses_id
    order by e.send_id, e.ses_id
    on conflict (send_id, ses_id) do update
    set
        attempt = coalesce(m.attempt, excluded.attempt),
        fate = greatest(m.fate, excluded.fate),
        against_us = m.against_us or excluded.against_us;

    insert into address_states as a (address, takes_at, soft_at, suppressed_at, hard_at, complained_at)
    select
        address,
        max(e.occurred_at) filter (where e.mark = 'takes'),
        max(e.occurred_at) filter (where e.mark = 'soft'),
        max(e.occurred_at) filter (where e.mark = 'suppressed'),
        max(e.occurred_at) filter (where e.mark = 'hard'),
        max(e.occurred_at) filter (where e.mark = 'complained')
    from jsonb_to_recordset(given) as e (send_id uuid, recipients text[], mark text, occurred_at timestamptz)
    -- A deleted user's is forgotten.
    join sends s on s.id = e.send_id and s.user_id is not null
    cross join unnest(e.recipients) as address
    where e.mark is not null and lower(s.recipient) = address
    group by address
    order by address
    on conflict (address) do update
    set
        takes_at = greatest(a.takes_at, excluded.takes_at),
        soft_at = greatest(a.soft_at, excluded.soft_at),
        suppressed_at = greatest(a.suppressed_at, excluded.suppressed_at),
        hard_at = greatest(a.hard_at, excluded.hard_at),
        complained_at = greatest(a.complained_at, excluded.complained_at);

    return query
    select settle_by_events((
        select coalesce(array_agg(distinct e.send_id), '{}')
        from jsonb_to_recordset(given) as e (send_id uuid, fate smallint)
        where e.fate is not null
    ));
end
$$;

-- Takes events in, each once: stores them, finds their sends by our tag, else by SES's message id, and takes up what
-- follows. An event that was there before (any of its keys is) is left out. Returns how many were stored, how many of
-- these are orphans, and the verifications that changed.
create function take_events(given jsonb, out stored bigint, out orphans bigint, out changed bigint[])
language plpgsql security definer as $$
declare
    matched jsonb;
begin
    if to_regclass('ses_events_' || to_char(date_trunc('week', now() at time zone 'utc'), 'YYYYMMDD')) is null then
        perform make_event_partitions(now());
    end if;
    with events as materialized (
        select *
        from jsonb_to_recordset(given) as e (
            id uuid, occurred_at timestamptz, kind text, sub_kind text, send_id uuid, ses_id text, attempt smallint,
            recipients text[], detail text, until timestamptz, fate smallint, against_us boolean, mark text, source text,
            body jsonb, keys text[])
    ),
    keys as materialized (
        select distinct on (key) key, events.id from events cross join unnest(events.keys) as key order by key, events.id
    ),
    noted as (
        insert into ses_event_keys (key) select key from keys order by key on conflict do nothing returning key
    ),
    fresh as materialized (
        select events.*
        from events
        where not exists (
            select
            from unnest(events.keys) as own
            where not exists (
                select from noted join keys on keys.key = noted.key where noted.key = own and keys.id = events.id
            )
        )
    ),
    found as materialized (
        select
            fresh.*,
            coalesce(
                (select s.id from sends s where s.id = fresh.send_id),
                (select s.id from sends s where s.ses_id = fresh.ses_id order by s.id limit 1),
                (select m.send_id from send_messages m where m.ses_id = fresh.ses_id limit 1)
            ) as of_send
        from fresh
    ),
    -- A deleted user's address does not come back.
    forgotten as materialized (
        select distinct s.id from sends s join found on found.of_send = s.id where s.user_id is null and s.test_of is null
    ),
    kept as (
        insert into ses_events (
            id, occurred_at, kind, sub_kind, send_id, ses_id, attempt, recipients, detail, until, fate, against_us, mark,
            source, body
        )
        select
            found.id, occurred_at, kind, sub_kind, of_send, ses_id, attempt,
            case when forgotten.id is null then recipients else '{}' end,
            case when forgotten.id is null then detail else '' end,
            until, fate, against_us, mark, source,
            case when forgotten.id is null then body end
        from found
        left join forgotten on forgotten.id = found.of_send
    )
    select
        count(*),
        count(*) filter (where of_send is null),
        jsonb_agg(jsonb_build_object(
            'send_id', of_send, 'ses_id', ses_id, 'attempt', attempt, 'fate', fate, 'against_us', against_us,
            'mark', mark, 'recipients', recipients, 'occurred_at', occurred_at
        )) filter (where of_send is not null)
    into stored, orphans, matched
    from found;
    changed := array(select v from apply_events(coalesce(matched, '[]')) as v where v is not null);
end
$$;

-- Finds sends for orphans: an event can be faster than the answer that names its message, by seconds. So only the newest
-- are looked at: where another site's events come in, too, orphans are as many as those. Returns how many were found, and
-- the verifications that changed.
create function match_orphans(out matched bigint, out changed bigint[])
language plpgsql security definer as $$
declare
    events jsonb;
begin
    with orphans as materialized (
        select
            e.id, e.received_at, s.id as of_send, s.user_id is null and s.test_of is null as is_forgotten
        from (
            select id, received_at, ses_id
            from ses_events
            where send_id is null and received_at > now() - interval '1 hour'
            order by received_at desc, id desc
            limit 10000
            for update skip locked
        ) as e
        join sends s on s.ses_id = e.ses_id
    ),
    kept as (
        update ses_events e
        set
            send_id = orphans.of_send,
            recipients = case when is_forgotten then '{}' else recipients end,
            detail = case when is_forgotten then '' else detail end,
            body = case when is_forgotten then null else body end
        from orphans
        where e.id = orphans.id and e.received_at = orphans.received_at and e.send_id is null
        returning e.*
    )
    select
        count(*),
        jsonb_agg(jsonb_build_object(
            'send_id', send_id, 'ses_id', ses_id, 'attempt', attempt, 'fate', fate, 'against_us', against_us,
            'mark', mark, 'recipients', recipients, 'occurred_at', occurred_at
        ))
    into matched, events
    from kept;
    changed := array(select v from apply_events(coalesce(events, '[]')) as v where v is not null);
end
$$;

-- Deleting a user cancels their mails and forgets their address, also where servers and events have named it, whoever
-- deletes them.
create or replace function forget_user() returns trigger language plpgsql as $$
begin
    delete from ses_events where send_id in (select id from sends where user_id = old.id);
    delete from ses_events where send_id is null and recipients @> array[lower(old.email)];
    delete from address_states where address = lower(old.email);
    update sends
    set
        recipient = '',
        reply = null,
        state = case when state = 'queued' then 'cancelled' else state end,
        reason = case
            when state = 'queued' or reason is not null then 'the user was deleted'
        end,
        changed_at = case when state = 'queued' then now() else changed_at end,
        lease_by = case when state = 'queued' then null else lease_by end,
        lease_until = case when state = 'queued' then null else lease_until end
    where user_id = old.id;
    return old;
end
$$;
alter function forget_user() security definer;

-- Whether what is known of a send's address means that it takes no mail: *suppressed* or *bounced*, else null. An address
-- that took a later mail takes mail; who complained is left alone.
create or replace function address_block(send uuid, state text)
returns table (block text) language sql stable as $$
    select case
        when a.complained_at is not null or a.hard_at > coalesce(a.takes_at, '-infinity') then 'bounced'
        when a.suppressed_at > coalesce(a.takes_at, '-infinity') then 'suppressed'
        when state = 'rejected' then 'bounced'
    end
    from (select lower(recipient) as address from sends where id = send) s
    left join address_states a on a.address = s.address
$$;

select make_event_partitions(now());

do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'make_event_partitions(timestamptz)', 'take_events(jsonb)', 'match_orphans()', 'apply_events(jsonb)',
        'settle_by_events(uuid[])', 'forget_user()'
    ] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
