-- Bulk resends. A job holds whom it is for, not their mails: workers make those in chunks, shortly before they go.

create table jobs (
    id uuid primary key,
    created_at timestamptz not null default now(),
    created_by text not null,
    origin text not null,
    -- Whom it mails: whoever the filter found at the cut-off, or the users of these verifications.
    status text,
    search text,
    since timestamptz,
    until timestamptz,
    verification_ids bigint[],
    cut_off timestamptz not null default now(),
    -- Until then it can be called off before the first mail.
    starts_at timestamptz not null,
    state text not null default 'running',
    -- Why it is paused or was cancelled, and by whom.
    reason text,
    ended_at timestamptz,
    -- How many verifications the plan found; null where nobody counted.
    found bigint,
    -- Where the next chunk begins: behind this row in the list's order.
    after_at timestamptz,
    after_id bigint,
    looked_at bigint not null default 0,
    queued bigint not null default 0,
    skipped_verified bigint not null default 0,
    skipped_cool_down bigint not null default 0,
    skipped_daily_cap bigint not null default 0,
    skipped_waiting bigint not null default 0,
    skipped_suppressed bigint not null default 0,
    skipped_bounced bigint not null default 0,
    skipped_duplicate bigint not null default 0,
    constraint jobs_state_known check (state in ('running', 'paused', 'done', 'cancelled')),
    constraint jobs_status_known check (status in ('pending', 'verified', 'expired', 'revoked')),
    constraint jobs_ended check ((ended_at is null) = (state in ('running', 'paused'))),
    constraint jobs_place_whole check ((after_at is null) = (after_id is null)),
    constraint jobs_ids_or_filter check (
        verification_ids is null or num_nonnulls(status, search, since, until) = 0),
    constraint jobs_created_by_length check (char_length(created_by) between 1 and 200),
    constraint jobs_reason_length check (char_length(reason) <= 1000)
);
create index jobs_open on jobs (starts_at) where state in ('running', 'paused');
create index jobs_created on jobs (created_at);

alter table sends add column job_id uuid references jobs on delete set null;
-- Nobody gets two mails from one job.
create unique index sends_job_user on sends (job_id, user_id) where job_id is not null;
-- What a job has waiting.
create index sends_job_open on sends (job_id) where job_id is not null and state in ('queued', 'sending');
