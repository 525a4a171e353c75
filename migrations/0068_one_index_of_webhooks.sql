-- no-transaction

-- What is open is in the index of all states.
drop index concurrently if exists webhook_deliveries_open;
