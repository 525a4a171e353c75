-- Which programs are at work beside one database: mixed versions are told, and whether the public URL leads to one of them.

-- Such as 0.1.0+70: the program's version, and the newest migration that it knows. Null of those from before.
alter table workers add column version text;

-- Each `serve`, as workers have their heartbeats.
create table serves (
    id uuid primary key,
    host text not null,
    pid integer not null,
    version text not null,
    started_at timestamptz not null default now(),
    beat_at timestamptz not null default now(),
    stopped_at timestamptz,
    constraint serves_lengths check (char_length(host) <= 300 and char_length(version) <= 100)
);

-- Its heartbeat. A function, since the login of the internet-facing program shows itself and nothing else; and however
-- often it does so, there are a hundred rows at most.
create function show_serve(run uuid, machine text, process integer, program text, is_last boolean) returns void
language plpgsql security definer as $$
begin
    if current_setting('transaction_read_only') = 'on' then
        return;
    end if;
    update serves s
    set beat_at = now(), version = left(program, 100), stopped_at = case when is_last then now() end
    where s.id = run;
    if not found then
        delete from serves s
        where s.beat_at < now() - interval '1 day' or s.beat_at > now() + interval '1 minute';
        insert into serves (id, host, pid, version, stopped_at)
        select run, left(machine, 300), process, left(program, 100), case when is_last then now() end
        where (select count(*) from serves) < 100
        on conflict (id) do nothing;
    end if;
end
$$;

do $$
begin
    execute format(
        'alter function show_serve(uuid, text, integer, text, boolean) set search_path = pg_catalog, %I, pg_temp',
        current_schema());
    revoke execute on function show_serve(uuid, text, integer, text, boolean) from public;
end
$$;
