-- no-transaction

-- Reads the audit log by who did what: there are few kinds of entries (by whom, through which door, what), however many
-- entries there are, so that the newest of any choice of kinds are found by looking at the newest of each. Concurrently,
-- so that no act waits for it, and alone in its file, since PostgreSQL wants that.
create index concurrently audit_log_kinds on audit_log (
    origin collate "C", action collate "C", actor collate "C", coalesce(login, '') collate "C", at, id
);
