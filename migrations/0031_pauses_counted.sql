-- How many pauses for refusals have ended. Workers say which they had heard of when a mail was refused: what was refused
-- before one ended belongs to it, whatever the database's clock was set to since.
alter table brake add column pauses_ended bigint not null default 0;
alter table refused_sends add column is_late boolean not null default false;
