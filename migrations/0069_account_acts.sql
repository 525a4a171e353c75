-- What operators change at AWS: consoles and the command line hold no AWS keys, so an act stands here until a worker with the
-- right does it (src/poller/account/act.rs). What it came to stays for a while, with the reason; the audit log has both for
-- good. Doing one twice changes nothing, so one whose worker died is done once more.
create table account_acts (
    id bigint generated always as identity primary key,
    kind text not null,
    -- In lower case, as in `suppressions`.
    address text not null,
    -- As what it is put on the list: BOUNCE or COMPLAINT.
    listing text,
    -- The verification whose link is mailed again once the address is off the list.
    mail_again bigint,
    reason text,
    actor text not null,
    origin text not null,
    asked_at timestamptz not null default now(),
    state text not null default 'waiting',
    attempts integer not null default 0,
    -- When it is tried next; while it is being tried, when another worker may.
    due_at timestamptz not null default now(),
    ended_at timestamptz,
    outcome text,
    -- Why it failed, or why it waits; and the right that is missing, where that is why.
    error text,
    permission text,
    -- The mail that was queued with it, or why none was.
    send_id uuid,
    not_mailed text,
    constraint account_acts_kind check (kind in ('look_up', 'remove', 'add')),
    constraint account_acts_listing check ((kind = 'add') = (listing is not null) and listing in ('BOUNCE', 'COMPLAINT')),
    constraint account_acts_state check (state in ('waiting', 'done', 'failed') and (state = 'waiting') = (ended_at is null)),
    constraint account_acts_texts check (
        char_length(address) between 3 and 320
        and char_length(actor) between 1 and 200
        and char_length(reason) <= 500
        and char_length(error) <= 2000
        and char_length(not_mailed) <= 500),
    constraint account_acts_times_bounded check (
        least(asked_at, due_at, ended_at) >= '0001-01-01 00:00:00+00'
        and greatest(asked_at, due_at, ended_at) < '10000-01-01 00:00:00+00')
);
create index account_acts_waiting on account_acts (address, id) where state = 'waiting';
create index account_acts_address on account_acts (address, id);
create index account_acts_ended on account_acts (ended_at) where state <> 'waiting';

-- The most that wait at a time: at one call a second, a quarter of an hour.
create function has_room_for_account_act() returns boolean language sql stable as $$
    select count(*) < 1000 from (select from account_acts where state = 'waiting' limit 1000) as waiting
$$;

-- Has it looked up whether an address is on the list; that it waits already is as good. Null where too much waits.
create function queue_look_up(target text, who text, door text) returns bigint
language plpgsql security definer as $$
declare
    act bigint;
begin
    select a.id into act
    from account_acts a
    where a.state = 'waiting' and a.address = lower(target) and a.kind = 'look_up'
    order by a.id
    limit 1;
    if act is null and has_room_for_account_act() then
        insert into account_acts (kind, address, actor, origin)
        values ('look_up', lower(target), who, door)
        returning id into act;
    end if;
    return act;
end
$$;

-- The user of an address, whom the audit log knows by number only; but not one who is being deleted, about whom it takes no
-- entry.
create function user_of_address(target text) returns bigint language sql stable as $$
    select id from users where lower(email) = target and delete_after is null
$$;

-- Has an address taken off the list or put on it. `outcome` is *asked*, *full* where too much waits, or *not_theirs* where
-- the verification that is to be mailed again is of no one who has this address.
create function queue_account_act(
    what text, target text, listed_as text, again bigint, why text, who text, door text,
    out outcome text, out act bigint
) language plpgsql security definer as $$
begin
    if what not in ('remove', 'add') then
        raise exception 'no act %', what using errcode = 'check_violation';
    end if;
    perform check_reason('an act on the suppression list', why);
    if not has_room_for_account_act() then
        outcome := 'full';
        return;
    end if;
    if again is not null and not exists (
        select
        from verifications v
        join users u on u.id = v.user_id
        where v.id = again and lower(u.email) = lower(target)
    ) then
        outcome := 'not_theirs';
        return;
    end if;
    insert into account_acts (kind, address, listing, mail_again, reason, actor, origin)
    values (what, lower(target), listed_as, again, btrim(why), who, door)
    returning id into act;
    outcome := 'asked';
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, after)
    values (
        who, door, what || '_suppression', outcome, btrim(why), user_of_address(lower(target)), again,
        jsonb_strip_nulls(jsonb_build_object('act', act, 'listed_as', listed_as)));
end
$$;

-- Ends an act, and tells the audit log, in the name of who asked for it; false where another worker has ended it, or has it
-- in hand since. `trouble` may name the address and goes with the user; `in_short` stays in the log.
create function end_account_act(
    act bigint, attempt integer, came text, trouble text, lacking text, in_short text, mail uuid, unmailed text
) returns boolean language plpgsql security definer as $$
declare
    a account_acts;
begin
    update account_acts x
    set
        state = case when came = 'failed' then 'failed' else 'done' end,
        outcome = came,
        ended_at = now(),
        error = left(trouble, 2000),
        permission = lacking,
        send_id = mail,
        not_mailed = left(unmailed, 500)
    where x.id = act and x.state = 'waiting' and x.attempts = attempt
    returning x.* into a;
    if not found then
        return false;
    end if;
    if a.kind <> 'look_up' then
        insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, send_id, after)
        values (
            a.actor, a.origin, a.kind || '_suppression', came, a.reason, user_of_address(a.address), a.mail_again, mail,
            jsonb_strip_nulls(jsonb_build_object(
                'act', a.id, 'listed_as', a.listing, 'missing_right', lacking, 'error', left(in_short, 200),
                'not_mailed', left(unmailed, 500))));
    end if;
    return true;
end
$$;

-- How long an act is tried: someone waits for a look-up, and a change is not wanted any more after a day.
create function account_act_lasts(kind text) returns interval language sql immutable as $$
    select case when kind = 'look_up' then interval '10 minutes' else interval '1 day' end
$$;

-- Gives up what no worker has done in its time, and forgets what ended long ago. Returns whether something was given up.
create function keep_account_acts() returns boolean language plpgsql security definer as $$
declare
    old record;
    is_news boolean := false;
begin
    for old in
        select a.id, a.attempts, a.error
        from account_acts a
        where
            a.state = 'waiting'
            and a.asked_at < now() - account_act_lasts(a.kind)
            -- Not one that a worker has in hand.
            and a.due_at not between now() and now() + interval '15 minutes'
        order by a.id
        for update skip locked
    loop
        perform end_account_act(
            old.id, old.attempts, 'failed', coalesce(old.error, 'no worker that has AWS''s keys has done it in time'), null,
            'not done in time', null, null);
        is_news := true;
    end loop;
    delete from account_acts
    where id in (
        select id
        from account_acts
        where state <> 'waiting' and ended_at < now() - interval '90 days'
        order by ended_at
        limit 10000
    );
    return is_news;
end
$$;

-- As before, and what was asked at AWS about their addresses.
create or replace function forget_user() returns trigger language plpgsql security definer as $$
declare
    theirs text[];
begin
    theirs := array(
        select lower(old.email)
        union
        select lower(s.recipient) from sends s where s.user_id = old.id and s.recipient <> ''
        union
        select lower(a.before ->> 'email') from audit_log a where a.user_id = old.id and a.before ->> 'email' is not null
    );
    theirs := array(
        select one
        from unnest(theirs) one
        where not exists (select from users u where lower(u.email) = one and u.id <> old.id)
    );
    delete from ses_events where send_id in (select id from sends where user_id = old.id);
    delete from ses_events where send_id is null and recipients && theirs;
    delete from address_states where address = any(theirs);
    delete from suppressions where address = any(theirs);
    delete from account_acts where address = any(theirs);
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

do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'forget_user()', 'queue_look_up(text, text, text)',
        'queue_account_act(text, text, text, bigint, text, text, text)',
        'end_account_act(bigint, integer, text, text, text, text, uuid, text)', 'keep_account_acts()'
    ] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
    end loop;
    foreach pinned in array array[
        'forget_user()', 'has_room_for_account_act()', 'account_act_lasts(text)', 'user_of_address(text)', 'queue_look_up(text, text, text)',
        'queue_account_act(text, text, text, bigint, text, text, text)',
        'end_account_act(bigint, integer, text, text, text, text, uuid, text)', 'keep_account_acts()'
    ] loop
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
