-- Webhooks tell of links that expired, at endpoints whose settings want that.
alter table webhook_endpoints add column wants_expired boolean not null default false;

-- Up to where that was looked: one row, and none while no endpoint wants it. What has expired before is not told.
create table webhook_expiry (
    is_one boolean primary key default true,
    until_at timestamptz not null,
    until_id bigint not null,
    constraint webhook_expiry_one check (is_one)
);

-- Tells of the next verifications that have expired while they were open: neither verified, revoked nor superseded, of users
-- who are neither verified nor being deleted; of each once, also if it was extended and expires again. Returns how many it
-- has looked at. A user whose row someone holds is waited for by the next round, and all behind them: held rows are not
-- waited for while others are held here.
create function tell_of_expired(most integer) returns integer language plpgsql security definer as $$
declare
    mark record;
    one record;
    known record;
    message bigint;
    looked integer := 0;
begin
    if not exists (
        select from webhook_endpoints e where e.wants_expired and e.name in (select told_endpoints())
    ) then
        delete from webhook_expiry;
        return 0;
    end if;
    insert into webhook_expiry (until_at, until_id) values (now(), 0) on conflict do nothing;
    -- Another worker is at it, or this is the first time: then nothing has expired since.
    select least(x.until_at, now()) as at, x.until_id as id into mark from webhook_expiry x for update skip locked;
    if not found then
        return 0;
    end if;
    for one in
        select v.id, v.user_id, v.expires_at
        from verifications v
        where
            v.verified_at is null
            and v.revoked_at is null
            and (v.expires_at, v.id) > (mark.at, mark.id)
            and v.expires_at <= now()
        order by v.expires_at, v.id
        limit most
    loop
        select u.email, u.verified_at, u.delete_after
        into known
        from users u
        where u.id = one.user_id
        for no key update skip locked;
        if not found then
            exit when exists (select from users u where u.id = one.user_id);
        -- As it is under the lock.
        elsif
            known.verified_at is null
            and known.delete_after is null
            and exists (
                select
                from verifications v
                where v.id = one.id and v.verified_at is null and v.revoked_at is null and v.expires_at <= now()
            )
            and not exists (
                select
                from webhook_messages m
                where
                    m.user_id = one.user_id
                    and m.kind = 'verification.expired'
                    and m.body::jsonb #>> '{data,verification_id}' = one.id::text
            )
        then
            insert into webhook_messages (kind, user_id, body)
            values (
                'verification.expired',
                one.user_id,
                json_strip_nulls(json_build_object(
                    'type', 'verification.expired',
                    'timestamp', webhook_time(one.expires_at),
                    'data', json_build_object(
                        'user_id', one.user_id,
                        'email', known.email,
                        'verification_id', one.id,
                        'expires_at', webhook_time(one.expires_at)
                    )
                ))::text
            )
            returning id into message;
            insert into webhook_deliveries (message_id, endpoint, user_id)
            select message, e.name, one.user_id
            from webhook_endpoints e
            where e.wants_expired and e.name in (select told_endpoints());
        end if;
        looked := looked + 1;
        mark.at := one.expires_at;
        mark.id := one.id;
    end loop;
    update webhook_expiry set until_at = mark.at, until_id = mark.id where looked > 0;
    return looked;
end
$$;

do $$
begin
    execute format('alter function tell_of_expired(integer) set search_path = pg_catalog, %I, pg_temp', current_schema());
    revoke execute on function tell_of_expired(integer) from public;
end
$$;
