-- When Amazon's API was last asked about the account, by any worker: it takes one call a second.
alter table ses_account add column called_at timestamptz not null default '-infinity';

-- What SES's suppression list of the account says of addresses that were mailed again, in lower case.
create table suppressions (
    address text primary key,
    checked_at timestamptz not null default now(),
    -- BOUNCE or COMPLAINT; null where it is not on the list.
    reason text,
    -- Since when, and the mail that was the cause, as far as SES says so.
    since timestamptz,
    ses_id text,
    constraint suppressions_times_bounded check (
        least(checked_at, since) >= '0001-01-01 00:00:00+00'
        and greatest(checked_at, since) < '10000-01-01 00:00:00+00')
);
create index suppressions_checked on suppressions (checked_at);

-- As before, and what was asked of the address.
create or replace function forget_user() returns trigger language plpgsql security definer as $$
begin
    delete from ses_events where send_id in (select id from sends where user_id = old.id);
    delete from ses_events where send_id is null and recipients @> array[lower(old.email)];
    delete from address_states where address = lower(old.email);
    delete from suppressions where address = lower(old.email);
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
do $$
begin
    execute format('alter function forget_user() set search_path = pg_catalog, %I, pg_temp', current_schema());
end
$$;
