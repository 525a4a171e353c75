-- How fast the outbox is worked off, the brake that stops it, and sends whose answer was lost.

-- One row, shared by every worker on every host.
create table pace (
    only_row boolean primary key default true,
    -- Mails a second: what the account may send, and what is tried just now.
    limit_rate double precision not null default 14,
    rate double precision not null default 14,
    -- Mails in any 24 hours; null for no limit.
    daily_quota bigint,
    -- When the next mail may go.
    next_at timestamptz not null default now(),
    -- When an answer of the server last lowered the rate.
    lowered_at timestamptz,
    -- Drawn in the minute named, and in the 24 hours before it.
    minute timestamptz not null default date_trunc('minute', now()),
    minute_drawn bigint not null default 0,
    earlier_drawn bigint not null default 0,
    constraint pace_one_row check (only_row),
    constraint pace_limit_positive check (limit_rate > 0),
    constraint pace_rate_within_limit check (rate > 0 and rate <= limit_rate),
    constraint pace_quota_positive check (daily_quota >= 0),
    constraint pace_drawn_positive check (minute_drawn >= 0 and earlier_drawn >= 0)
);
insert into pace default values;

-- The minutes before the one in `pace`, for a day.
create table pace_minutes (
    minute timestamptz primary key,
    drawn bigint not null
);

-- One row: whether anything goes out at all.
create table brake (
    only_row boolean primary key default true,
    state text not null default 'off',
    -- What stopped it, who, why, since when, and until when if it ends by itself.
    cause text,
    set_by text,
    reason text,
    set_at timestamptz,
    until timestamptz,
    -- Results before this do not put it on again.
    released_at timestamptz not null default now(),
    constraint brake_one_row check (only_row),
    constraint brake_state_known check (state in ('off', 'draining', 'paused')),
    constraint brake_cause_known check (cause in ('operator', 'reputation', 'quota', 'configuration')),
    constraint brake_explained check (
        case
            when state = 'off' then num_nonnulls(cause, set_by, reason, set_at, until) = 0
            else num_nulls(cause, set_by, reason, set_at) = 0
        end),
    constraint brake_reason_length check (char_length(reason) between 1 and 1000)
);
insert into brake default values;

-- How often the answer to this send was lost; the mail may have gone out as often. While *unknown*: when it is tried
-- again without one.
alter table sends add column lost smallint not null default 0;
alter table sends add column retry_at timestamptz;
alter table sends add constraint sends_lost_positive check (lost >= 0);
alter table sends add constraint sends_retry_while_unknown check (retry_at is null or state = 'unknown');
create index sends_retry on sends (retry_at) where retry_at is not null;

-- Mails a second since the heartbeat before, and over how many lanes.
alter table workers add column rate double precision not null default 0;
alter table workers add column lanes integer not null default 0;
