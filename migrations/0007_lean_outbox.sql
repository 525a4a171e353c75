-- Each mail changes its row in `sends` twice, and each change writes into every index: what is not needed is felt.

-- Waiting sends are found by `sends_due`, those in hand by their state.
drop index sends_next;
drop index sends_lease;
-- Inside of addresses is searched by those of the users; whole ones and their beginnings are still found where a mail
-- went.
drop index sends_recipient_trigrams;

-- What the brake lets through: sends queued until then.
create view outbox_gate as
select
    case
        when state = 'off' or until <= now() then 'infinity'::timestamptz
        when state = 'draining' then set_at
        else '-infinity'
    end as queued_until
from brake;
