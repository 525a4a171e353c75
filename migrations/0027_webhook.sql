-- What SNS asks of `serve`, what an operator says to it, and how many posts were refused.

-- Topics that have asked for their subscription to be confirmed.
create table sns_subscriptions (
    topic text primary key,
    asked_at timestamptz,
    -- Where it is confirmed. Anyone who has this can do that, so only `serve` may read it; null once it was used.
    subscribe_url text,
    -- Whether the settings of `serve` name the topic.
    is_allowed boolean not null default false,
    approved_at timestamptz,
    refused_at timestamptz,
    decided_by text,
    -- When SNS was last asked to confirm it, and why it did not.
    tried_at timestamptz,
    error text,
    confirmed_at timestamptz,
    ended_at timestamptz,
    constraint sns_subscriptions_lengths check (
        char_length(topic) between 1 and 1000
        and coalesce(char_length(subscribe_url), 0) <= 4000
        and coalesce(char_length(error), 0) <= 1000),
    constraint sns_subscriptions_decided_once check (approved_at is null or refused_at is null)
);

-- Nothing of what was posted is kept.
create table sns_refusals (
    day date not null,
    reason text not null,
    count bigint not null,
    last_at timestamptz not null,
    primary key (day, reason),
    constraint sns_refusals_reason_length check (char_length(reason) between 1 and 100)
);
