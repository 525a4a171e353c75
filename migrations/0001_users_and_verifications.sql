-- Users and their verifications, made for ten million of each.

-- Substring search on e-mails and names. A trusted extension: the database's owner may create it.
create extension if not exists pg_trgm;

create table users (
    id bigint generated always as identity primary key,
    email text not null,
    name text not null default '',
    locale text not null default 'ko',
    created_at timestamptz not null default now(),
    verified_at timestamptz,
    constraint users_email_length check (char_length(email) between 3 and 254),
    -- ASCII without spaces and control characters, one part before and one behind the @.
    constraint users_email_shape check (email ~ '^[!-?A-~]+@[!-?A-~]+$'),
    constraint users_name_length check (char_length(name) <= 64),
    constraint users_locale_known check (locale in ('ko', 'en')),
    constraint users_verified_after_created check (verified_at >= created_at)
);

-- One account an address, however it is capitalised. text_pattern_ops serves equality and the prefix search.
create unique index users_email_key on users (lower(email) text_pattern_ops);
create index users_name_prefix on users (lower(name) text_pattern_ops);
create index users_email_trigrams on users using gin (lower(email) gin_trgm_ops);
create index users_name_trigrams on users using gin (lower(name) gin_trgm_ops);

create table verifications (
    id bigint generated always as identity primary key,
    user_id bigint not null references users on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    verified_at timestamptz,
    revoked_at timestamptz,
    -- When the link was first opened, whatever came of it.
    opened_at timestamptz,
    -- The key is derived from the server's secret, the id and this nonce; the row holds only its SHA-256, and that
    -- from its first mailing on.
    key_nonce bytea not null,
    key_digest bytea,
    constraint verifications_nonce_length check (octet_length(key_nonce) = 16),
    constraint verifications_digest_length check (octet_length(key_digest) = 32),
    constraint verifications_expires_after_created check (expires_at > created_at),
    constraint verifications_verified_after_created check (verified_at >= created_at),
    constraint verifications_revoked_after_created check (revoked_at >= created_at),
    constraint verifications_verified_or_revoked check (verified_at is null or revoked_at is null)
);

-- The link's look-up.
create unique index verifications_key_digest on verifications (key_digest) where key_digest is not null;
-- At most one of a user's is neither verified nor revoked.
create unique index verifications_one_open on verifications (user_id)
    where verified_at is null and revoked_at is null;
-- One index an order: Pending and Expired share the first.
create index verifications_open on verifications (expires_at, id)
    where verified_at is null and revoked_at is null;
create index verifications_verified on verifications (verified_at, id) where verified_at is not null;
create index verifications_revoked on verifications (revoked_at, id) where revoked_at is not null;
create index verifications_created on verifications (created_at, id);
create index verifications_user on verifications (user_id, id);

-- How many there are of each status, without walking over them. Acts append deltas, which lock nothing; whoever reads
-- adds them up, and the worker rolls them into the one row now and then.
create table verification_counts (
    only_row boolean primary key default true,
    open bigint not null default 0,
    verified bigint not null default 0,
    revoked bigint not null default 0,
    constraint verification_counts_one_row check (only_row)
);
insert into verification_counts default values;

create table verification_count_deltas (
    id bigint generated always as identity primary key,
    open bigint not null,
    verified bigint not null,
    revoked bigint not null
);

create function count_verifications() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into verification_count_deltas (open, verified, revoked)
        select
            count(*) filter (where verified_at is null and revoked_at is null),
            count(*) filter (where verified_at is not null),
            count(*) filter (where verified_at is null and revoked_at is not null)
        from new_rows
        having count(*) > 0;
    elsif tg_op = 'DELETE' then
        insert into verification_count_deltas (open, verified, revoked)
        select
            -count(*) filter (where verified_at is null and revoked_at is null),
            -count(*) filter (where verified_at is not null),
            -count(*) filter (where verified_at is null and revoked_at is not null)
        from old_rows
        having count(*) > 0;
    else
        insert into verification_count_deltas (open, verified, revoked)
        select *
        from (
            select
                coalesce(sum(sign) filter (where verified_at is null and revoked_at is null), 0) as open,
                coalesce(sum(sign) filter (where verified_at is not null), 0) as verified,
                coalesce(sum(sign) filter (where verified_at is null and revoked_at is not null), 0) as revoked
            from (
                select 1 as sign, verified_at, revoked_at from new_rows
                union all
                select -1, verified_at, revoked_at from old_rows
            ) as both_rows
        ) as delta
        where (open, verified, revoked) <> (0, 0, 0);
    end if;
    return null;
end
$$;

create trigger verifications_counted_on_insert after insert on verifications
    referencing new table as new_rows for each statement execute function count_verifications();
create trigger verifications_counted_on_update after update on verifications
    referencing old table as old_rows new table as new_rows for each statement execute function count_verifications();
create trigger verifications_counted_on_delete after delete on verifications
    referencing old table as old_rows for each statement execute function count_verifications();
