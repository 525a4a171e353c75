-- Test mails: of a template, with sample values and a link that opens nothing, to nobody who signed up.

-- The template and the fixture that were tried; null for every other mail.
alter table sends add column test_of text;
-- `not valid`: no older row can break these, and none has to be read.
alter table sends add constraint sends_test_of_length check (char_length(test_of) between 1 and 200) not valid;
-- A test is nobody's, and whoever made it sends it: no worker finds it, not even after its process died.
alter table sends add constraint sends_test_stands_alone
    check (test_of is null or num_nonnulls(verification_id, user_id, job_id) = 0 and state <> 'queued') not valid;
