-- no-transaction

-- Lists by endpoint and state, whichever they are.
create index concurrently webhook_deliveries_states on webhook_deliveries (endpoint, state, message_id);
