-- The rights on a database of verifydesk, by role; written by `verifydesk migrate --roles`. Safe to run at any time, and
-- due again after each migration: `verifydesk migrate` does it where the roles are there. Where all is as it should be, it
-- takes no lock that a reader or a writer of a table would wait for.
--
-- To be run by a superuser, by a role that may create roles and owns the database, or, once the roles are there, by a
-- member of @owner. They are groups without a login; see docs/roles.md for the logins to put into them.
--
-- Several transactions, each of which can be done again: one for what is needed first, one a table that changes hands, so
-- that it never waits for one while it holds another, and one for the rights. In each, names mean the server's own, or
-- what others have put into the schema would be called with the rights of the login that runs this.

set verifydesk.roles = '';

begin;
set local search_path = pg_catalog, pg_temp;

-- Seven groups. One that is there already must be one.
do $$
declare
    name text;
begin
    foreach name in array array[
        '@owner', '@worker', '@operator', '@support', '@viewer', '@serve', '@site'
    ] loop
        name := trim(both '"' from name);
        if not exists (select from pg_roles where rolname = name) then
            begin
                execute format('create role %I nologin', name);
            exception
                when duplicate_object or unique_violation then
                    -- Another process was faster.
                    null;
                when insufficient_privilege then
                    -- It came later than the others: where those are, their upkeep needs no right to make roles.
                    if name <> trim(both '"' from '@site') then
                        raise;
                    end if;
            end;
        end if;
        if exists (select from pg_roles where rolname = name and (rolcanlogin or rolsuper or rolcreaterole)) then
            raise exception 'there is a role % that is a login or has rights of its own', name
                using hint = 'rename it; verifydesk wants a group of that name';
        end if;
    end loop;
end
$$;

-- What bears a name of ours must be ours: made by who made the table of users, or by a member of the owner group. With
-- another's function, the next step would give it the owner group's rights.
do $$
declare
    one record;
begin
    for one in
        select p.oid::regprocedure::text as name, p.proowner as holder
        from unnest(@functions) as signature
        join pg_proc p on p.oid = to_regprocedure(signature)
        union all
        select format('%I.%I', '@schema'::regnamespace, c.relname), c.relowner
        from pg_class c
        where c.relnamespace = '@schema'::regnamespace and c.relname = any('{@tables}')
    loop
        if not (
            pg_has_role(one.holder, '@owner'::regrole, 'usage')
            or exists (
                select
                from pg_class c
                where c.oid = to_regclass('@schema.users') and pg_has_role(one.holder, c.relowner, 'usage')
            )
        ) then
            raise exception '% belongs to %, which neither made verifydesk''s tables nor is a member of @owner',
                one.name, one.holder::regrole
                using hint = 'drop it or rename it, or make its owner a member';
        end if;
    end loop;
end
$$;

-- All belongs to the owner group, functions that run with their owner's rights included: those must not be a
-- superuser's. Each owner before becomes a member, and so does who runs this.
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

-- Who may write what into the audit log: no program another's acts. Workers make the mails of bulk resends in the name
-- of who started them; what the owner's functions write is theirs to decide. A rule of rows (`create policy`) would keep
-- backups from reading, too. Groups are looked for by name, since a copy of the database on another server may lack them.
create or replace function @schema.check_audit_entry() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
    if pg_has_role(current_user, (select c.relowner from pg_class c where c.oid = tg_relid), 'usage')
        or pg_has_role(current_user, to_regrole('@worker'), 'usage')
            and new.action in ('resend', 'supersede')
        or pg_has_role(current_user, to_regrole('@serve'), 'usage')
            and new.origin in ('web', 'api') and new.action in ('sign_up', 'resend', 'supersede')
        or pg_has_role(current_user, to_regrole('@support'), 'usage')
            and new.origin in ('console', 'cli') and new.action in ('resend', 'supersede')
        or pg_has_role(current_user, to_regrole('@operator'), 'usage')
            and new.origin in ('console', 'cli') and new.action not in ('force_verify', 'unverify', 'revoke', 'extend', 'change_address', 'undo', 'mint_link', 'delete', 'erase')
    then
        -- What was before is for the owner's functions to say, but where an act needs none.
        if new.before is null or new.action in ('resend', 'pause', 'drain') then
            return new;
        end if;
    end if;
    raise exception 'role % may not write % by % into the audit log', current_user, new.action, new.origin
        using errcode = 'insufficient_privilege';
end
$$;
-- A new one is its maker's, and everyone's to call.
do $$
begin
    if exists (
        select
        from pg_proc p
        where p.oid = to_regprocedure('@schema.check_audit_entry()') and p.proowner <> '@owner'::regrole
    ) then
        alter function @schema.check_audit_entry() owner to @owner;
    end if;
end
$$;

-- Without this the rest does nothing: tools may go on behind an error.
set verifydesk.roles = 'prepared';
commit;

-- All others wait for a table while this waits for it: hence the limit. `verifydesk migrate` tries again by itself; psql
-- does not.
create or replace procedure pg_temp.hand_over(name text) language plpgsql
set search_path = pg_catalog, pg_temp set lock_timeout = '900ms' as $$
declare
    part text;
begin
    if current_setting('verifydesk.roles') <> 'prepared' then
        return;
    end if;
    if exists (
        select
        from pg_class c
        where c.relnamespace = '@schema'::regnamespace and c.relname = name and c.relowner <> '@owner'::regrole
    ) then
        execute format('alter table @schema.%I owner to @owner', name);
    end if;
    -- The weeks of a table that is partitioned by them.
    for part in
        select c.relname
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        where i.inhparent = to_regclass(format('@schema.%I', name)) and c.relowner <> '@owner'::regrole
    loop
        execute format('alter table @schema.%I owner to @owner', part);
    end loop;
end
$$;
begin; call pg_temp.hand_over('@each'); commit;

begin;
set local search_path = pg_catalog, pg_temp;
set local lock_timeout = '900ms';
do $$
declare
    one record;
begin
    if current_setting('verifydesk.roles') <> 'prepared' then
        return;
    end if;
    -- An earlier version kept the rules of the audit log so.
    for one in
        select p.polname as name
        from pg_policy p
        where
            p.polrelid = '@schema.audit_log'::regclass
            and p.polname in (
                'audit_log_read', 'audit_log_worker', 'audit_log_serve', 'audit_log_support', 'audit_log_operator'
            )
    loop
        alter table @schema.audit_log disable row level security;
        execute format('drop policy %I on @schema.audit_log', one.name);
    end loop;
    if not exists (
        select
        from pg_trigger t
        where
            t.tgrelid = '@schema.audit_log'::regclass
            and t.tgname = 'audit_log_may'
            and t.tgfoid = '@schema.check_audit_entry()'::regprocedure
            and t.tgenabled in ('O', 'A')
            -- For each row, before, on insert.
            and t.tgtype = 7
            and t.tgqual is not null
    ) then
        -- What the owner's functions write needs no call: each opening of a link is an entry.
        execute format(
            'create or replace trigger audit_log_may before insert on @schema.audit_log
            for each row when (current_user <> %L) execute function @schema.check_audit_entry()',
            (select r.rolname from pg_roles r where r.oid = '@owner'::regrole));
    end if;
end
$$;
commit;

begin;
set local search_path = pg_catalog, pg_temp;
do $$
declare
    one record;
begin
    if current_setting('verifydesk.roles') <> 'prepared' then
        raise exception 'no rights were given, since a step before this has failed'
            using hint = 'see its message, and run all of it again';
    end if;
    for one in
        select c.relname as name
        from pg_class c
        where
            c.relnamespace = '@schema'::regnamespace
            and c.relname = any('{@tables}')
            and c.relowner <> '@owner'::regrole
    loop
        raise exception 'no rights were given, since @owner does not own the table % yet', one.name
            using hint = 'run all of it again';
    end loop;
    for one in
        select p.oid::regprocedure as name, p.proowner <> '@owner'::regrole as is_new
        from unnest(@functions) as signature
        join pg_proc p on p.oid = to_regprocedure(signature)
    loop
        if one.is_new then
            execute format('alter function %s owner to @owner', one.name);
        end if;
        execute format(
            'revoke all on function %s from public, @worker, @operator, @support, @viewer, @serve', one.name);
    end loop;
end
$$;

-- From everyone, what everyone had; and from the groups, what an earlier version gave them. Above, the same was done for
-- functions.
revoke all on database @database from public;
revoke create on schema @schema from public;
revoke all on @all_tables from public, @worker, @operator, @support, @viewer, @serve;

grant connect, create, temporary on database @database to @owner;
grant connect on database @database to @worker, @operator, @support, @viewer, @serve;
grant usage on schema @schema to @worker, @operator, @support, @viewer, @serve;
grant select on @schema._sqlx_migrations, @schema.schema_floor to @worker, @operator, @support, @viewer, @serve;

-- Reading: everything, but of keys no more than what their fingerprint is made of.
grant select on @all_tables to @worker, @operator, @support, @viewer;
revoke select on @schema.verifications from @operator, @support, @viewer;
grant select (id, user_id, created_at, expires_at, verified_at, revoked_at, opened_at, key_digest)
    on @schema.verifications to @operator, @support, @viewer;
-- Where a subscription is confirmed, only the internet-facing program needs to know.
revoke select on @schema.sns_subscriptions from @worker, @operator, @support, @viewer;
grant select (topic, asked_at, is_allowed, approved_at, refused_at, decided_by, tried_at, error, confirmed_at, ended_at,
    signature_version)
    on @schema.sns_subscriptions to @worker, @operator, @support, @viewer;
grant execute on function @schema.resend_standing(bigint, double precision, bigint)
    to @worker, @operator, @support, @viewer, @serve;
grant execute on function @schema.address_block(uuid, text) to @worker, @operator, @support, @viewer;
-- To write a user is to write its index, and the site may do so as well; it is told nothing that it did not know.
grant execute on function @schema.name_pairs(text) to public;

-- Resending one mail. No right to write sends: with it, another user's link could be mailed anywhere.
grant execute on function
    @schema.lock_user(bigint), @schema.queue_mail(uuid, bigint, smallint)
    to @worker, @operator, @support, @serve;
grant execute on function @schema.open_verification(bigint) to @worker, @operator, @support, @viewer, @serve;
grant insert (user_id, key_nonce, expires_at), update (expires_at, revoked_at)
    on @schema.verifications to @worker, @operator, @support, @serve;
grant update (due_at, queued_at, priority, changed_at) on @schema.sends to @operator, @support, @serve;
grant insert (actor, origin, action, outcome, reason, user_id, verification_id, send_id)
    on @schema.audit_log to @worker, @operator, @support, @serve;
-- Workers mail again who was taken off SES's suppression list, in the name of who asked for that.
grant insert (before) on @schema.audit_log to @operator, @support, @worker;
-- And taking that back.
grant execute on function
    @schema.changed_nothing(text, text), @schema.undo_resend(bigint, text, text, text)
    to @operator, @support;

-- The internet-facing program: links, sign-ups, the site's questions. It reads no digest, or it could open
-- the link of every one of them.
grant execute on function
    @schema.approve(bytea), @schema.open_links(bytea[], boolean), @schema.look_at_link(bytea)
    to @serve;
grant select, insert on @schema.odd_openings to @serve;
grant select, insert (email, name, locale) on @schema.users to @serve;
grant select, insert, update on @schema.idempotency_keys to @serve;
grant select (id, user_id, created_at, expires_at, verified_at, revoked_at, opened_at) on @schema.verifications to @serve;
grant select (id, verification_id, user_id, state, priority, queued_at, lease_until, retry_at) on @schema.sends to @serve;

-- SES's events come in by worker and web.
grant execute on function @schema.take_events(jsonb), @schema.match_orphans() to @worker, @serve, @operator;

-- What is old goes by workers and by command; nothing that the functions say is still needed.
grant execute on function
    @schema.old_event_weeks(timestamptz), @schema.drop_event_week(text, timestamptz),
    @schema.prune_sends(timestamptz, uuid, uuid, integer, boolean)
    to @worker, @operator;
grant select, delete on @schema.idempotency_keys to @worker, @operator;

-- Users whose time is over go the same way: whom, operators have said before, and could take back.
grant execute on function @schema.erase_user(bigint, text, text) to @worker, @operator;

-- What SNS asks, and how many posts were refused; who may post events is not the internet-facing program's to decide.
grant select, delete, insert (topic, asked_at, subscribe_url, is_allowed, ended_at, signature_version),
    update (asked_at, subscribe_url, is_allowed, tried_at, error, confirmed_at, ended_at, signature_version)
    on @schema.sns_subscriptions to @serve;
grant select, insert, update, delete on @schema.sns_refusals to @serve;

-- Operators: all that console and command line do.
grant execute on function
    @schema.force_verify(bigint, text, text, text, double precision), @schema.unverify(bigint, text, text, text),
    @schema.change_address(bigint, text, text, text, text),
    @schema.revoke_verification(bigint, text, text, text),
    @schema.extend_verification(bigint, text, text, text, double precision),
    @schema.undo_act(bigint, text, text, text),
    @schema.delete_user(bigint, bigint, text, text, text, double precision),
    @schema.undo_delete(bigint, text, text, text),
    @schema.mint_link(bigint, text, text, text, bytea, double precision), @schema.commit_minted_link(bigint, bytea)
    to @operator;
grant insert (email, name, locale) on @schema.users to @operator;
grant update on @schema.brake to @operator, @worker;
grant update (approved_at, refused_at, decided_by, tried_at, error) on @schema.sns_subscriptions to @operator;
-- Who resumes ends the run of refusals that had paused it.
grant delete on @schema.refused_sends to @operator;
-- The mails of a bulk resend are the workers' to make: operators may not queue many at once.
grant insert, update on @schema.jobs to @operator;
grant update (state, reason, changed_at, lease_by, lease_until, ses_id, reply, lost, retry_at)
    on @schema.sends to @operator;
-- Test mails belong to no user.
grant insert (id, recipient, locale, test_of, state, attempts, lease_by, lease_until) on @schema.sends to @operator;

-- Workers. To lock a row, PostgreSQL asks for the right to update some column of it.
grant update (locale) on @schema.users to @worker;
grant update (key_digest) on @schema.verifications to @worker;
grant insert, update on @schema.sends to @worker;
grant execute on function @schema.make_event_partitions(timestamptz) to @worker;
grant insert, update, delete on @schema.workers to @worker;
grant update on @schema.jobs to @worker;
grant insert on @schema.job_skips to @worker;
grant delete on @schema.job_skips to @worker, @operator;
grant update on @schema.pace to @worker, @operator;
grant insert, update, delete on @schema.pace_minutes to @worker, @operator;
grant insert, update, delete on @schema.refused_sends to @worker;
grant update, delete on @schema.ses_event_keys to @worker;
grant insert, update, delete
    on @schema.event_queues, @schema.ses_account, @schema.account_panels, @schema.identities, @schema.suppressions,
        @schema.suppression_list, @schema.suppression_reading
    to @worker;
grant insert, update on @schema.address_states to @worker;

-- Acts at AWS: operators ask for them, workers do them; what they come to is told to the audit log. Who only mails again may
-- have looked up whether that is of any use.
grant execute on function @schema.queue_look_up(text, text, text) to @operator, @support;
grant execute on function @schema.queue_account_act(text, text, text, bigint, text, text, text) to @operator;
grant execute on function @schema.queue_identity(text, text, text, text) to @operator;
grant update (attempts, due_at, error) on @schema.account_acts to @worker;
grant execute on function
    @schema.account_act_lasts(text), @schema.keep_account_acts(),
    @schema.end_account_act(bigint, integer, text, text, text, text, uuid, text)
    to @worker;

grant insert, update, delete on @schema.alerts, @schema.alert_notices to @worker;
grant update on @schema.alert_watch to @worker;
grant execute on function
    @schema.claim_notice(text[], text[], double precision), @schema.note_notice(text[], bigint, text, text, text)
    to @worker;
-- It shows that it is there.
grant execute on function @schema.show_serve(uuid, text, integer, text, boolean) to @serve;
-- Where no worker is left, the internet-facing program tells of that, and of nothing else.
grant execute on function @schema.judge_workers(double precision) to @worker, @serve;
grant execute on function
    @schema.claim_worker_notice(text[], double precision), @schema.note_worker_notice(bigint, text, text, text)
    to @serve;
grant execute on function
    @schema.admit_worker(uuid, text, integer, text, text, text, text, double precision)
    to @worker;

-- Webhooks: triggers write them, whoever acts. Workers deliver them; operators have them tried again, or a test written.
grant insert, update, delete on @schema.webhook_endpoints to @worker;
grant update on @schema.webhook_deliveries to @worker;
grant insert on @schema.webhook_attempts to @worker;
grant execute on function @schema.tell_of_expired(integer) to @worker;
grant delete on @schema.webhook_messages to @worker;
grant execute on function
    @schema.queue_webhook_test(text, text, text),
    @schema.retry_webhooks(text, uuid, text, text)
    to @operator;

-- A site that shares the database: who is verified, and no more. As long as the group has a member, it is also told when
-- that changes.
do $$
begin
    if exists (select from pg_roles where rolname = trim(both '"' from '@site')) then
        revoke all on @all_tables from @site;
        grant connect on database @database to @site;
        grant usage on schema @schema to @site;
        grant select on @schema.verified_users to @site;
    end if;
end
$$;

-- Counting.
grant select, update on @schema.verification_counts to @worker, @serve;
grant select, delete on @schema.verification_count_deltas to @worker, @serve;

commit;
reset verifydesk.roles;
