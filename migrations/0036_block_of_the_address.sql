-- Whether the address that the user of a send has now takes no mail, as far as that is known: *suppressed* or *bounced*, else
-- null. One row whatever is asked: no row for those who were never mailed, or whose mails all failed, had bulk resends
-- leave them out without a word. An address that was changed is another: what its predecessor did says nothing of it.
create or replace function address_block(send uuid, state text)
returns table (block text) language sql stable as $$
    select case
        when a.complained_at is not null or a.hard_at > coalesce(a.takes_at, '-infinity') then 'bounced'
        when a.suppressed_at > coalesce(a.takes_at, '-infinity') then 'suppressed'
        when state = 'rejected' then 'bounced'
    end
    from (values (send)) as asked (id)
    left join sends s on s.id = asked.id
    left join users u on u.id = s.user_id
    left join address_states a on a.address = lower(coalesce(u.email, s.recipient))
$$;
