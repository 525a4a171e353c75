-- How what a topic posts is signed, as `serve` last saw it: 1 is SHA-1, a topic's default; 2 is SHA-256. Null of a topic that
-- has posted nothing since.
alter table sns_subscriptions add column signature_version smallint;
