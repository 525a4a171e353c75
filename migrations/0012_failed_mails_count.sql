-- A mail that was asked for counts towards cool-down and daily cap whatever became of it, so that repeated presses do not
-- press a server that refuses, and with it the sender's reputation. Only cancelled ones never were on their way.

create or replace function resend_skip(who bigint, cool_down double precision, daily_cap bigint)
returns table (skip text) language sql stable as $$
    select case
        when u.verified_at is not null then 'verified'
        when mails.waiting then 'waiting'
        -- What SES calls it when a list of its own, the account's, the tenant's or its check of the address held the
        -- mail back: events.md of the developer guide, and newer ones seen in the field.
        when mails.answer in ('bounced', 'complained') and exists (
            select
            from send_events e
            where
                e.send_id = mails.answered
                and e.kind in ('Bounce', 'Complaint')
                and e.detail ~ '(^|/)(Suppressed|On(Account|Tenant)SuppressionList|EmailValidationSuppressed)(:|$)'
        ) then 'suppressed'
        when mails.answer in ('complained', 'rejected') then 'bounced'
        -- A full mailbox is none that refuses for good.
        when mails.answer = 'bounced' and not exists (
            select from send_events e where e.send_id = mails.answered and e.kind = 'Bounce' and e.detail like 'Transient/%'
        ) then 'bounced'
        when mails.last_at + make_interval(secs => cool_down) > now() then 'cool_down'
        when mails.of_day >= daily_cap then 'daily_cap'
    end
    from users u
    cross join lateral (
        select
            -- One whose answer was lost and that is tried once more waits too.
            coalesce(bool_or(s.state in ('queued', 'sending') or s.retry_at is not null), false) as waiting,
            max(s.queued_at) filter (where s.state <> 'cancelled') as last_at,
            count(*) filter (
                where s.state <> 'cancelled' and s.queued_at > now() - interval '24 hours'
            ) as of_day,
            (array_agg(s.id order by s.id desc) filter (
                where s.state in ('accepted', 'delivered', 'delayed', 'bounced', 'complained', 'rejected')
            ))[1] as answered,
            (array_agg(s.state order by s.id desc) filter (
                where s.state in ('accepted', 'delivered', 'delayed', 'bounced', 'complained', 'rejected')
            ))[1] as answer
        from sends s
        where s.user_id = u.id
    ) mails
    where u.id = who
$$;

