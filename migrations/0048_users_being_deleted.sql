-- no-transaction

-- Workers look for users whose time is over every few seconds. Concurrently, so that no sign-up waits for it, and alone in
-- its file, since PostgreSQL wants that.
create index concurrently users_being_deleted on users (delete_after) where delete_after is not null;
