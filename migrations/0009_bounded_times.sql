-- Every stored time lies within what RFC 3339 can write. PostgreSQL also knows `infinity` and years up to 294276, which
-- imports and people write for "never" and "always"; programs that read them break.
--
-- `not valid`: new rows are checked from now on, and no old one is read. The next migration repairs those and validates.

alter table users add constraint users_times_bounded check (
    least(created_at, verified_at) >= '0001-01-01 00:00:00+00'
    and greatest(created_at, verified_at) < '10000-01-01 00:00:00+00') not valid;

alter table verifications add constraint verifications_times_bounded check (
    least(created_at, expires_at, verified_at, revoked_at, opened_at) >= '0001-01-01 00:00:00+00'
    and greatest(created_at, expires_at, verified_at, revoked_at, opened_at) < '10000-01-01 00:00:00+00') not valid;

alter table sends add constraint sends_times_bounded check (
    least(queued_at, due_at, changed_at, lease_until, retry_at) >= '0001-01-01 00:00:00+00'
    and greatest(queued_at, due_at, changed_at, lease_until, retry_at) < '10000-01-01 00:00:00+00') not valid;

alter table send_events add constraint send_events_times_bounded check (
    least(occurred_at, received_at) >= '0001-01-01 00:00:00+00'
    and greatest(occurred_at, received_at) < '10000-01-01 00:00:00+00') not valid;

alter table audit_log add constraint audit_log_times_bounded check (
    at >= '0001-01-01 00:00:00+00' and at < '10000-01-01 00:00:00+00') not valid;

alter table jobs add constraint jobs_times_bounded check (
    least(created_at, since, until, cut_off, starts_at, ended_at, after_at) >= '0001-01-01 00:00:00+00'
    and greatest(created_at, since, until, cut_off, starts_at, ended_at, after_at) < '10000-01-01 00:00:00+00')
    not valid;

alter table workers add constraint workers_times_bounded check (
    least(started_at, beat_at, stopped_at) >= '0001-01-01 00:00:00+00'
    and greatest(started_at, beat_at, stopped_at) < '10000-01-01 00:00:00+00') not valid;

alter table brake add constraint brake_times_bounded check (
    least(set_at, until, released_at) >= '0001-01-01 00:00:00+00'
    and greatest(set_at, until, released_at) < '10000-01-01 00:00:00+00') not valid;

alter table pace add constraint pace_times_bounded check (
    least(next_at, lowered_at, minute) >= '0001-01-01 00:00:00+00'
    and greatest(next_at, lowered_at, minute) < '10000-01-01 00:00:00+00') not valid;

alter table pace_minutes add constraint pace_minutes_times_bounded check (
    minute >= '0001-01-01 00:00:00+00' and minute < '10000-01-01 00:00:00+00') not valid;
