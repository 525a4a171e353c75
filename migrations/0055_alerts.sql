-- What someone is to be told of: what is wrong, since when, and what came of telling them. One worker of all judges, now and
-- then; any may tell.

create table alerts (
    id bigint generated always as identity primary key,
    kind text not null,
    -- Which of its kind: a cause, a rate, a queue; empty where there can be only one.
    subject text not null default '',
    -- What was wrong when it began, in a line.
    summary text not null,
    began_at timestamptz not null default now(),
    ended_at timestamptz,
    constraint alerts_kind_is_a_word check (kind ~ '^[a-z_]{1,40}$'),
    constraint alerts_lengths check (char_length(subject) <= 2000 and char_length(summary) <= 2000)
);
-- Nothing begins twice before it has ended, whoever judges.
create unique index alerts_open on alerts (kind, subject) where ended_at is null;

-- Somebody was told, or is to be told again: that it began or that it ended, in one of the ways that are set.
create table alert_notices (
    alert_id bigint not null references alerts on delete cascade,
    phase text not null,
    way text not null,
    tries integer not null,
    -- Until then it is in the hands of who tried last; afterwards it is tried again, unless they were told.
    next_at timestamptz not null,
    told_at timestamptz,
    -- Why they were not.
    error text,
    primary key (alert_id, phase, way),
    constraint alert_notices_phase_known check (phase in ('began', 'ended')),
    constraint alert_notices_way_known check (way in ('command', 'webhook'))
);

-- Whose turn it was, and when the workers' counts of mails last changed.
create table alert_watch (
    one boolean primary key default true check (one),
    judged_at timestamptz not null default to_timestamp(0),
    sent bigint not null default 0,
    sent_at timestamptz not null default now()
);
insert into alert_watch default values;
