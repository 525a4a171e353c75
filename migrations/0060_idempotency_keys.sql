-- Sign-ups that the site asked for with an idempotency key, so that a request that is sent again is done once.

create table idempotency_keys (
    -- SHA-256 of the key, and of the request that came with it. Neither is kept itself.
    key_digest bytea primary key,
    request_digest bytea not null,
    made_at timestamptz not null default now(),
    -- What it came to: written by the same transaction, before it commits.
    status text,
    -- Who is erased is erased here as well.
    user_id bigint references users on delete cascade,
    verification_id bigint,
    constraint idempotency_keys_digests check (length(key_digest) = 32 and length(request_digest) = 32),
    constraint idempotency_keys_status check (status in ('created', 'resent', 'already_verified'))
);
create index idempotency_keys_user on idempotency_keys (user_id);
create index idempotency_keys_made_at on idempotency_keys (made_at);
