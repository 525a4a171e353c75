-- What a mail was made of: fingerprints of the templates, and of the settings that are seen in it. Whoever looks at a mail
-- is shown a rendering of today, and these say whether it is the one that was sent. Without a default: no row is written.
alter table sends
    add column templates_fingerprint integer,
    add column settings_fingerprint integer;
