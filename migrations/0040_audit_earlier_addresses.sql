-- no-transaction

-- A user is found by the address that they had before an operator changed it.
create index concurrently audit_log_earlier_address on audit_log (lower(before ->> 'email') text_pattern_ops)
where before ->> 'email' is not null;
