-- no-transaction

-- The mails that ended badly, by when: what of them came in the last 24 hours is counted without reading the others.
create index concurrently sends_bad on sends (changed_at, state)
where state in ('bounced', 'complained', 'rejected', 'failed') and test_of is null;
