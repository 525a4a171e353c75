-- Who is verified is decided by two functions. They check their own rules and run with their owner's rights, so that a
-- program that faces the internet may call the one, and support staff may do neither, while both lack the right to write
-- `verified_at`. Their search_path is pinned below: with a caller's, they would run what the caller puts into it.

-- What a link leads to, first that fits: an older mail's link of a user who is verified meanwhile leads where the one
-- that did it leads. Plain SQL, which PostgreSQL puts into the query that asks.
create function link_outcome(
    user_verified timestamptz, verified timestamptz, revoked timestamptz, expires timestamptz
) returns text language sql stable as $$
    select case
        when user_verified is not null or verified is not null then 'already_verified'
        when revoked is not null then 'revoked'
        when expires <= now() then 'expired'
        else 'pending'
    end
$$;

-- Shows what the link with a key of this digest leads to; no row if no one was mailed it. The digests themselves need
-- not be readable for it: with them, `approve` would verify anyone.
create function look_at_link(link bytea)
returns table (verification_id bigint, user_id bigint, locale text, outcome text)
language plpgsql stable security definer as $$
begin
    return query
    select v.id, v.user_id, u.locale, link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at)
    from verifications v
    join users u on u.id = v.user_id
    where v.key_digest = link;
end
$$;

-- The user is verified by this verification: what waits for it is called off. What a worker has in hand it looks at
-- itself.
create function note_verified(verified_user bigint, verified_by bigint, moment timestamptz, why text)
returns void language plpgsql as $$
begin
    update users set verified_at = moment where id = verified_user and verified_at is null;
    update sends
    set state = 'cancelled', reason = why, changed_at = now(), lease_by = null, lease_until = null
    where verification_id = verified_by and state = 'queued';
end
$$;

-- Opens the link with a key of this digest: verifies the user if the key still works. The first opening is written into
-- the audit log whatever comes of it; repeated ones change nothing and write nothing. `outcome` is null if no one was
-- mailed the key. `now()` is when the statement began, and it may have waited for the user's row while another act made
-- what it then approves: hence `greatest`.
create function approve(
    link bytea, out verification_id bigint, out locale text, out outcome text, out is_first boolean
) language plpgsql security definer as $$
declare
    whose bigint;
    was_opened boolean;
    already timestamptz;
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

    select u.verified_at into already from users u where u.id = whose for no key update;
    if not found then
        outcome := null;
        return;
    end if;
    if already is null then
        -- The one statement that decides every race.
        update verifications v
        set verified_at = greatest(now(), v.created_at), opened_at = coalesce(v.opened_at, now())
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
-- no such verification. The program checks reasons as well, for every act that needs one; here the database does, for
-- those who call this without the program.
create function force_verify(
    target bigint, who text, door text, why text, lifetime double precision,
    out user_id bigint, out verification_id bigint, out verified_at timestamptz, out outcome text
) language plpgsql security definer as $$
declare
    already timestamptz;
begin
    if char_length(btrim(why)) between 3 and 500 is not true then
        raise exception 'a force-verify needs a reason of 3 to 500 characters' using errcode = 'check_violation';
    end if;
    select u.id, u.verified_at
    into force_verify.user_id, already
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
        set verified_at = greatest(now(), v.created_at)
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

-- Queues a mail to the user of this verification, at the address and in the language of the user's row: with the right
-- to write sends, a support login could have another user's link mailed to an address of its own. False if there is no
-- such verification.
create function queue_mail(send uuid, target bigint, rank smallint)
returns boolean language plpgsql security definer as $$
begin
    insert into sends (id, verification_id, user_id, recipient, locale, priority)
    select send, v.id, u.id, u.email, u.locale, rank
    from verifications v
    join users u on u.id = v.user_id
    where v.id = target;
    return found;
end
$$;

-- From where an entry came, whatever the program says of its actor: the login that the session authenticated as, and the
-- client's address (null over a Unix socket).
alter table audit_log add column login text;
alter table audit_log add column client inet;
create function note_session() returns trigger language plpgsql as $$
begin
    new.login := session_user;
    new.client := inet_client_addr();
    return new;
end
$$;
create trigger audit_log_session before insert on audit_log for each row execute function note_session();

-- What keeps counts and forgets deleted users works for whoever may change the rows that make it necessary.
alter function count_verifications() security definer;
alter function forget_user() security definer;

do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'look_at_link(bytea)', 'approve(bytea)', 'force_verify(bigint, text, text, text, double precision)',
        'queue_mail(uuid, bigint, smallint)', 'count_verifications()', 'forget_user()'
    ] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
revoke execute on function note_verified(bigint, bigint, timestamptz, text) from public;
