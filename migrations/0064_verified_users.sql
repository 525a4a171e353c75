-- For a site that shares the database: who is verified, and a word when that changes. Other versions have both as well.

-- A barrier, so that no condition of a reader's is asked about those who are not in it. By id and by address in lower case
-- it uses the indexes of `users`.
create view verified_users with (security_barrier) as
select u.id as user_id, u.email, lower(u.email) as address, u.verified_at
from users u
where u.verified_at is not null;

-- Tells who listens to the channel `verified_users` that a user came into the view or left it; only their number, since
-- every login of the database may listen. Only while a login is in the site's group: each notification lines up commits.
-- Not of users who are inserted as verified: by a site's import those are many at once, and the site knows them.
create function notify_of_user() returns trigger language plpgsql security definer as $$
begin
    if exists (
        select
        from pg_auth_members m
        where
            m.roleid = to_regrole(quote_ident(current_database() || '_site'))
            -- Not who has made the group, and may only put others into it.
            and pg_has_role(m.member, m.roleid, 'usage')
    ) then
        perform pg_notify('verified_users', json_strip_nulls(json_build_object('user_id', old.id))::text);
    end if;
    return null;
end
$$;
create trigger users_notify after update of verified_at on users
    for each row when (old.verified_at is distinct from new.verified_at) execute function notify_of_user();
create trigger users_notify_gone after delete on users
    for each row when (old.verified_at is not null) execute function notify_of_user();

do $$
begin
    execute format('alter function notify_of_user() set search_path = pg_catalog, %I, pg_temp', current_schema());
    revoke execute on function notify_of_user() from public;
end
$$;
