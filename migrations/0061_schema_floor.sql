-- Which program still works with this schema: the one that knows this migration, and all after it. A migration that breaks
-- an earlier program raises it.

create table schema_floor (
    one boolean primary key default true check (one),
    version bigint not null
);
insert into schema_floor (version) values (61);
