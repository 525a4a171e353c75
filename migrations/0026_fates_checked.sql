-- Reads the table once, and blocks no one who writes.
alter table sends validate constraint sends_state_is_fate;
