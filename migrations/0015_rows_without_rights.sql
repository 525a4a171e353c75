-- What an act does before its own change, for roles that may not do it by themselves: PostgreSQL gives a row's lock only
-- to who may update some column of it, and whether a key was mailed is read from its digest, which not every role may
-- read.

-- Locks a user's row, as every act does first; no row if there is none.
create function lock_user(who bigint) returns setof users language plpgsql security definer as $$
begin
    return query select u.* from users u where u.id = who for no key update;
end
$$;

-- The user's one verification that is neither verified nor revoked: whether it is past its time, and whether its key was
-- ever mailed.
create function open_verification(who bigint) returns table (id bigint, is_expired boolean, is_mailed boolean)
language plpgsql stable security definer as $$
begin
    return query
    select v.id, v.expires_at <= now(), v.key_digest is not null
    from verifications v
    where v.user_id = who and v.verified_at is null and v.revoked_at is null;
end
$$;

do $$
declare
    pinned text;
begin
    foreach pinned in array array['lock_user(bigint)', 'open_verification(bigint)'] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
-- Who may read all may plan all.
grant execute on function open_verification(bigint) to pg_read_all_data;
