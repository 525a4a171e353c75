-- A user may have been made after the moment in which they are verified: before the clock was set back, or by an import.
-- `users_verified_after_created` then refused them; they are verified in the moment in which they were made. The rest of
-- both functions is as it was.

-- Opens the link with a key of this digest: verifies the user if the key still works. The first opening is written into
-- the audit log whatever comes of it; repeated ones change nothing and write nothing. `outcome` is null if no one was
-- mailed the key. `now()` is when the statement began, and it may have waited for the user's row while another act made
-- what it then approves: hence `greatest`.
create or replace function approve(
    link bytea, out verification_id bigint, out locale text, out outcome text, out is_first boolean
) language plpgsql security definer as $$
declare
    whose bigint;
    was_opened boolean;
    already timestamptz;
    made timestamptz;
    moment timestamptz;
begin
    is_first := false;
    select v.id, v.user_id, u.locale, v.opened_at is not null,
        link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at)
    into approve.verification_id, whose, approve.locale, was_opened, approve.outcome
    from verifications v
    join users u on u.id = v.user_id
    where v.key_digest = link;
    if not found or was_opened and outcome <> 'pending' then
        return;
    end if;

    select u.verified_at, u.created_at into already, made from users u where u.id = whose for no key update;
    if not found then
        outcome := null;
        return;
    end if;
    if already is null then
        -- The one statement that decides every race.
        update verifications v
        set verified_at = greatest(now(), v.created_at, made), opened_at = coalesce(v.opened_at, now())
        where v.id = approve.verification_id and v.verified_at is null and v.revoked_at is null and v.expires_at > now()
        returning v.verified_at into moment;
    end if;
    if moment is not null then
        perform note_verified(whose, approve.verification_id, moment, 'the user opened the link of an earlier mail');
        outcome := 'verified';
        is_first := true;
    else
        -- Again, now that no other act can change it.
        select link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at)
        into approve.outcome
        from verifications v
        join users u on u.id = v.user_id
        where v.id = approve.verification_id;
        update verifications v
        set opened_at = now()
        where v.id = approve.verification_id and v.opened_at is null;
        is_first := found;
    end if;
    if is_first then
        insert into audit_log (actor, origin, action, outcome, user_id, verification_id)
        values ('link', 'web', 'open_link', approve.outcome, whose, approve.verification_id);
    end if;
end
$$;

-- An operator vouches for the user of this verification. An attempt on a user who is verified already changes nothing
-- and is written into the audit log all the same: it tells what the operator meant to do. `outcome` is null if there is
-- no such verification.
create or replace function force_verify(
    target bigint, who text, door text, why text, lifetime double precision,
    out user_id bigint, out verification_id bigint, out verified_at timestamptz, out outcome text
) language plpgsql security definer as $$
declare
    already timestamptz;
    made timestamptz;
begin
    if char_length(btrim(why)) between 3 and 500 is not true then
        raise exception 'a force-verify needs a reason of 3 to 500 characters' using errcode = 'check_violation';
    end if;
    select u.id, u.verified_at, u.created_at
    into force_verify.user_id, already, made
    from users u
    where u.id = (select v.user_id from verifications v where v.id = target)
    for no key update;
    if not found then
        return;
    end if;
    verification_id := target;
    outcome := 'already_verified';
    if already is null then
        select v.id
        into force_verify.verification_id
        from verifications v
        where v.user_id = force_verify.user_id and v.verified_at is null and v.revoked_at is null;
        if not found then
            -- No one is ever mailed a key of this one.
            insert into verifications (user_id, key_nonce, expires_at)
            values (
                force_verify.user_id, uuid_send(gen_random_uuid()), now() + make_interval(secs => lifetime)
            )
            returning id into force_verify.verification_id;
        end if;
        update verifications v
        set verified_at = greatest(now(), v.created_at, made)
        where v.id = force_verify.verification_id
        returning v.verified_at into force_verify.verified_at;
        perform note_verified(
            force_verify.user_id, force_verify.verification_id, force_verify.verified_at,
            'an operator verified the user');
        outcome := 'verified';
    end if;
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id)
    values (who, door, 'force_verify', force_verify.outcome, why, force_verify.user_id, force_verify.verification_id);
end
$$;

-- To replace a function is to take its settings away as well.
do $$
declare
    pinned text;
begin
    foreach pinned in array array['approve(bytea)', 'force_verify(bigint, text, text, text, double precision)'] loop
        execute pg_catalog.format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
    end loop;
end
$$;

-- With a caller's path, it would ask the caller's own functions from where an entry came.
alter function note_session() set search_path = pg_catalog, pg_temp;
