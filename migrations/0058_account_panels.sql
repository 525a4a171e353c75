-- What SES's API says of the account besides what it may: its identities and its configuration set, an answer each, with
-- its age.
create table account_panels (
    kind text primary key,
    -- What was asked about: an identity, a configuration set; empty where there can be only one.
    subject text not null default '',
    asked_at timestamptz not null default now(),
    answered_at timestamptz,
    figures jsonb,
    -- Why there is no answer, while that is so, and since when; and the right that is missing, where that is why.
    trouble text,
    failed_at timestamptz,
    permission text,
    constraint account_panels_kind_is_a_word check (kind ~ '^[a-z_]{1,40}$'),
    constraint account_panels_lengths check (
        char_length(subject) <= 1000
        and char_length(trouble) <= 2000
        and char_length(permission) <= 100
        and octet_length(figures::text) <= 200000
    )
);

-- Until then one worker waits for an answer of SES's, and no other asks.
alter table ses_account add column calling_until timestamptz;
-- The right that is missing, where that is why the account cannot be asked.
alter table ses_account add column permission text;
-- What became of the request for production access: PENDING, FAILED, GRANTED, DENIED.
alter table ses_account add column review text;
