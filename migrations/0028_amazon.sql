-- What workers have found out from Amazon's API, each with its age.

-- A queue that SES's events come by: how much is in it, and what was left there since it is no event.
create table event_queues (
    url text primary key,
    -- Who asks last did so then; the others wait.
    asked_at timestamptz not null default now(),
    -- Since when these are so.
    seen_at timestamptz,
    waiting bigint,
    in_flight bigint,
    -- In its dead-letter queue; null where it has none, or where that cannot be asked.
    dead bigint,
    has_dead_letter_queue boolean,
    left_alone bigint not null default 0,
    left_at timestamptz,
    -- Why it could not be asked or read, while that is so.
    error text,
    failed_at timestamptz,
    constraint event_queues_url_length check (char_length(url) between 1 and 2000)
);

-- The SES account of the workers.
create table ses_account (
    one boolean primary key default true check (one),
    asked_at timestamptz not null default now(),
    seen_at timestamptz,
    region text,
    is_sandbox boolean,
    can_send boolean,
    -- HEALTHY, PROBATION, SHUTDOWN.
    enforcement text,
    -- Mails a second; mails in 24 hours, null for no limit; mails of the last 24 hours, by whoever uses the account.
    rate_max double precision,
    daily_max double precision,
    sent double precision,
    error text,
    failed_at timestamptz
);
