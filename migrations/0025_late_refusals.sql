-- When mails were refused, not only when that was noted: a worker whose connection hangs notes them late, when the pause
-- that they belong to may be over already.
alter table refused_sends add column refused_at timestamptz not null default now();
-- Of the last pause for refusals: from when to when what was refused belongs to it.
alter table brake add column refused_from timestamptz;
alter table brake add column refused_until timestamptz;
