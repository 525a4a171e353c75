-- no-transaction

-- A job's mails by their state, the newest first: to count them without reading them, and to list them. Concurrently, so
-- that no mail waits for it.
create index concurrently sends_job_state on sends (job_id, state, id) where job_id is not null;
