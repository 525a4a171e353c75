-- How many mails the plan named that someone agreed to; null where no one counted.
alter table jobs add column planned bigint;
