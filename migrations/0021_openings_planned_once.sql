-- What opens links is planned once for a session, not again for each link: a plan for as few rows as one link has looks
-- cheaper than the general one, which finds its rows by the same keys, and planning took longer than opening.
alter function approve(bytea) set plan_cache_mode = force_generic_plan;
alter function open_links(bytea[], boolean) set plan_cache_mode = force_generic_plan;
