-- Verifications whose first opening did not look like a browser's. For people to see; nothing is decided by it.
create table odd_openings (
    verification_id bigint primary key references verifications (id) on delete cascade
);
