-- Bulk resends by all that a filter can say, and of mails.

alter table jobs add column terms text;
alter table jobs add column looked_for text;
alter table jobs add column is_of_mails boolean not null default false;
-- Where the next chunk of one that goes through mails begins.
alter table jobs add column after_send uuid;
alter table jobs add column skipped_later bigint not null default 0;

-- A worker of before knows no terms. To it these are for no one: `verification_ids` is empty.
alter table jobs add constraint jobs_terms_alone check (
    terms is null
    or verification_ids is not null
        and cardinality(verification_ids) = 0
        and num_nonnulls(status, search, since, until) = 0)
    not valid;
alter table jobs validate constraint jobs_terms_alone;
alter table jobs add constraint jobs_looked_for_by_terms check (terms is not null or looked_for is null and not is_of_mails)
    not valid;
alter table jobs validate constraint jobs_looked_for_by_terms;
