-- A server that takes no mail at all pauses the outbox, until one that is tried now and then is taken.

alter table brake
    -- When the next mail may be tried, how many were, and when the last was; only while refusals are the cause.
    add column probe_at timestamptz,
    add column probes smallint not null default 0,
    add column probed_at timestamptz,
    -- How many runs of refusals a mail that was taken has ended.
    add column runs_ended bigint not null default 0,
    -- The drain that a pause by refusals has interrupted, and that goes on after it.
    add column drain_set_by text,
    add column drain_reason text,
    add column drain_set_at timestamptz;
alter table brake drop constraint brake_cause_known;
alter table brake add constraint brake_cause_known
    check (cause in ('operator', 'reputation', 'quota', 'configuration', 'refusals')) not valid;
alter table brake validate constraint brake_cause_known;
alter table brake add constraint brake_probed_for_refusals
    check (probe_at is null or cause is not distinct from 'refusals') not valid;
alter table brake validate constraint brake_probed_for_refusals;

alter table brake add constraint brake_probe_times_bounded check (
    least(probe_at, probed_at, drain_set_at) >= '0001-01-01 00:00:00+00'
    and greatest(probe_at, probed_at, drain_set_at) < '10000-01-01 00:00:00+00') not valid;
alter table brake validate constraint brake_probe_times_bounded;

-- Mails that were refused, put off or lost since the last one was taken, by whichever worker. No reference to `sends`: it
-- would lock a table of millions to be made, and a row of it for each refusal; what is no longer there is not counted.
create table refused_sends (
    send_id uuid primary key,
    -- How many of its tries are to be forgotten when it is queued again; none if it is not to be.
    tries smallint not null,
    -- Whether what was said speaks of us, not of the recipient.
    of_us boolean not null,
    noted_at timestamptz not null default now(),
    constraint refused_sends_tries_positive check (tries >= 0)
);
