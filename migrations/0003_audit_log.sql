-- Who did what to whom. Users are named by number only, so that deleting one keeps the log.

create table audit_log (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    actor text not null,
    origin text not null,
    action text not null,
    outcome text not null,
    reason text,
    user_id bigint,
    verification_id bigint,
    send_id uuid,
    constraint audit_log_actor_length check (char_length(actor) between 1 and 200),
    constraint audit_log_reason_length check (char_length(reason) <= 1000)
);
create index audit_log_user on audit_log (user_id, id);
create index audit_log_verification on audit_log (verification_id, id);

-- Append-only for every role, the owner's included; who may undo that may also drop the trigger, and is seen doing so.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_log_append_only before update or delete on audit_log
    for each row execute function refuse_audit_change();
create trigger audit_log_no_truncate before truncate on audit_log
    for each statement execute function refuse_audit_change();
