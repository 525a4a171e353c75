-- Which database this one was when workers last came to it. A copy of it, made by a dump or as a template, is another:
-- it may lack what happened since, and holds mails as queued that have gone out.
alter table pace add column home text;

alter table brake drop constraint brake_cause_known;
alter table brake add constraint brake_cause_known
check (cause in ('operator', 'reputation', 'quota', 'configuration', 'refusals', 'restored'));
