-- What is old goes: events by the week, finished sends in batches.

-- The weeks of events that are wholly before then. Events that come again are recognized for 15 days.
create function old_event_weeks(before timestamptz) returns setof text language sql stable as $$
    select c.relname::text
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where
        i.inhparent = 'ses_events'::regclass
        and c.relname ~ '^ses_events_\d{8}$'
        and (to_date(right(c.relname, 8), 'YYYYMMDD') + 7)::timestamp at time zone 'utc'
            <= least(before, now() - interval '15 days')
    order by c.relname
$$;

-- Drops one of them; false where others read or write events just now, who wait for a moment at most.
create function drop_event_week(week text, before timestamptz) returns boolean language plpgsql security definer as $$
declare
    home text := (select nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid
        where c.oid = 'ses_events'::regclass);
begin
    if exists (select from old_event_weeks(before) as old where old = week) then
        execute format('drop table if exists %I.%I', home, week);
    end if;
    return true;
exception when lock_not_available or deadlock_detected then
    return false;
end
$$;

-- Removes the finished sends among the next `most` by id after `since`, those that ended before then, with what hangs on
-- them. What others still ask about stays: what waits, 30 days (caps, cool-downs), the mails from `counted` on (the
-- brake's), those of a bulk resend that goes on, and of each user the newest that a server answered, if it means that they
-- get no more mail. `reached` is where to go on; null at the end. A trial only counts.
create function prune_sends(
    before timestamptz, counted uuid, since uuid, most integer, is_trial boolean, out pruned bigint, out reached uuid
) language plpgsql security definer as $$
declare
    answered constant text[] := array['accepted', 'delivered', 'delayed', 'bounced', 'complained', 'rejected'];
    ended_by constant timestamptz := least(before, now() - interval '30 days');
    -- Ids begin with when they were made, in milliseconds.
    below constant uuid :=
        rpad(lpad(to_hex(greatest(extract(epoch from ended_by) * 1000, 0)::bigint), 12, '0'), 32, '0')::uuid;
    looked uuid[];
    old uuid[];
begin
    looked := array(
        select s.id from sends s where s.id > since and s.id < least(below, counted) order by s.id limit most);
    reached := case when cardinality(looked) = most then looked[most] end;
    old := array(
        select s.id
        from sends s
        where
            s.id = any(looked)
            and s.state not in ('queued', 'sending')
            and s.retry_at is null
            and s.changed_at < ended_by
            and not exists (select from jobs j where j.id = s.job_id and j.ended_at is null)
            and (
                s.user_id is null
                or s.state <> all(answered)
                or exists (
                    select from sends n where n.user_id = s.user_id and n.id > s.id and n.state = any(answered)
                )
                or not exists (select from address_block(s.id, s.state) b where b.block is not null)
                -- Nor may an older one become the newest.
                and not exists (
                    select
                    from sends o
                    where
                        o.user_id = s.user_id
                        and o.id < s.id
                        and o.state = any(answered)
                        and (o.retry_at is not null or o.changed_at >= ended_by)
                )
            )
        order by s.id
    );
    if not is_trial then
        old := array(
            select s.id
            from sends s
            where
                s.id = any(old)
                and s.state not in ('queued', 'sending')
                and s.retry_at is null
                and s.changed_at < ended_by
            order by s.id
            for update skip locked
        );
        delete from ses_events e where e.send_id = any(old);
        delete from refused_sends r where r.send_id = any(old);
        delete from sends s where s.id = any(old);
    end if;
    pruned := cardinality(old);
end
$$;

do $$
declare
    pinned text;
begin
    foreach pinned in array array[
        'old_event_weeks(timestamptz)', 'drop_event_week(text, timestamptz)',
        'prune_sends(timestamptz, uuid, uuid, integer, boolean)'
    ] loop
        execute format('alter function %s set search_path = pg_catalog, %I, pg_temp', pinned, current_schema());
        execute format('revoke execute on function %s from public', pinned);
    end loop;
end
$$;
alter function drop_event_week(text, timestamptz) set lock_timeout = '200ms';
