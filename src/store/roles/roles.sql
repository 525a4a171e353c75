-- The rights on a database of verifydesk, by role; written by `verifydesk migrate --roles`. Safe to run at any time, and
-- due again after each migration: `verifydesk migrate` does it where the roles are there.
--
-- To be run by a superuser, by a role that may create roles and owns the database, or, once the roles are there, by a
-- member of @owner. They are groups without a login; see docs/roles.md for the logins to put into them.

begin;
set local search_path = @schema;

-- Six groups. One that is there already must be one.
do $$
declare
    name text;
begin
    foreach name in array array[
        '@owner', '@worker', '@operator', '@support', '@viewer', '@serve'
    ] loop
        name := trim(both '"' from name);
        if not exists (select from pg_roles where rolname = name) then
            begin
                execute format('create role %I nologin', name);
            exception when duplicate_object or unique_violation then
                -- Another process was faster.
                null;
            end;
        end if;
        if exists (select from pg_roles where rolname = name and (rolcanlogin or rolsuper or rolcreaterole)) then
            raise exception 'there is a role % that is a login or has rights of its own', name
                using hint = 'rename it; verifydesk wants a group of that name';
        end if;
    end loop;
end
$$;

-- All belongs to the owner group, functions that run with their owner's rights included: those must not be a
-- superuser's. Whoever owned it before becomes a member, and so does who runs this.
do $$
declare
    one record;
begin
    for one in
        select distinct r.rolname as name
        from (
            select c.relowner as id
            from pg_class c
            where c.relnamespace = '@schema'::regnamespace and c.relname = any('{@tables}')
            union
            select r.oid from pg_roles r where r.rolname = current_user
        ) as before
        join pg_roles r on r.oid = before.id
        where not r.rolsuper and r.oid <> '@owner'::regrole and not pg_has_role(r.oid, '@owner'::regrole, 'usage')
    loop
        execute format('grant @owner to %I', one.name);
    end loop;
end
$$;
grant usage, create on schema @schema to @owner;
do $$
declare
    one record;
begin
    for one in
        select c.oid::regclass as name
        from pg_class c
        where
            c.relnamespace = '@schema'::regnamespace
            and c.relname = any('{@tables}')
            and c.relowner <> '@owner'::regrole
        order by c.relname
    loop
        execute format('alter table %s owner to @owner', one.name);
    end loop;
    for one in
        select p.oid::regprocedure as name
        from pg_proc p
        where
            p.pronamespace = '@schema'::regnamespace
            and p.proname = any('{@functions}')
            and p.proowner <> '@owner'::regrole
    loop
        execute format('alter function %s owner to @owner', one.name);
    end loop;
end
$$;

-- From everyone, what everyone had; and from the groups, what an earlier version gave them.
revoke all on database @database from public;
revoke create on schema @schema from public;
revoke all on @tables from public, @worker, @operator, @support, @viewer, @serve;
do $$
declare
    one record;
begin
    for one in
        select p.oid::regprocedure as name
        from pg_proc p
        where p.pronamespace = '@schema'::regnamespace and p.proname = any('{@functions}')
    loop
        execute format(
            'revoke all on function %s from public, @worker, @operator, @support, @viewer, @serve', one.name);
    end loop;
end
$$;

grant connect, create, temporary on database @database to @owner;
grant connect on database @database to @worker, @operator, @support, @viewer, @serve;
grant usage on schema @schema to @worker, @operator, @support, @viewer, @serve;
grant select on _sqlx_migrations to @worker, @operator, @support, @viewer, @serve;

-- Reading: everything, but of keys no more than what their fingerprint is made of.
grant select on @tables to @worker, @operator, @support, @viewer;
revoke select on verifications from @operator, @support, @viewer;
grant select (id, user_id, created_at, expires_at, verified_at, revoked_at, opened_at, key_digest)
    on verifications to @operator, @support, @viewer;
grant execute on function resend_skip(bigint, double precision, bigint) to @worker, @operator, @support, @viewer;

-- Resending one mail. No right to write sends: with it, another user's link could be mailed anywhere.
grant execute on function
    lock_user(bigint), queue_mail(uuid, bigint, smallint)
    to @worker, @operator, @support, @serve;
grant execute on function open_verification(bigint) to @worker, @operator, @support, @viewer, @serve;
grant insert (user_id, key_nonce, expires_at), update (expires_at, revoked_at)
    on verifications to @worker, @operator, @support, @serve;
grant update (due_at, queued_at, priority, changed_at) on sends to @operator, @support, @serve;
grant insert (actor, origin, action, outcome, reason, user_id, verification_id, send_id)
    on audit_log to @worker, @operator, @support, @serve;

-- The internet-facing program: links, sign-ups, the site's questions. It reads no digest, or it could call `approve` with
-- every one of them.
grant execute on function approve(bytea), look_at_link(bytea) to @serve;
grant execute on function link_outcome(timestamptz, timestamptz, timestamptz, timestamptz) to @serve;
grant select, insert (email, name, locale) on users to @serve;
grant select (id, user_id, created_at, expires_at, verified_at, revoked_at, opened_at) on verifications to @serve;
grant select (id, verification_id, user_id, state, priority, queued_at, lease_until) on sends to @serve;

-- Operators: all that console and command line do.
grant execute on function force_verify(bigint, text, text, text, double precision) to @operator;
grant insert (email, name, locale) on users to @operator;
grant update on brake to @operator, @worker;
-- Who resumes ends the run of refusals that had paused it.
grant delete on refused_sends to @operator;
-- The mails of a bulk resend are the workers' to make: operators may not queue many at once.
grant insert, update on jobs to @operator;
grant update (state, reason, changed_at, lease_by, lease_until, ses_id, reply, lost, retry_at) on sends to @operator;
-- Test mails belong to no user.
grant insert (id, recipient, locale, test_of, state, attempts, lease_by, lease_until) on sends to @operator;

-- Workers. To lock a row, PostgreSQL asks for the right to update some column of it.
grant update (locale) on users to @worker;
grant update (key_digest) on verifications to @worker;
grant insert, update on sends to @worker;
grant insert on send_events to @worker;
grant insert, update, delete on workers to @worker;
grant update on jobs to @worker;
grant update on pace to @worker, @operator;
grant insert, update, delete on pace_minutes to @worker, @operator;
grant insert, update, delete on refused_sends to @worker;
-- Not in every version.
do $$
declare
    one record;
begin
    for one in
        select p.oid::regprocedure as name
        from pg_proc p
        where p.pronamespace = '@schema'::regnamespace and p.proname = 'admit_worker'
    loop
        execute format('grant execute on function %s to @worker', one.name);
    end loop;
end
$$;

-- Counting.
grant select, update on verification_counts to @worker, @serve;
grant select, delete on verification_count_deltas to @worker, @serve;

-- Who may write what into the audit log: no program another's acts. Workers make the mails of bulk resends in the name
-- of who started them. Reading and the owner are not affected.
alter table audit_log enable row level security;
drop policy if exists audit_log_read on audit_log;
create policy audit_log_read on audit_log for select to @worker, @operator, @support, @viewer using (true);
drop policy if exists audit_log_worker on audit_log;
create policy audit_log_worker on audit_log for insert to @worker
    with check (origin = 'worker' or action in ('resend', 'supersede'));
drop policy if exists audit_log_serve on audit_log;
create policy audit_log_serve on audit_log for insert to @serve
    with check (origin in ('web', 'api') and action in ('sign_up', 'resend', 'supersede'));
drop policy if exists audit_log_support on audit_log;
create policy audit_log_support on audit_log for insert to @support
    with check (origin in ('console', 'cli') and action in ('resend', 'supersede'));
drop policy if exists audit_log_operator on audit_log;
create policy audit_log_operator on audit_log for insert to @operator
    with check (origin in ('console', 'cli') and action <> 'force_verify');

commit;
