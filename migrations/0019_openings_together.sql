-- Links that are opened at the same time are opened in one transaction: what a first opening costs is, for the most part,
-- what a transaction costs. What opening a link does is now in one place, for one link and for many.

-- The users of these verifications are verified by them: what waits for these is cancelled. What a worker has claimed it
-- looks at itself.
create function note_all_verified(verified_by bigint[], why text) returns void language plpgsql as $$
begin
    update users u
    set verified_at = v.verified_at
    from verifications v
    where v.id = any(verified_by) and u.id = v.user_id and u.verified_at is null;
    update sends
    set state = 'cancelled', reason = why, changed_at = now(), lease_by = null, lease_until = null
    where verification_id = any(verified_by) and state = 'queued';
end
$$;

-- The same for one: by the verification, which names its user and its moment itself.
create or replace function note_verified(verified_user bigint, verified_by bigint, moment timestamptz, why text)
returns void language plpgsql as $$
begin
    perform note_all_verified(array[verified_by], why);
end
$$;

-- Opens the links with keys of these digests, each once: verifies each user whose key still works. The first opening of
-- each is written into the audit log whatever comes of it; repeated ones change nothing, write nothing and lock nothing.
-- No row for a digest of which no one was mailed the key.
--
-- Without `wait`, it waits for no row: a link of which another transaction holds the user, the verification or a mail
-- that is to be cancelled is left as it is, and `outcome` is null. So no link waits because of another, and however many
-- there are, they have no part in a deadlock. With `wait`, for one link, it waits as every act does: for the user first.
--
-- `now()` is when the statement began, and it may have waited for the user's row while another act made what it then
-- approves: hence `greatest`. Users may have been made after that moment too, before the clock was set back or by an
-- import.
create function open_links(links bytea[], wait boolean)
returns table (link bytea, verification_id bigint, locale text, outcome text, is_first boolean)
language plpgsql security definer as $$
declare
    held bigint[];
    approved bigint[];
    mails uuid[];
    busy bigint[];
    opened bigint[];
begin
    -- The rows as they are once they are locked, when no other act can change them any more.
    if wait then
        select array_agg(x.id), array_agg(x.id) filter (where x.is_pending)
        into held, approved
        from (
            select
                v.id, link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at) = 'pending' as is_pending
            from verifications v
            join users u on u.id = v.user_id
            where
                v.key_digest = any(links)
                and (
                    v.opened_at is null
                    or link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at) = 'pending'
                )
            for no key update of u, v
        ) x;
    else
        select array_agg(x.id), array_agg(x.id) filter (where x.is_pending)
        into held, approved
        from (
            select
                v.id, link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at) = 'pending' as is_pending
            from verifications v
            join users u on u.id = v.user_id
            where
                v.key_digest = any(links)
                and (
                    v.opened_at is null
                    or link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at) = 'pending'
                )
            for no key update of u, v skip locked
        ) x;
        mails := array(
            select s.id
            from sends s
            where s.verification_id = any(approved) and s.state = 'queued'
            for no key update skip locked
        );
        busy := array(
            select s.verification_id
            from sends s
            where s.verification_id = any(approved) and s.state = 'queued' and s.id <> all(mails)
        );
        if cardinality(busy) > 0 then
            held := array(select id from unnest(held) id where id <> all(busy));
            approved := array(select id from unnest(approved) id where id <> all(busy));
        end if;
    end if;

    if held is not null then
        with changed as (
            update verifications v
            set
                opened_at = coalesce(v.opened_at, now()),
                verified_at = case
                    when v.id = any(approved) then greatest(now(), v.created_at, u.created_at) else v.verified_at
                end
            from users u
            where v.id = any(held) and u.id = v.user_id and (v.id = any(approved) or v.opened_at is null)
            returning v.id
        )
        select array_agg(id) into opened from changed;
        if approved is not null then
            perform note_all_verified(approved, 'the user opened the link of an earlier mail');
        end if;
        insert into audit_log (actor, origin, action, outcome, user_id, verification_id)
        select
            'link', 'web', 'open_link',
            case
                when v.id = any(approved) then 'verified'
                else link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at)
            end,
            u.id, v.id
        from verifications v
        join users u on u.id = v.user_id
        where v.id = any(opened);
    end if;

    return query
    select
        v.key_digest, v.id, u.locale,
        case
            when v.id = any(approved) then 'verified'
            when wait or v.id = any(held)
                or v.opened_at is not null
                and link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at) <> 'pending'
            then link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at)
        end,
        coalesce(v.id = any(opened), false)
    from verifications v
    join users u on u.id = v.user_id
    where v.key_digest = any(links);
end
$$;

-- Opens one link, and waits for whoever holds its rows. `outcome` is null if no one was mailed the key.
create or replace function approve(
    link bytea, out verification_id bigint, out locale text, out outcome text, out is_first boolean
) language plpgsql security definer as $$
begin
    select o.verification_id, o.locale, o.outcome, o.is_first
    into approve.verification_id, approve.locale, approve.outcome, approve.is_first
    from open_links(array[link], true) o;
    is_first := coalesce(is_first, false);
end
$$;

-- To replace a function is to take its settings away as well.
do $$
declare
    pinned text;
begin
    foreach pinned in array array['approve(bytea)', 'open_links(bytea[], boolean)'] loop
        execute pg_catalog.format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
    end loop;
end
$$;
revoke execute on function open_links(bytea[], boolean), note_all_verified(bigint[], text) from public;
