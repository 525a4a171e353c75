"""Fills a database with sends that SES accepted, for ten of them a person, without the checks that each row would take."""

USERS = """
insert into users (email, created_at)
select 'user' || n || '@example.com', now() - interval '30 days'
from generate_series(0, {people} - 1) as n
"""

VERIFICATIONS = """
insert into verifications (user_id, created_at, expires_at, key_nonce, key_digest)
select id, created_at, created_at + interval '3 days', decode(md5(id::text), 'hex'), sha256(id::text::bytea)
from users
order by id
"""

# Identifiers in the order of their making, as those of version 7 and SES's are.
SENDS = """
insert into sends (
    id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, attempts, ses_id, reply
)
select
    ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, v.id, v.user_id, u.email, u.locale, 'accepted',
    made.at, made.at, made.at, 1, '0100' || lpad(to_hex(n), 12, '0') || '-000000', '250 Ok'
from generate_series(0, {people} * 10 - 1) as n
join users u on u.email = 'user' || n % {people} || '@example.com'
join verifications v on v.user_id = u.id
cross join lateral (select now() - interval '30 days' + n * (interval '30 days' / ({people} * 10)) as at) made
order by n
"""


def fill(database, people):
    database.execute("set session_replication_role = replica")
    database.execute(USERS.format(people=people))
    database.execute(VERIFICATIONS.format(people=people))
    database.execute("analyze users, verifications")
    indexes = "select indexname, indexdef from pg_indexes where tablename = 'sends' and indexname <> 'sends_pkey'"
    indexes = database.execute(indexes).fetchall()
    for name, _ in indexes:
        database.execute(f'drop index "{name}"')
    database.execute(SENDS.format(people=people))
    for _, definition in indexes:
        database.execute(definition)
    database.execute("reset session_replication_role")
    database.execute("vacuum analyze")
    database.execute("checkpoint")


def send(number):
    return f"01900000-0000-7000-8000-{number:012x}"


def ses_id(number):
    return f"0100{number:012x}-000000"
