//! Tables with very many rows.

/// Fills these tables past triggers and foreign keys, and makes their indexes when all of it is there: row by row, indexes
/// of millions take hours.
pub fn without_indexes(tables: &[&str], fill: &str) -> String {
    let tables: Vec<String> = tables.iter().map(|table| format!("'{table}'::regclass")).collect();
    let tables = tables.join(", ");
    format!(
        "set session_replication_role = replica;
        set maintenance_work_mem = '256MB';
        set work_mem = '128MB';
        create temp table later as
        select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
        from pg_index
        where indrelid in ({tables}) and not indisprimary;
        do $$
        declare index text;
        begin
            for index in select name from later loop
                execute 'drop index ' || index;
            end loop;
        end
        $$;
        {fill};
        do $$
        declare index text;
        begin
            for index in select definition from later loop
                execute index;
            end loop;
        end
        $$;
        drop table later;
        reset all"
    )
}
