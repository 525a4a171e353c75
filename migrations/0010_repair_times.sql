-- no-transaction

-- Moves times of old rows into the bounds: "never" becomes the end of the year 9999, "always" the beginning of the year
-- 1. Users and verifications in pieces of so many rows, however far apart their numbers are, each committed by itself, so
-- that no writer waits for more than one of them: an import may have written `infinity` into every row. Last it
-- validates; only the audit log's old rows, which nothing may change, can stay outside the bounds, and then its
-- constraint stays `not valid` with a warning.
do $$
declare
    piece constant bigint := 20000;
    least_time constant timestamptz := '0001-01-01 00:00:00+00';
    most_time constant timestamptz := '9999-12-31 23:59:59+00';
    beyond constant timestamptz := '10000-01-01 00:00:00+00';
    first_id bigint;
    last_id bigint;
    checked record;
begin
    execute $function$
        create or replace function pg_temp.bounded(at timestamptz) returns timestamptz language sql immutable strict as
        'select least(greatest(at, ''0001-01-01 00:00:00+00''), ''9999-12-31 23:59:59+00'')'
    $function$;
    select min(id) into first_id from users;
    while first_id is not null loop
        select max(id) into last_id
        from (select id from users where id >= first_id order by id limit piece) as next_piece;
        update users
        set
            created_at = pg_temp.bounded(created_at),
            verified_at = pg_temp.bounded(verified_at)
        where
            id >= first_id
            and id <= last_id
            and (least(created_at, verified_at) < least_time or greatest(created_at, verified_at) >= beyond);
        commit;
        select min(id) into first_id from users where id > last_id;
    end loop;

    select min(id) into first_id from verifications;
    while first_id is not null loop
        select max(id) into last_id
        from (select id from verifications where id >= first_id order by id limit piece) as next_piece;
        update verifications
        set
            -- Even one that was made at the end of time expires after it.
            created_at = least(pg_temp.bounded(created_at), most_time - interval '1 second'),
            expires_at = greatest(pg_temp.bounded(expires_at), least_time + interval '1 second'),
            verified_at = pg_temp.bounded(verified_at),
            revoked_at = pg_temp.bounded(revoked_at),
            opened_at = pg_temp.bounded(opened_at)
        where
            id >= first_id
            and id <= last_id
            and (
                least(created_at, expires_at, verified_at, revoked_at, opened_at) < least_time
                or greatest(created_at, expires_at, verified_at, revoked_at, opened_at) >= beyond
            );
        commit;
        select min(id) into first_id from verifications where id > last_id;
    end loop;

    -- Only people write such times by hand into what follows: a few rows, if any.
    update sends
    set
        queued_at = pg_temp.bounded(queued_at),
        due_at = pg_temp.bounded(due_at),
        changed_at = pg_temp.bounded(changed_at),
        lease_until = pg_temp.bounded(lease_until),
        retry_at = pg_temp.bounded(retry_at)
    where
        least(queued_at, due_at, changed_at, lease_until, retry_at) < least_time
        or greatest(queued_at, due_at, changed_at, lease_until, retry_at) >= beyond;
    commit;
    update send_events
    set
        occurred_at = pg_temp.bounded(occurred_at),
        received_at = pg_temp.bounded(received_at)
    where least(occurred_at, received_at) < least_time or greatest(occurred_at, received_at) >= beyond;
    update jobs
    set
        created_at = pg_temp.bounded(created_at),
        since = pg_temp.bounded(since),
        until = pg_temp.bounded(until),
        cut_off = pg_temp.bounded(cut_off),
        starts_at = pg_temp.bounded(starts_at),
        ended_at = pg_temp.bounded(ended_at),
        after_at = pg_temp.bounded(after_at)
    where
        least(created_at, since, until, cut_off, starts_at, ended_at, after_at) < least_time
        or greatest(created_at, since, until, cut_off, starts_at, ended_at, after_at) >= beyond;
    delete from workers
    where least(started_at, beat_at, stopped_at) < least_time or greatest(started_at, beat_at, stopped_at) >= beyond;
    update brake
    set
        set_at = pg_temp.bounded(set_at),
        -- A pause until the end of time is one without an end.
        until = case when until < beyond then pg_temp.bounded(until) end,
        released_at = least(pg_temp.bounded(released_at), now())
    where least(set_at, until, released_at) < least_time or greatest(set_at, until, released_at) >= beyond;
    update pace
    set next_at = now(), lowered_at = null, minute = date_trunc('minute', now())
    where least(next_at, lowered_at, minute) < least_time or greatest(next_at, lowered_at, minute) >= beyond;
    delete from pace_minutes where minute < least_time or minute >= beyond;
    commit;

    for checked in
        select conrelid::regclass as tab, conname as con
        from pg_constraint
        where
            conname like '%\_times\_bounded'
            and not convalidated
            and connamespace = (select relnamespace from pg_class where oid = 'verifications'::regclass)
        order by conname
    loop
        begin
            execute format('alter table %s validate constraint %I', checked.tab, checked.con);
        exception when check_violation then
            raise warning '% has rows whose time lies outside of the years 1 to 9999; they are shown at those bounds', checked.tab;
        end;
        commit;
    end loop;
end
$$;
