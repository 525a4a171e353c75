-- Mails of the account's last 24 hours that were not this desk's, when the account was last asked.
alter table ses_account add column sent_by_others bigint not null default 0;
