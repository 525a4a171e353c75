-- As before, but for this: an event that comes late says nothing of the suppression list that is newer than what was found out
-- or done since it happened. Who was taken off the list after a mail had been held back by it is off it.
create or replace function apply_events(given jsonb) returns setof bigint language plpgsql as $$
begin
    insert into send_messages as m (send_id, ses_id, attempt, fate, against_us)
    select e.send_id, e.ses_id, max(e.attempt), max(e.fate), bool_or(e.against_us)
    from jsonb_to_recordset(given)
        as e (send_id uuid, ses_id text, attempt smallint, fate smallint, against_us boolean)
    where e.fate is not null
    group by e.send_id, e.ses_id
    order by e.send_id, e.ses_id
    on conflict (send_id, ses_id) do update
    set
        attempt = coalesce(m.attempt, excluded.attempt),
        fate = greatest(m.fate, excluded.fate),
        against_us = m.against_us or excluded.against_us;

    insert into address_states as a (address, takes_at, soft_at, suppressed_at, hard_at, complained_at)
    select
        address,
        max(e.occurred_at) filter (where e.mark = 'takes'),
        max(e.occurred_at) filter (where e.mark = 'soft'),
        max(e.occurred_at) filter (
            where
                e.mark = 'suppressed'
                and not exists (
                    select
                    from suppressions x
                    where x.address = address.address and x.reason is null and x.checked_at >= e.occurred_at
                )
        ),
        max(e.occurred_at) filter (where e.mark = 'hard'),
        max(e.occurred_at) filter (where e.mark = 'complained')
    from jsonb_to_recordset(given) as e (send_id uuid, recipients text[], mark text, occurred_at timestamptz)
    -- A deleted user's is forgotten.
    join sends s on s.id = e.send_id and s.user_id is not null
    cross join unnest(e.recipients) as address
    where e.mark is not null and lower(s.recipient) = address
    group by address
    order by address
    on conflict (address) do update
    set
        takes_at = greatest(a.takes_at, excluded.takes_at),
        soft_at = greatest(a.soft_at, excluded.soft_at),
        suppressed_at = greatest(a.suppressed_at, excluded.suppressed_at),
        hard_at = greatest(a.hard_at, excluded.hard_at),
        complained_at = greatest(a.complained_at, excluded.complained_at);

    return query
    select settle_by_events((
        select coalesce(array_agg(distinct e.send_id), '{}')
        from jsonb_to_recordset(given) as e (send_id uuid, fate smallint)
        where e.fate is not null
    ));
end
$$;

do $$
declare
    setting text;
begin
    foreach setting in array array['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin'] loop
        execute format('alter function apply_events(jsonb) set %s = off', setting);
    end loop;
    execute format('alter function apply_events(jsonb) set search_path = pg_catalog, %I, pg_temp', current_schema());
    execute 'revoke execute on function apply_events(jsonb) from public';
end
$$;
