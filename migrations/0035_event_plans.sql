-- What takes events in reads a few rows by their keys, whatever the tables hold. Its plans are kept for as long as a session
-- lasts, and those that were made while tables were small, or before they were analyzed, read whole tables later: with ten
-- million sends, a tenth of the events a second. So the planner is told.
do $$
declare
    taking text;
begin
    foreach taking in array array['take_events(jsonb)', 'apply_events(jsonb)', 'settle_by_events(uuid[])'] loop
        execute format('alter function %s set enable_seqscan = off', taking);
        execute format('alter function %s set enable_hashjoin = off', taking);
        execute format('alter function %s set enable_mergejoin = off', taking);
    end loop;
end
$$;
