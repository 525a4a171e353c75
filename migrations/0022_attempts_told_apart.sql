-- Which attempt a result is of. Unlike `attempts`, which leaves out what does not count, it never goes back: a result that
-- comes late, or is recorded again after a failover, must not settle the attempt behind it. No row is rewritten.
alter table sends add column begun integer not null default 0;
