-- no-transaction

create index concurrently users_name_pairs on users using gin (string_to_array(name_pairs(name), ' '))
where octet_length(name) <> char_length(name);
