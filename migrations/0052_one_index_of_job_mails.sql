-- no-transaction

-- What a job has waiting is in the index of its mails' states.
drop index concurrently if exists sends_job_open;
