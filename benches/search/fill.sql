-- :people users with a verification each, in the order in which they signed up, over a month
-- or more. Half of the names are Korean. Of ten, seven are verified, one is revoked and two are open, expired but for those
-- of the last three days.
with shape as (
    select
        '{gmail.com,naver.com,daum.net,example.com,kakao.com,outlook.com,hanmail.net,example.net}'::text[] as domains,
        string_to_array('김이박최정강조윤장임한오서신권황안송전홍', null) as families,
        string_to_array('미민서지하준도예수윤은태재현성유나다주진', null) as firsts,
        string_to_array('나준연우영호경희아빈원혁훈서린율솔민은인', null) as seconds,
        '{Mina,Joon,Ada,Grace,Alan,Linus,Rosa,Jürgen,José,Zoë}'::text[] as given,
        '{Kim,Park,Lovelace,Hopper,Turing,Müller,Zhang,García,Smith,Ito}'::text[] as surnames
)
insert into users (id, email, name, locale, created_at) overriding system value
select
    n, 'user' || n || '@' || domains[1 + n % 8],
    case when n % 2 = 0
        then families[1 + n / 2 % 20] || firsts[1 + n / 40 % 20] || seconds[1 + n / 800 % 20]
        else given[1 + n / 2 % 10] || ' ' || surnames[1 + n / 20 % 10]
    end,
    case when n % 3 = 0 then 'en' else 'ko' end,
    now() - (:people - n) * greatest(2592000.0 / :people, 2) * interval '1 second' - interval '1 hour'
from shape, generate_series(1, :people) n;

insert into verifications (id, user_id, created_at, expires_at, verified_at, revoked_at, key_nonce) overriding system value
select
    id, id, created_at, created_at + interval '3 days',
    case when id % 10 < 7 then created_at + interval '30 seconds' end,
    case when id % 10 = 7 then created_at + interval '50 minutes' end,
    substring(sha256(int8send(id)) for 16)
from users;

select setval(pg_get_serial_sequence('users', 'id'), :people), setval(pg_get_serial_sequence('verifications', 'id'), :people);
