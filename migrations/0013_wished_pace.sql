-- What each worker's settings wish for: the pace of all is the smallest wish of those at work. Null for a worker of an
-- older version.
alter table workers add column pace_rate double precision;
alter table workers add column pace_quota bigint;
