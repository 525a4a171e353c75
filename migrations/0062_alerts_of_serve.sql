-- Who watches where no worker does: `serve`. Its login reads neither workers nor alerts. It watches and tells by functions
-- that know one kind of alert only: with rights on the tables, who has broken into it could silence all others.

-- Begins and ends the alert that there is no worker: none was heard of for two minutes. Who asks must have watched for as
-- long (`watched`, in seconds): after the database was away, or on a host that starts, workers need a moment.
create function judge_workers(watched double precision, out began bigint, out ended bigint)
language plpgsql security definer as $$
declare
    last record;
begin
    began := 0;
    ended := 0;
    if current_setting('transaction_read_only') = 'on' then
        return;
    end if;
    -- One from the future is none: a clock that was set back would keep a dead worker alive.
    select w.beat_at, left(w.host, 200) as host
    into last
    from workers w
    where w.beat_at <= now() + interval '5 seconds'
    order by w.beat_at desc
    limit 1;
    if last.beat_at > now() - interval '2 minutes' then
        update alerts a set ended_at = now() where a.kind = 'no_worker' and a.ended_at is null;
        get diagnostics ended = row_count;
    elsif watched >= 120 and not exists (select from alerts a where a.kind = 'no_worker' and a.ended_at is null) then
        insert into alerts as a (kind, summary)
        values (
            'no_worker',
            case
                when last.beat_at is null then 'no worker has ever been heard of'
                else format(
                    'no worker has been heard of since %s UTC; the last was on %s',
                    to_char(last.beat_at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS'), last.host)
            end)
        on conflict (kind, subject) where a.ended_at is null do nothing;
        get diagnostics began = row_count;
    end if;
end
$$;

-- The next of which someone is to be told in one of these ways, in the caller's hands for so many seconds; of some kinds
-- only, or of all (null). It is tried ten times, with an hour between two tries at most. Of one who was not tried to be told
-- that it began, none says that it ended.
create function claim_notice(kinds text[], ways text[], hold double precision)
returns table (
    alert_id bigint, phase text, way text, kind text, subject text, summary text, began_at timestamptz,
    ended_at timestamptz
)
language sql as $$
    with due as (
        select a.id, phase.phase, way.way
        from alerts a
        cross join unnest(array['began', 'ended']) as phase (phase)
        cross join unnest(ways) as way (way)
        left join alert_notices n on (n.alert_id, n.phase, n.way) = (a.id, phase.phase, way.way)
        where
            (kinds is null or a.kind = any(kinds))
            and (phase.phase = 'ended') = (a.ended_at is not null)
            and (
                phase.phase = 'began'
                or exists (
                    select
                    from alert_notices b
                    where (b.alert_id, b.phase, b.way) = (a.id, 'began', way.way)
                )
            )
            and (n.alert_id is null or n.told_at is null and n.tries < 10)
            -- In another's hands, or tried a while ago. A clock that was set back keeps no one waiting.
            and (n.next_at is null or n.next_at not between now() and now() + interval '2 hours')
        order by a.id
        limit 1
    ),
    claimed as (
        insert into alert_notices as n (alert_id, phase, way, tries, next_at)
        select due.id, due.phase, due.way, 1, now() + make_interval(secs => hold) from due
        on conflict (alert_id, phase, way) do update
        set tries = n.tries + 1, next_at = excluded.next_at
        -- Another may have been faster.
        where n.told_at is null and n.next_at not between now() and now() + interval '2 hours'
        returning n.alert_id, n.phase, n.way
    )
    select a.id, c.phase, c.way, a.kind, a.subject, a.summary, a.began_at, a.ended_at
    from claimed c
    join alerts a on a.id = c.alert_id
$$;

-- Notes that someone was told, or why not; it is tried again after a wait that doubles.
create function note_notice(kinds text[], alert bigint, of_phase text, by_way text, why_not text) returns void
language sql as $$
    update alert_notices n
    set
        told_at = case when why_not is null then now() end,
        error = left(why_not, 1000),
        next_at = now() + make_interval(secs => least(15 * 2.0 ^ n.tries, 3600))
    from alerts a
    where
        a.id = n.alert_id
        and (kinds is null or a.kind = any(kinds))
        and (n.alert_id, n.phase, n.way) = (alert, of_phase, by_way)
$$;

-- The same two for `serve`.
create function claim_worker_notice(ways text[], hold double precision)
returns table (
    alert_id bigint, phase text, way text, kind text, subject text, summary text, began_at timestamptz,
    ended_at timestamptz
)
language sql security definer as $$
    select * from claim_notice(array['no_worker'], ways, hold)
$$;
create function note_worker_notice(alert bigint, of_phase text, by_way text, why_not text) returns void
language sql security definer as $$
    select note_notice(array['no_worker'], alert, of_phase, by_way, why_not)
$$;

do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'judge_workers(double precision)', 'claim_worker_notice(text[], double precision)',
        'note_worker_notice(bigint, text, text, text)'
    ] loop
        execute format(
            'alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
    end loop;
    foreach pinned in array array[
        'judge_workers(double precision)', 'claim_notice(text[], text[], double precision)',
        'note_notice(text[], bigint, text, text, text)', 'claim_worker_notice(text[], double precision)',
        'note_worker_notice(bigint, text, text, text)'
    ] loop
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
