-- Taking an operator's act back. An undo names the entry of the audit log that it is about, is refused where the state has
-- moved on since, and is an entry itself. An act and what it changed bear the same moment, that of its transaction: by
-- that it is known what belonged to it.

-- What an act has made of it, where that cannot be told from what is stored; and which entry one takes back.
alter table audit_log add column if not exists after jsonb;
alter table audit_log add column undoes bigint;

-- As before, and until when the link works now: an undo looks whether it still is so.
create or replace function extend_verification(
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
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, before, after)
    values (
        who, door, 'extend', extend_verification.outcome, why, extend_verification.user_id, target,
        case when extend_verification.outcome = 'done' then jsonb_build_object('expires_at', expires) end,
        case when extend_verification.outcome = 'done'
            then jsonb_build_object('expires_at', extend_verification.expires_at) end);
end
$$;

-- As before, and which verifications were not revoked.
create or replace function change_address(
    target bigint, who text, door text, why text, address text, out user_id bigint, out outcome text
) language plpgsql security definer as $$
declare
    earlier text;
    since timestamptz;
    kept jsonb;
begin
    perform check_reason('a change of address', why);
    select u.id, u.email, u.verified_at
    into change_address.user_id, earlier, since
    from users u
    where u.id = (select v.user_id from verifications v where v.id = target)
    for no key update;
    if not found then
        return;
    end if;
    if lower(earlier) = lower(address) then
        outcome := 'same_address';
    else
        begin
            update users u set email = address, verified_at = null where u.id = change_address.user_id;
            outcome := 'done';
        exception when unique_violation then
            outcome := 'address_taken';
        end;
    end if;
    if outcome = 'done' then
        select coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'verified_at', v.verified_at)), '[]')
        into kept
        from verifications v
        where v.user_id = change_address.user_id and v.revoked_at is null;
        update verifications v
        set verified_at = null, revoked_at = greatest(now(), v.created_at)
        where v.user_id = change_address.user_id and v.revoked_at is null;
        update sends s
        set state = 'cancelled', reason = 'the user''s address was changed', changed_at = now(),
            lease_by = null, lease_until = null
        where s.user_id = change_address.user_id and s.state = 'queued';
    end if;
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, before)
    values (
        who, door, 'change_address', change_address.outcome, why, change_address.user_id, target,
        case when change_address.outcome = 'done'
            then jsonb_build_object('email', earlier, 'verified_at', since, 'verifications', kept) end);
end
$$;

-- Whether an entry of this action and outcome has changed nothing that an undo would have to respect.
create function changed_nothing(action text, outcome text) returns boolean language sql immutable as $$
    select case action
        -- Who opens a link and sees the page of success relies on it.
        when 'open_link' then outcome not in ('verified', 'already_verified')
        else outcome in (
            'already_verified', 'not_verified', 'verified_by_another', 'revoked', 'expired', 'pending', 'address_taken',
            'same_address')
    end
$$;

-- The entry that an undo is about, its user locked. `verdict` is null where it can be taken back, as far as the log tells:
--
-- not_found: no such entry, or its user was deleted
-- never: this kind of act is not taken back; nothing: it was refused and has changed nothing
-- already: it was taken back before; reason: it is old or someone else's, and no reason is given
-- moved_on: another act about the same user came behind it, the entry `since`
create function entry_to_undo(
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
        'resend', 'force_verify', 'unverify', 'revoke', 'extend', 'change_address', 'pause', 'drain', 'start_job'
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

-- The mails that an act of this moment has cancelled wait again.
create function restore_mails(whose bigint, target bigint, moment timestamptz) returns void language sql as $$
    update sends s
    set state = 'queued', reason = null, changed_at = now()
    where
        s.user_id = whose
        and (target is null or s.verification_id = target)
        and s.state = 'cancelled'
        and s.changed_at = moment
        and not exists (select from jobs j where j.id = s.job_id and j.state = 'cancelled')
$$;

-- Takes a resend back, while its mail waits: it is cancelled, and the verification is as it was. Verdicts as above, and
-- begun: a worker has begun the mail
-- undone
create function undo_resend(
    entry bigint, who text, door text, why text,
    out verdict text, out chosen bigint, out act text, out whose bigint, out target bigint, out since bigint
) language plpgsql security definer as $$
declare
    e audit_log;
    mail sends;
    is_open boolean;
begin
    select u.chosen, u.verdict, u.since
    into undo_resend.chosen, undo_resend.verdict, undo_resend.since
    from entry_to_undo(entry, who, why) u;
    select a.* into e from audit_log a where a.id = chosen;
    act := e.action;
    whose := e.user_id;
    target := e.verification_id;
    if verdict is null and e.action <> 'resend' then
        verdict := 'never';
    end if;
    if verdict is not null then
        return;
    end if;
    -- Waits for a worker that has it in hand; what that has begun is not queued any more.
    select s.* into mail from sends s where s.id = e.send_id for update;
    if mail.state is distinct from 'queued' then
        verdict := case when mail.state is null or mail.state = 'cancelled' then 'moved_on' else 'begun' end;
        return;
    end if;
    select v.verified_at is null and v.revoked_at is null into is_open from verifications v where v.id = e.verification_id;
    if mail.queued_at <> e.at or is_open is not true then
        verdict := 'moved_on';
        return;
    end if;
    if e.outcome <> 'new_key' and e.before is null then
        -- By a version that did not keep what was before.
        verdict := 'never';
        return;
    end if;
    if e.outcome = 'brought_forward' then
        update sends s
        set due_at = (e.before ->> 'due_at')::timestamptz, queued_at = (e.before ->> 'queued_at')::timestamptz,
            priority = (e.before ->> 'priority')::smallint, changed_at = now()
        where s.id = mail.id;
    else
        update sends s
        set state = 'cancelled', reason = 'the resend was taken back', changed_at = now(), lease_by = null,
            lease_until = null
        where s.id = mail.id;
    end if;
    if e.outcome = 'same_link' then
        update verifications v set expires_at = (e.before ->> 'expires_at')::timestamptz where v.id = e.verification_id;
    elsif e.outcome = 'new_key' then
        update verifications v set revoked_at = greatest(now(), v.created_at) where v.id = e.verification_id;
        -- The one that it took the place of.
        update verifications v
        set revoked_at = null
        where
            v.id in (
                select a.verification_id
                from audit_log a
                where a.user_id = e.user_id and a.at = e.at and a.action = 'supersede'
            )
            and v.user_id = e.user_id
            and v.verified_at is null
            and v.revoked_at = greatest(e.at, v.created_at);
    end if;
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, send_id, undoes)
    values (who, door, 'undo', e.action, nullif(btrim(why), ''), e.user_id, e.verification_id, e.send_id, e.id);
    verdict := 'undone';
end
$$;

-- Takes another act back: a force-verify, an un-verify, a revocation, an extension, a change of address, a pause, a drain,
-- a bulk resend in its grace. Verdicts as above, and
-- address_taken: another user has the address that it was
create function undo_act(
    entry bigint, who text, door text, why text,
    out verdict text, out chosen bigint, out act text, out whose bigint, out target bigint, out since bigint
) language plpgsql security definer as $$
declare
    e audit_log;
    was timestamptz;
    made bigint;
begin
    select u.chosen, u.verdict, u.since
    into undo_act.chosen, undo_act.verdict, undo_act.since
    from entry_to_undo(entry, who, why) u;
    select a.* into e from audit_log a where a.id = chosen;
    act := e.action;
    whose := e.user_id;
    target := e.verification_id;
    if verdict is null and (
        e.action = 'resend'
        -- By a version that did not keep what is needed for it.
        or e.action in ('unverify', 'revoke', 'extend', 'change_address', 'pause', 'drain') and e.before is null
        or e.action = 'extend' and e.after is null
        or e.action = 'change_address' and e.before -> 'verifications' is null
    ) then
        verdict := 'never';
    end if;
    if verdict is not null then
        return;
    end if;
    was := (e.before ->> 'verified_at')::timestamptz;
    verdict := 'moved_on';

    if e.action = 'force_verify' then
        update users u
        set verified_at = null
        from verifications v
        where
            u.id = e.user_id
            and v.id = e.verification_id
            and v.user_id = u.id
            and u.verified_at = v.verified_at
            -- Opened since, its user has seen the page of success.
            and coalesce(v.opened_at <= e.at, true);
        if not found then
            return;
        end if;
        update verifications v
        set
            verified_at = null,
            -- Where there was none open it was made for this, and no one has its key.
            revoked_at = case when v.created_at = e.at then greatest(now(), v.created_at) end
        where v.id = e.verification_id;
        perform restore_mails(e.user_id, e.verification_id, e.at);
    elsif e.action in ('unverify', 'revoke') then
        update verifications v
        set verified_at = was, revoked_at = null
        from users u
        where
            v.id = e.verification_id
            and u.id = v.user_id
            and u.verified_at is null
            and v.revoked_at = greatest(e.at, v.created_at)
            and not exists (
                select
                from verifications o
                where o.user_id = u.id and o.verified_at is null and o.revoked_at is null
            );
        if not found then
            return;
        end if;
        if e.action = 'unverify' then
            update users u set verified_at = was where u.id = e.user_id;
        else
            perform restore_mails(e.user_id, e.verification_id, e.at);
        end if;
    elsif e.action = 'extend' then
        update verifications v
        set expires_at = (e.before ->> 'expires_at')::timestamptz
        where
            v.id = e.verification_id
            and v.verified_at is null
            and v.revoked_at is null
            and v.expires_at = (e.after ->> 'expires_at')::timestamptz;
        if not found then
            return;
        end if;
    elsif e.action = 'change_address' then
        select a.verification_id
        into made
        from audit_log a
        join verifications v on v.id = a.verification_id and v.verified_at is null and v.revoked_at is null
        where a.user_id = e.user_id and a.at = e.at and a.action = 'resend';
        if not found then
            return;
        end if;
        begin
            update users u set email = e.before ->> 'email', verified_at = was where u.id = e.user_id;
        exception when unique_violation then
            verdict := 'address_taken';
            return;
        end;
        -- Its mail may be on its way: the link in it does not work.
        update verifications v set revoked_at = greatest(now(), v.created_at) where v.id = made;
        update sends s
        set state = 'cancelled', reason = 'the change of address was taken back', changed_at = now(), lease_by = null,
            lease_until = null
        where s.verification_id = made and s.state = 'queued';
        update verifications v
        set revoked_at = null, verified_at = (kept ->> 'verified_at')::timestamptz
        from jsonb_array_elements(e.before -> 'verifications') kept
        where
            v.id = (kept ->> 'id')::bigint
            and v.user_id = e.user_id
            and v.revoked_at = greatest(e.at, v.created_at);
        perform restore_mails(e.user_id, null, e.at);
    elsif e.action in ('pause', 'drain') then
        update brake b
        set
            state = p.state, cause = p.cause, set_by = p.set_by, reason = p.reason, set_at = p.set_at, until = p.until,
            probe_at = p.probe_at, probes = p.probes, probed_at = p.probed_at, drain_set_by = p.drain_set_by,
            drain_reason = p.drain_reason, drain_set_at = p.drain_set_at
        from jsonb_populate_record(null::brake, e.before) p
        where
            b.set_at = e.at
            and b.cause = 'operator'
            and b.state = case when e.action = 'pause' then 'paused' else 'draining' end;
        if not found then
            return;
        end if;
    else
        update jobs j
        set state = 'cancelled', reason = 'taken back by ' || who, ended_at = now()
        where
            j.created_at = e.at
            and j.created_by = e.actor
            and j.state in ('running', 'paused')
            and j.starts_at > now()
            and j.looked_at = 0;
        if not found then
            if exists (
                select from jobs j where j.created_at = e.at and j.created_by = e.actor and j.state <> 'cancelled'
            ) then
                verdict := 'begun';
            end if;
            return;
        end if;
    end if;

    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, undoes)
    values (who, door, 'undo', e.action, nullif(btrim(why), ''), e.user_id, e.verification_id, e.id);
    verdict := 'undone';
end
$$;

do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'undo_resend(bigint, text, text, text)', 'undo_act(bigint, text, text, text)',
        'extend_verification(bigint, text, text, text, double precision)',
        'change_address(bigint, text, text, text, text)'
    ] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
revoke execute on function entry_to_undo(bigint, text, text) from public;
revoke execute on function restore_mails(bigint, bigint, timestamptz) from public;
