-- At which run of a database server workers are, and since when; null while it is the first. After a failover a worker
-- that was not at the server before waits until the others have recorded there what they know.
alter table pace add column server_run bigint;
alter table pace add column server_since timestamptz;
