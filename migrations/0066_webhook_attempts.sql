-- Each attempt to deliver a webhook that was not taken, with what was answered; of one that was taken, its delivery says all.
create table webhook_attempts (
    message_id bigint not null,
    endpoint text not null,
    at timestamptz not null default now(),
    status smallint,
    error text not null,
    constraint webhook_attempts_error check (char_length(error) <= 500)
);
create index webhook_attempts_message on webhook_attempts (message_id, endpoint, at);

-- With a message goes what became of it, and what was answered, which may name the user.
create or replace function forget_webhook_deliveries() returns trigger language plpgsql security definer as $$
begin
    delete from webhook_attempts where message_id in (select id from gone);
    delete from webhook_deliveries where message_id in (select id from gone);
    return null;
end
$$;

do $$
begin
    execute format(
        'alter function forget_webhook_deliveries() set search_path = pg_catalog, %I, pg_temp', current_schema());
end
$$;
