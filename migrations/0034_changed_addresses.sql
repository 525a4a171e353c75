-- An operator changes a user's address, most often because it was mistyped. By a function, since no role may write
-- addresses: with that right alone, another user's link could be mailed anywhere without a word in the audit log. What
-- is mailed to the new address is the program's to queue, in the same transaction and under the rules of a resend.
--
-- The user is unverified, since the new address is not known to be theirs, and none of their links works any more:
-- whoever has the old address must not verify the new one. `user_id` is null if there is no such verification.
create function change_address(
    target bigint, who text, door text, why text, address text, out user_id bigint, out outcome text
) language plpgsql security definer as $$
declare
    earlier text;
    since timestamptz;
begin
    perform check_reason('a change of address', why);
    select u.id, u.email, u.verified_at
    into change_address.user_id, earlier, since
    from users u
    where u.id = (select v.user_id from verifications v where v.id = target)
    for no key update;
    if not found then
        return;
    end if;
    if lower(earlier) = lower(address) then
        outcome := 'same_address';
    else
        begin
            update users u set email = address, verified_at = null where u.id = change_address.user_id;
            outcome := 'done';
        exception when unique_violation then
            outcome := 'address_taken';
        end;
    end if;
    if outcome = 'done' then
        update verifications v
        set verified_at = null, revoked_at = greatest(now(), v.created_at)
        where v.user_id = change_address.user_id and v.revoked_at is null;
        update sends s
        set state = 'cancelled', reason = 'the user''s address was changed', changed_at = now(),
            lease_by = null, lease_until = null
        where s.user_id = change_address.user_id and s.state = 'queued';
    end if;
    insert into audit_log (actor, origin, action, outcome, reason, user_id, verification_id, before)
    values (
        who, door, 'change_address', change_address.outcome, why, change_address.user_id, target,
        case when change_address.outcome = 'done'
            then jsonb_build_object('email', earlier, 'verified_at', since) end);
end
$$;

do $$
begin
    execute format(
        'alter function change_address(bigint, text, text, text, text) set search_path = pg_catalog, %I, pg_temp',
        current_schema());
end
$$;
revoke execute on function change_address(bigint, text, text, text, text) from public;
