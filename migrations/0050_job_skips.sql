-- Whom a bulk resend has left out, and why: written with each chunk by the worker that makes it. By number only, so that
-- deleting a user keeps the record and nothing about them. Pruned as mails are, once the job is over.
create table job_skips (
    job_id uuid not null references jobs on delete cascade,
    verification_id bigint not null,
    user_id bigint not null,
    reason text not null,
    primary key (job_id, verification_id),
    constraint job_skips_reason_known check (
        reason in ('verified', 'cool_down', 'daily_cap', 'waiting', 'suppressed', 'bounced', 'later', 'duplicate'))
);
