-- Users with a verification and a queued send each, as so many sign-ups would leave them; every other one Korean.
with new_users as (
    insert into users (email, name, locale)
    select
        'mina' || n || '@example.com',
        case n % 2 when 0 then '김민아' else 'Mina' end,
        case n % 2 when 0 then 'ko' else 'en' end
    from generate_series(1, $1) as n
    returning id, email, locale
),
new_verifications as (
    insert into verifications (user_id, expires_at, key_nonce)
    select id, now() + interval '3 days', uuid_send(gen_random_uuid())
    from new_users
    returning id, user_id
)
insert into sends (id, verification_id, user_id, recipient, locale)
select gen_random_uuid(), new_verifications.id, new_users.id, email, locale
from new_verifications
join new_users on new_users.id = user_id
