-- The outbox: sends, what SES reports about them, and the workers.

create table sends (
    -- UUIDv7: the mail carries it in X-SES-MESSAGE-TAGS, and newer ones sort last.
    id uuid primary key,
    -- Both are nulled when the user is deleted; the send stays, without her address.
    verification_id bigint references verifications on delete set null,
    user_id bigint references users on delete set null,
    recipient text not null,
    locale text not null,
    priority smallint not null default 0,
    state text not null default 'queued',
    queued_at timestamptz not null default now(),
    due_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    attempts smallint not null default 0,
    -- Who works on it, and until when nobody else may.
    lease_by uuid,
    lease_until timestamptz,
    ses_id text,
    reply text,
    reason text,
    constraint sends_state_known check (state in (
        'queued', 'sending', 'accepted', 'delivered', 'delayed', 'bounced', 'complained', 'rejected',
        'failed', 'cancelled', 'unknown')),
    constraint sends_locale_known check (locale in ('ko', 'en')),
    constraint sends_priority_known check (priority in (0, 10)),
    constraint sends_attempts_positive check (attempts >= 0),
    constraint sends_lease_whole check ((lease_by is null) = (lease_until is null)),
    constraint sends_lease_while_open check (lease_by is null or state in ('queued', 'sending')),
    constraint sends_sending_leased check (state <> 'sending' or lease_by is not null),
    constraint sends_ended_with_reason check (state not in ('failed', 'cancelled', 'unknown') or reason is not null),
    constraint sends_recipient_length check (char_length(recipient) <= 254),
    constraint sends_reply_length check (char_length(reply) <= 10000)
);

-- What a worker takes next.
create index sends_due on sends (priority, due_at, id) where state = 'queued';
-- When the next one is due.
create index sends_next on sends (due_at) where state = 'queued' and lease_until is null;
-- What is in hand, and what a dead worker left behind.
create index sends_lease on sends (lease_until) where lease_until is not null;
-- A mail that waits is not queued a second time.
create unique index sends_one_open on sends (verification_id) where state in ('queued', 'sending');
create index sends_verification on sends (verification_id, id);
create index sends_user on sends (user_id, id);
create index sends_state on sends (state, id);
-- SES's events name a send by this.
create index sends_ses_id on sends (ses_id) where ses_id is not null;
create index sends_recipient_prefix on sends (lower(recipient) text_pattern_ops);
create index sends_recipient_trigrams on sends using gin (lower(recipient) gin_trgm_ops);

create table send_events (
    id uuid primary key,
    send_id uuid not null references sends on delete cascade,
    -- As SES calls it: Delivery, Bounce, …
    kind text not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null default now(),
    detail text not null default '',
    -- SNS's or SQS's MessageId: the same event often comes twice.
    source_id text,
    constraint send_events_kind_length check (char_length(kind) between 1 and 64)
);
create index send_events_send on send_events (send_id, occurred_at);
create unique index send_events_source on send_events (source_id) where source_id is not null;

create table workers (
    id uuid primary key,
    host text not null,
    pid integer not null,
    transport text not null,
    target text not null,
    secret_fingerprint text not null,
    started_at timestamptz not null default now(),
    beat_at timestamptz not null default now(),
    stopped_at timestamptz,
    sent bigint not null default 0,
    failed bigint not null default 0,
    last_error text
);
create index workers_beat on workers (beat_at);

-- Deleting a user calls her mails off and forgets her address, also where servers have quoted it, whoever deletes her.
create function forget_user() returns trigger language plpgsql as $$
begin
    update send_events set detail = '' where send_id in (select id from sends where user_id = old.id);
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
create trigger users_forgotten before delete on users for each row execute function forget_user();
