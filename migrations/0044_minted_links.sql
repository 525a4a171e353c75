-- A link made by an operator, on a host that has the server secret: a new verification in the place of the open one,
-- mailed to no one. Its key is derived from its number, so its digest comes in a second call, in the same transaction.
create function mint_link(
    target bigint, who text, door text, why text, nonce bytea, lifetime double precision,
    out user_id bigint, out verification_id bigint, out expires_at timestamptz, out outcome text
) language plpgsql security definer as $$
declare
    already timestamptz;
begin
    perform check_reason('a link made by hand', why);
    select u.id, u.verified_at
    into mint_link.user_id, already
    from users u
    where u.id = (select v.user_id from verifications v where v.id = target)
    for no key update;
    if not found then
        return;
    end if;
    verification_id := target;
    outcome := 'already_verified';
    if already is null then
        -- What a worker has claimed it looks at itself.
        update sends s
        set state = 'cancelled', reason = 'an operator made a link by hand', changed_at = now(),
            lease_by = null, lease_until = null
        where s.user_id = mint_link.user_id and s.state = 'queued';
        with superseded as (
            update verifications v
            set revoked_at = greatest(now(), v.created_at)
            where v.user_id = mint_link.user_id and v.verified_at is null and v.revoked_at is null
            returning v.id
        )
        insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id)
        select who, door, 'supersede', 'done', 'a link was made by hand', mint_link.user_id, s.id
        from superseded s;
        insert into verifications (user_id, key_nonce, expires_at)
        values (mint_link.user_id, nonce, now() + make_interval(secs => lifetime))
        returning verifications.id, verifications.expires_at
        into mint_link.verification_id, mint_link.expires_at;
        outcome := 'done';
    end if;
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id)
    values (who, door, 'mint_link', mint_link.outcome, why, mint_link.user_id, mint_link.verification_id);
end
$$;

-- The digest of the key of a link that this transaction has made; false for any other.
create function commit_minted_link(target bigint, digest bytea) returns boolean language plpgsql security definer as $$
begin
    update verifications v
    set key_digest = digest
    where
        v.id = target
        and v.key_digest is null
        and exists (
            select
            from audit_log a
            where
                a.verification_id = v.id
                and a.action = 'mint_link'
                and a.outcome = 'done'
                and a.at = now()
                and a.login = session_user::text
        );
    return found;
end
$$;

do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'mint_link(bigint, text, text, text, bytea, double precision)', 'commit_minted_link(bigint, bytea)'
    ] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
