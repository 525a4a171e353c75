-- Workers whose secrets do not fit together would revoke each other's links: one of them waits until the others are gone.

alter table workers add column secret_previous_fingerprint text;
-- The worker that this one waits for; null once it may work.
alter table workers add column waits_for uuid;

-- Writes a worker's heartbeat and says whether it may work; if not, which worker it waits for. One that is at work stays
-- so. Any other may work if its secrets and those of each that is at work fit together: each can make the keys that the
-- other makes today. Of those that come at once one is first: what follows the lock is read after it was had, as each
-- statement of a volatile function has a snapshot of its own.
create function admit_worker(
    run uuid, machine text, process integer, way text, destination text, secret text, previous text,
    gone_after double precision,
    out blocker uuid, out blocker_host text, out blocker_pid integer, out blocker_secret text,
    out blocker_silent double precision
) language plpgsql as $$
declare
    moment timestamptz;
begin
    perform pg_advisory_xact_lock(hashtextextended('verifydesk: which workers may work', 0));
    moment := clock_timestamp();
    if not exists (
        select
        from workers w
        where
            w.id = run
            and w.stopped_at is null
            and w.waits_for is null
            and w.beat_at > moment - make_interval(secs => gone_after)
            and w.beat_at <= moment
    ) then
        select w.id, w.host, w.pid, w.secret_fingerprint, extract(epoch from moment - w.beat_at)
        into blocker, blocker_host, blocker_pid, blocker_secret, blocker_silent
        from workers w
        where
            w.id <> run
            and w.stopped_at is null
            and w.waits_for is null
            and w.beat_at > moment - make_interval(secs => gone_after)
            and w.beat_at <= moment
            and not (
                secret = w.secret_fingerprint
                or secret is not distinct from w.secret_previous_fingerprint
                and w.secret_fingerprint is not distinct from previous
            )
        order by w.started_at, w.id
        limit 1;
    end if;
    insert into workers (
        id, host, pid, transport, target, secret_fingerprint, secret_previous_fingerprint, beat_at, waits_for
    )
    values (run, machine, process, way, destination, secret, previous, moment, blocker)
    on conflict (id) do update
    set
        beat_at = excluded.beat_at,
        stopped_at = null,
        secret_fingerprint = excluded.secret_fingerprint,
        secret_previous_fingerprint = excluded.secret_previous_fingerprint,
        waits_for = excluded.waits_for;
end
$$;
