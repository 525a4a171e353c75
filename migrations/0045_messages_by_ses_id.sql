-- no-transaction

-- An event without our tag, or of another site's, was looked for in the whole primary key.
create index concurrently send_messages_ses_id on send_messages (ses_id);
