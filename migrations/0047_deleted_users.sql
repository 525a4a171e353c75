-- Deleting a user. It is held first, in `delete_after`: until then, and until someone carries it out, an operator can take
-- it back. Meanwhile nothing else is done about them: no link of theirs works, none of their mails goes out, and the audit
-- log takes no other act about them.

alter table users add column delete_after timestamptz;

-- Asks that a user be deleted, `hold` seconds from now. What waits for them is cancelled, and waits again if it is taken
-- back; what a worker has claimed it looks at itself. `outcome` is null if there is no such user.
create function delete_user(
    whose bigint, target bigint, who text, door text, why text, hold double precision,
    out outcome text, out delete_after timestamptz
) language plpgsql security definer as $$
begin
    perform check_reason('a deletion', why);
    select u.delete_after into delete_user.delete_after from users u where u.id = whose for no key update;
    if not found then
        return;
    end if;
    outcome := 'being_deleted';
    if delete_user.delete_after is null then
        update sends s
        set state = 'cancelled', reason = 'the user is being deleted', changed_at = now(),
            lease_by = null, lease_until = null
        where s.user_id = whose and s.state = 'queued';
        update users u
        set delete_after = now() + make_interval(secs => least(greatest(hold, 0), 3600))
        where u.id = whose
        returning u.delete_after into delete_user.delete_after;
        outcome := 'done';
    end if;
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id)
    values (
        who, door, 'delete', delete_user.outcome, why, whose,
        (select v.id from verifications v where v.id = target and v.user_id = whose));
end
$$;

-- Erases a user whose time is over; false where it is not, or another has them in hand. A moment that is further away than
-- any hold was written before the clock was set back.
create function erase_user(whose bigint, who text, door text) returns boolean language plpgsql security definer as $$
begin
    if door not in ('worker', 'cli') then
        raise exception 'users are not erased by %', door using errcode = 'insufficient_privilege';
    end if;
    perform
    from users u
    where u.id = whose and (u.delete_after <= now() or u.delete_after > now() + interval '1 hour')
    for update skip locked;
    if not found then
        return false;
    end if;
    delete from users u where u.id = whose;
    insert into audit_log (actor, origin, action, outcome, user_id) values (who, door, 'erase', 'done', whose);
    return true;
end
$$;

-- As before, of every address that the user ever had, but for what is another's now.
create or replace function forget_user() returns trigger language plpgsql security definer as $$
declare
    theirs text[];
begin
    theirs := array(
        select lower(old.email)
        union
        select lower(s.recipient) from sends s where s.user_id = old.id and s.recipient <> ''
        union
        select lower(a.before ->> 'email') from audit_log a where a.user_id = old.id and a.before ->> 'email' is not null
    );
    theirs := array(
        select one
        from unnest(theirs) one
        where not exists (select from users u where lower(u.email) = one and u.id <> old.id)
    );
    delete from ses_events where send_id in (select id from sends where user_id = old.id);
    delete from ses_events where send_id is null and recipients && theirs;
    delete from address_states where address = any(theirs);
    delete from suppressions where address = any(theirs);
    update sends
    set
        recipient = '',
        reply = null,
        state = case when state = 'queued' then 'cancelled' else state end,
        reason = case
            when state = 'queued' or reason is not null then 'the user was deleted'
        end,
        changed_at = case when state = 'queued' then now() else changed_at end,
        lease_by = case when state = 'queued' then null else lease_by end,
        lease_until = case when state = 'queued' then null else lease_until end
    where user_id = old.id;
    return old;
end
$$;

-- The audit log keeps what was done about the user, by whom, when and why, by number only: what names them goes, their
-- addresses of now and before, and their name wherever a reason has it.
create function forget_in_audit() returns trigger language plpgsql security definer as $$
declare
    names text;
begin
    with addresses as (
        select old.email as address
        union
        select a.before ->> 'email' from audit_log a where a.user_id = old.id and a.before ->> 'email' is not null
    ),
    -- Whole ones anywhere, parts of them as words: but in a language that hangs its particles on names, anywhere as well.
    parts as (
        select regexp_replace(address, '(\W)', '\\\1', 'g') as pattern, address as said from addresses
        union
        select regexp_replace(btrim(old.name), '(\W)', '\\\1', 'g'), btrim(old.name)
        union
        select '\m' || regexp_replace(split_part(address, '@', 1), '(\W)', '\\\1', 'g') || '\M', split_part(address, '@', 1)
        from addresses
        union
        select
            case
                when octet_length(word) > char_length(word) then regexp_replace(word, '(\W)', '\\\1', 'g')
                else '\m' || regexp_replace(word, '(\W)', '\\\1', 'g') || '\M'
            end,
            word
        from regexp_split_to_table(old.name, '\s+') word
    )
    select string_agg(pattern, '|' order by char_length(said) desc, pattern)
    into names
    from parts
    where char_length(said) >= 2;
    update audit_log a
    set
        reason = left(regexp_replace(a.reason, names, '(erased)', 'gi'), 1000),
        before = a.before - 'email',
        after = a.after - 'email'
    where a.user_id = old.id and (a.reason ~* names or a.before ? 'email' or a.after ? 'email');
    return null;
end
$$;
create trigger users_forgotten_in_audit after delete on users for each row execute function forget_in_audit();

-- Append-only as before, for every role, the owner's included; but what names a user who is no more may be taken out.
create or replace function refuse_audit_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if to_jsonb(new) - '{reason,before,after}'::text[] = to_jsonb(old) - '{reason,before,after}'::text[]
            and old.user_id is not null
            and not exists (select from users u where u.id = old.user_id)
        then
            return new;
        end if;
    end if;
    raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
end
$$;

-- No act about a user who is being deleted, whichever program asks for it. Every act has locked the user's row by the time
-- that it writes its entry.
create function refuse_while_deleted() returns trigger language plpgsql as $$
begin
    if exists (select from users u where u.id = new.user_id and u.delete_after is not null) then
        raise exception 'user % is being deleted', new.user_id using errcode = 'VD010';
    end if;
    return new;
end
$$;
-- But for what every opening and every sign-up of a new user would pay for: `open_links` finds no such user, and who signs
-- up again is locked and looked at.
create trigger audit_log_while_deleted before insert on audit_log
    for each row
    when (new.user_id is not null and new.action not in ('open_link', 'sign_up', 'delete', 'erase', 'undo'))
    execute function refuse_while_deleted();

-- How a user stands towards another mail, as before; no row either for one who is being deleted.
create or replace function resend_standing(who bigint, cool_down double precision, daily_cap bigint)
returns table (
    is_verified boolean,
    is_waiting boolean,
    cooling_until timestamptz,
    capped_until timestamptz,
    answered uuid,
    answer text
) language sql stable as $$
    select
        u.verified_at is not null,
        mails.is_waiting,
        case when mails.last_at + make_interval(secs => cool_down) > now()
            then mails.last_at + make_interval(secs => cool_down) end,
        case when cardinality(mails.of_day) >= greatest(daily_cap, 1)
            then least(mails.of_day[greatest(daily_cap, 1)], now()) + interval '24 hours' end,
        mails.answered,
        mails.answer
    from users u
    cross join lateral (
        select
            -- One whose answer was lost and that is tried once more waits too.
            coalesce(bool_or(s.state in ('queued', 'sending') or s.retry_at is not null), false) as is_waiting,
            -- Mails count whatever became of them: repeated presses before a server that refuses ruin the sender's
            -- reputation. Only cancelled ones never were on their way. A clock that was set back leaves some from the
            -- future; act by act they are seconds ahead at most.
            max(s.queued_at) filter (
                where s.state <> 'cancelled' and s.queued_at <= now() + interval '1 minute'
            ) as last_at,
            array_agg(s.queued_at order by s.queued_at desc) filter (
                where s.state <> 'cancelled' and s.queued_at > now() - interval '24 hours'
            ) as of_day,
            (array_agg(s.id order by s.id desc) filter (
                where s.state in ('accepted', 'delivered', 'delayed', 'bounced', 'complained', 'rejected')
            ))[1] as answered,
            (array_agg(s.state order by s.id desc) filter (
                where s.state in ('accepted', 'delivered', 'delayed', 'bounced', 'complained', 'rejected')
            ))[1] as answer
        from sends s
        where s.user_id = u.id
    ) mails
    where u.id = who and u.delete_after is null
$$;

-- As before; the link of one who is being deleted is as if it had never been.
create or replace function open_links(links bytea[], wait boolean)
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
                and u.delete_after is null
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
                and u.delete_after is null
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
    where v.key_digest = any(links) and u.delete_after is null;
end
$$;

create or replace function look_at_link(link bytea)
returns table (verification_id bigint, user_id bigint, locale text, outcome text)
language plpgsql stable security definer as $$
begin
    return query
    select v.id, v.user_id, u.locale, link_outcome(u.verified_at, v.verified_at, v.revoked_at, v.expires_at)
    from verifications v
    join users u on u.id = v.user_id
    where v.key_digest = link and u.delete_after is null;
end
$$;

-- As before, and an attempt on one who is being deleted already.
create or replace function changed_nothing(action text, outcome text) returns boolean language sql immutable as $$
    select case action
        -- Who opens a link and sees the page of success relies on it.
        when 'open_link' then outcome not in ('verified', 'already_verified')
        else outcome in (
            'already_verified', 'not_verified', 'verified_by_another', 'revoked', 'expired', 'pending', 'address_taken',
            'same_address', 'being_deleted')
    end
$$;

-- As before, and a deletion can be taken back.
create or replace function entry_to_undo(
    entry bigint, who text, why text, out chosen bigint, out verdict text, out since bigint
) language plpgsql as $$
declare
    e audit_log;
begin
    select a.id into chosen from audit_log a where a.id = entry;
    -- The resend within a change of address is a part of it.
    select coalesce(
        (
            select whole.id
            from audit_log a
            join audit_log whole on whole.user_id = a.user_id and whole.at = a.at and whole.action = 'change_address'
            where a.id = entry and a.action = 'resend'
            limit 1
        ),
        chosen
    ) into chosen;
    select a.* into e from audit_log a where a.id = chosen;
    if not found then
        verdict := 'not_found';
        return;
    end if;
    if e.action not in (
        'resend', 'force_verify', 'unverify', 'revoke', 'extend', 'change_address', 'pause', 'drain', 'start_job', 'delete'
    ) then
        verdict := 'never';
        return;
    end if;
    if changed_nothing(e.action, e.outcome) then
        verdict := 'nothing';
        return;
    end if;
    if e.user_id is not null then
        perform from users u where u.id = e.user_id for no key update;
        if not found then
            verdict := 'not_found';
            return;
        end if;
    end if;
    -- What undoes it is about the same user, or about none as well: each by the index.
    if exists (select from audit_log a where a.user_id = e.user_id and a.id > e.id and a.undoes = e.id)
        or e.user_id is null
        and exists (select from audit_log a where a.user_id is null and a.id > e.id and a.undoes = e.id)
    then
        verdict := 'already';
        return;
    end if;
    if (e.actor, e.login) is distinct from (who, session_user::text) or e.at < now() - interval '10 minutes' then
        if char_length(btrim(why)) between 3 and 500 is not true then
            verdict := 'reason';
            return;
        end if;
    end if;
    -- But for what was taken back itself, and for what takes back what came later.
    select a.id
    into since
    from audit_log a
    where
        a.user_id = e.user_id
        and a.id > e.id
        and a.at <> e.at
        and not changed_nothing(a.action, a.outcome)
        and (a.undoes is null or a.undoes < e.id)
        and not exists (select from audit_log u where u.user_id = e.user_id and u.undoes = a.id)
    order by a.id
    limit 1;
    if found then
        verdict := 'moved_on';
    end if;
end
$$;

-- Takes a deletion back, while the user is there: they are as they were, and the mails that were cancelled for it wait again.
-- Verdicts as those of `undo_act`.
create function undo_delete(
    entry bigint, who text, door text, why text,
    out verdict text, out chosen bigint, out act text, out whose bigint, out target bigint, out since bigint
) language plpgsql security definer as $$
declare
    e audit_log;
begin
    select u.chosen, u.verdict, u.since
    into undo_delete.chosen, undo_delete.verdict, undo_delete.since
    from entry_to_undo(entry, who, why) u;
    select a.* into e from audit_log a where a.id = chosen;
    act := e.action;
    whose := e.user_id;
    target := e.verification_id;
    if verdict is null and e.action <> 'delete' then
        verdict := 'never';
    end if;
    if verdict is not null then
        return;
    end if;
    update users u set delete_after = null where u.id = e.user_id and u.delete_after is not null;
    if not found then
        verdict := 'moved_on';
        return;
    end if;
    -- Those that were cancelled with it, and those that a worker did not send because of it: of each link the newest.
    update sends s
    set state = 'queued', reason = null, changed_at = now()
    where
        s.user_id = e.user_id
        and s.state = 'cancelled'
        and s.reason = 'the user is being deleted'
        and s.changed_at >= e.at
        and not exists (select from jobs j where j.id = s.job_id and j.state = 'cancelled')
        and not exists (
            select
            from sends o
            where
                o.verification_id = s.verification_id
                and (
                    o.state in ('queued', 'sending')
                    or o.id > s.id and o.state = 'cancelled' and o.reason = s.reason and o.changed_at >= e.at
                )
        );
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, undoes)
    values (who, door, 'undo', e.action, nullif(btrim(why), ''), e.user_id, e.verification_id, e.id);
    verdict := 'undone';
end
$$;

-- To replace a function is to take its settings away as well.
do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'delete_user(bigint, bigint, text, text, text, double precision)', 'erase_user(bigint, text, text)', 'forget_user()',
        'forget_in_audit()', 'refuse_audit_change()', 'refuse_while_deleted()', 'open_links(bytea[], boolean)',
        'look_at_link(bytea)', 'undo_delete(bigint, text, text, text)'
    ] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
alter function open_links(bytea[], boolean) set plan_cache_mode = force_generic_plan;
