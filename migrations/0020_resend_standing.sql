-- What a resend is decided by. The rules are the program's (src/domain/resend.rs); here is what they ask about, counted
-- in one way for one user and for a million.

-- How a user stands towards another mail. One row; none if there is no such user. One statement of plain SQL, which
-- PostgreSQL puts into the query that asks. `sends` of one user are few.
create function resend_standing(who bigint, cool_down double precision, daily_cap bigint)
returns table (
    is_verified boolean,
    is_waiting boolean,
    cooling_until timestamptz,
    capped_until timestamptz,
    answered uuid,
    answer text
) language sql stable as $$
    select
        u.verified_at is not null,
        mails.is_waiting,
        case when mails.last_at + make_interval(secs => cool_down) > now()
            then mails.last_at + make_interval(secs => cool_down) end,
        case when cardinality(mails.of_day) >= greatest(daily_cap, 1)
            then least(mails.of_day[greatest(daily_cap, 1)], now()) + interval '24 hours' end,
        mails.answered,
        mails.answer
    from users u
    cross join lateral (
        select
            -- One whose answer was lost and that is tried once more waits too.
            coalesce(bool_or(s.state in ('queued', 'sending') or s.retry_at is not null), false) as is_waiting,
            -- Mails count whatever became of them: repeated presses before a server that refuses ruin the sender's
            -- reputation. Only cancelled ones never were on their way. A clock that was set back leaves some from the
            -- future; act by act they are seconds ahead at most.
            max(s.queued_at) filter (
                where s.state <> 'cancelled' and s.queued_at <= now() + interval '1 minute'
            ) as last_at,
            array_agg(s.queued_at order by s.queued_at desc) filter (
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

-- Whether what became of a send means that its address takes no mail: *suppressed* or *bounced*, else null. A function
-- of its own, since the login of `serve` may not read events.
create function address_block(send uuid, state text)
returns table (block text) language sql stable as $$
    select case
        -- What SES calls it when a list of its own, the account's, the tenant's or its check of the address held the
        -- mail back: events.md of the developer guide, and newer ones seen in the field.
        when state in ('bounced', 'complained') and exists (
            select
            from send_events e
            where
                e.send_id = send
                and e.kind in ('Bounce', 'Complaint')
                and e.detail ~ '(^|/)(Suppressed|On(Account|Tenant)SuppressionList|EmailValidationSuppressed)(:|$)'
        ) then 'suppressed'
        when state in ('complained', 'rejected') then 'bounced'
        -- A full mailbox is none that refuses for good.
        when state = 'bounced' and not exists (
            select from send_events e where e.send_id = send and e.kind = 'Bounce' and e.detail like 'Transient/%'
        ) then 'bounced'
    end
$$;

drop function resend_skip(bigint, double precision, bigint);
