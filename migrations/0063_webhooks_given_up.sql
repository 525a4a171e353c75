-- no-transaction

-- What was given up lately, which someone is told of: asked for every few seconds, however much was given up before.
create index concurrently webhook_deliveries_given_up on webhook_deliveries (endpoint, changed_at)
where state = 'given_up';
