-- When the last reading of SES's suppression list began, where that has seen the whole of it and all of that is kept: who was
-- asked about before, and is not in it, is on the list no more.
alter table suppression_reading add column whole_begun_at timestamptz;
