-- An identity, an address or a domain that SES lets mails come from (in the sandbox: go to), is added as an act as well.
-- What it is called, with the case that the part before the @ has at SES; `address` has it in lower case, as of all acts.
alter table account_acts add column identity text;
alter table account_acts
    drop constraint account_acts_kind,
    add constraint account_acts_kind check (kind in ('look_up', 'remove', 'add', 'add_identity')),
    add constraint account_acts_identity check (
        (kind = 'add_identity') = (identity is not null) and lower(identity) = address);
-- What was asked for lately, for screens.
create index account_acts_identities on account_acts (id) where kind = 'add_identity';

-- What SES says of domains that are not verified yet, but for that of the sender, which is a panel: what has to be in DNS for
-- them. Of addresses nothing has to be, so that no one's stands here.
create table identities (
    name text primary key,
    asked_at timestamptz not null default now(),
    answered_at timestamptz,
    figures jsonb,
    -- Why there is no answer, while that is so, and since when; and the right that is missing, where that is why.
    trouble text,
    failed_at timestamptz,
    permission text,
    constraint identities_are_domains check (name ~ '^[A-Za-z0-9_.-]{1,253}$'),
    constraint identities_lengths check (
        char_length(trouble) <= 2000
        and char_length(permission) <= 100
        and octet_length(figures::text) <= 200000
    )
);

-- Has an identity added at SES. `outcome` is *asked*, or *full* where too much waits. The audit log names it, but where it is
-- the address of a user: users have a number there.
create function queue_identity(target text, why text, who text, door text, out outcome text, out act bigint)
language plpgsql security definer as $$
declare
    about bigint := user_of_address(lower(target));
begin
    if why is not null then
        perform check_reason('adding an identity', why);
    end if;
    if not has_room_for_account_act() then
        outcome := 'full';
        return;
    end if;
    insert into account_acts (kind, address, identity, reason, actor, origin)
    values ('add_identity', lower(target), target, btrim(why), who, door)
    returning id into act;
    outcome := 'asked';
    insert into audit_log (actor, origin, action, outcome, reason, user_id, after)
    values (
        who, door, 'add_identity', outcome, btrim(why), about,
        jsonb_strip_nulls(jsonb_build_object('act', act, 'identity', case when about is null then target end)));
end
$$;

-- As before, and for identities.
create or replace function end_account_act(
    act bigint, attempt integer, came text, trouble text, lacking text, in_short text, mail uuid, unmailed text
) returns boolean language plpgsql security definer as $$
declare
    a account_acts;
    about bigint;
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
        about := user_of_address(a.address);
        insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, send_id, after)
        values (
            a.actor, a.origin, case when a.identity is null then a.kind || '_suppression' else a.kind end, came, a.reason,
            about, a.mail_again, mail,
            jsonb_strip_nulls(jsonb_build_object(
                'act', a.id, 'identity', case when about is null then a.identity end, 'listed_as', a.listing,
                'missing_right', lacking, 'error', left(in_short, 200), 'not_mailed', left(unmailed, 500))));
    end if;
    return true;
end
$$;

do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'queue_identity(text, text, text, text)',
        'end_account_act(bigint, integer, text, text, text, text, uuid, text)'
    ] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
