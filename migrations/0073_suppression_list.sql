-- The newest part of SES's suppression list as AWS has it, read page by page: an account may have a million addresses on it,
-- and SES takes one call a second. Of others it is known what was asked (`suppressions`).
create table suppression_list (
    address text primary key,
    reason text not null,
    since timestamptz not null,
    -- In which reading it was seen last.
    reading bigint not null,
    constraint suppression_list_texts check (char_length(address) between 1 and 320 and char_length(reason) <= 40),
    constraint suppression_list_times_bounded check (
        since >= '0001-01-01 00:00:00+00' and since < '10000-01-01 00:00:00+00')
);
create index suppression_list_since on suppression_list (since desc, address);

-- How far reading it is: one row.
create table suppression_reading (
    one boolean primary key default true,
    reading bigint not null,
    begun_at timestamptz not null,
    -- When a page was asked for last.
    asked_at timestamptz not null default now(),
    -- Which part is read: 0 is the whole, the others are newer and newer ones (src/store/suppression_list.rs).
    part smallint not null,
    -- When the whole was tried last, which may be too long.
    whole_at timestamptz not null,
    -- Where the next page begins; null where no reading is under way.
    next_token text,
    pages integer not null default 0,
    -- When it was last read as far as it is read; and since when that goes back, where it is not the whole.
    read_at timestamptz,
    goes_back_to timestamptz,
    -- Why it cannot be read, while that is so, and since when; and the right that is missing, where that is why.
    trouble text,
    failed_at timestamptz,
    permission text,
    constraint suppression_reading_one check (one),
    constraint suppression_reading_lengths check (
        char_length(next_token) <= 10000 and char_length(trouble) <= 2000 and char_length(permission) <= 100)
);

-- As before, and from this list: it is AWS's, and has them again as long as AWS does.
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
    delete from suppression_list where address = any(theirs);
    delete from account_acts where address = any(theirs);
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
    execute 'revoke execute on function forget_user() from public';
end
$$;
