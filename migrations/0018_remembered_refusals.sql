-- A mail that is under way when a server begins to refuse is taken all the same. What was refused just before its answer
-- came belongs to the run that follows.
alter table refused_sends
    -- When a mail was taken behind it, from when on it counts no longer.
    add column ended_at timestamptz;
