-- What an operator does about a verification beside vouching for it: take an approval back, revoke a link, extend one.
-- Functions of the database like `force_verify`, which check their own rules, want a reason, and write the audit entry
-- whatever comes of it. `user_id` is null if there is no such verification.

-- What an act has changed, as it was before. Written by these functions only: no role may.
alter table audit_log add column before jsonb;

-- The reasons that all of them want; the program wants the same.
create function check_reason(act text, why text) returns void language plpgsql as $$
begin
    if char_length(btrim(why)) between 3 and 500 is not true then
        raise exception '% needs a reason of 3 to 500 characters', act using errcode = 'check_violation';
    end if;
end
$$;

-- Takes back that a user is verified, by a click or by an operator's word. The verification that did it is revoked, and
-- never open again: its link has been opened by someone who should not have, or may be at any time. So the user has no
-- open verification until they are mailed a new one.
--
-- Only by the verification that the user is verified by: an operator who looks at an older state must not take back
-- what was approved since. `verified_by` is that one, if it is another.
create function unverify(
    target bigint, who text, door text, why text,
    out user_id bigint, out outcome text, out verified_by bigint
) language plpgsql security definer as $$
declare
    since timestamptz;
    approved timestamptz;
    opened timestamptz;
begin
    perform check_reason('an un-verify', why);
    select u.id, u.verified_at
    into unverify.user_id, since
    from users u
    where u.id = (select v.user_id from verifications v where v.id = target)
    for no key update;
    if not found then
        return;
    end if;
    select v.verified_at, v.opened_at into approved, opened from verifications v where v.id = target;
    if since is null then
        outcome := 'not_verified';
    elsif approved is null then
        outcome := 'verified_by_another';
        select v.id
        into unverify.verified_by
        from verifications v
        where v.user_id = unverify.user_id and v.verified_at is not null
        order by v.id desc
        limit 1;
    else
        outcome := 'unverified';
        update users u set verified_at = null where u.id = unverify.user_id;
        -- All, should an import have left more than one: the link of an approved one leads to the page of success.
        update verifications v
        set verified_at = null, revoked_at = greatest(now(), v.created_at)
        where v.user_id = unverify.user_id and v.verified_at is not null;
    end if;
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, before)
    values (
        who, door, 'unverify', unverify.outcome, why, unverify.user_id, target,
        case when unverify.outcome = 'unverified'
            then jsonb_build_object('verified_at', since, 'opened_at', opened) end);
end
$$;

-- Revokes an open verification, expired or not: its link stops working, and its mail that waits is cancelled. What a
-- worker has claimed it looks at itself.
create function revoke_verification(
    target bigint, who text, door text, why text, out user_id bigint, out outcome text
) language plpgsql security definer as $$
declare
    expires timestamptz;
    opened timestamptz;
begin
    perform check_reason('a revocation', why);
    perform from users u where u.id = (select v.user_id from verifications v where v.id = target) for no key update;
    select
        u.id, link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at), v.expires_at, v.opened_at
    into revoke_verification.user_id, revoke_verification.outcome, expires, opened
    from verifications v
    join users u on u.id = v.user_id
    where v.id = target;
    if not found then
        return;
    end if;
    if outcome in ('pending', 'expired') then
        update verifications v set revoked_at = greatest(now(), v.created_at) where v.id = target;
        update sends s
        set state = 'cancelled', reason = 'an operator revoked the link', changed_at = now(),
            lease_by = null, lease_until = null
        where s.verification_id = target and s.state = 'queued';
        outcome := 'done';
    end if;
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, before)
    values (
        who, door, 'revoke', revoke_verification.outcome, why, revoke_verification.user_id, target,
        case when revoke_verification.outcome = 'done'
            then jsonb_build_object('expires_at', expires, 'opened_at', opened) end);
end
$$;

-- Lets the link of an open verification work for this many seconds from now on, expired or not; never for less long
-- than it would have.
create function extend_verification(
    target bigint, who text, door text, why text, lifetime double precision,
    out user_id bigint, out outcome text, out expires_at timestamptz
) language plpgsql security definer as $$
declare
    expires timestamptz;
begin
    perform check_reason('an extension', why);
    perform from users u where u.id = (select v.user_id from verifications v where v.id = target) for no key update;
    select u.id, link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at), v.expires_at
    into extend_verification.user_id, extend_verification.outcome, expires
    from verifications v
    join users u on u.id = v.user_id
    where v.id = target;
    if not found then
        return;
    end if;
    if outcome in ('pending', 'expired') then
        update verifications v
        set expires_at = greatest(v.expires_at, now() + make_interval(secs => lifetime))
        where v.id = target
        returning v.expires_at into extend_verification.expires_at;
        outcome := 'done';
    end if;
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, before)
    values (
        who, door, 'extend', extend_verification.outcome, why, extend_verification.user_id, target,
        case when extend_verification.outcome = 'done' then jsonb_build_object('expires_at', expires) end);
end
$$;

do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'unverify(bigint, text, text, text)', 'revoke_verification(bigint, text, text, text)',
        'extend_verification(bigint, text, text, text, double precision)'
    ] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
revoke execute on function check_reason(text, text) from public;
