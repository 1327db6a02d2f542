-- An erasure: the record is a tombstone already; from `due_on` on, what was published of it is reached.
CREATE TABLE erasure (
    dataset text NOT NULL,
    row_id bigint NOT NULL,
    reason text NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    erased_on timestamptz NOT NULL,
    due_on timestamptz NOT NULL,
    asked_on timestamptz,
    done_on timestamptz,
    error text NOT NULL DEFAULT '',
    report text NOT NULL DEFAULT '[]'
);
SELECT coldshelf_tenant_table('erasure');
CREATE INDEX ON erasure (client_id, row_id);
CREATE INDEX ON erasure (due_on) WHERE state = 'waiting';

-- Makes a tombstone of a row and gives its modification time. Key, references and times stay: those who saw the row,
-- within whatever limit, must learn that it is gone. What must not be empty gets the emptiest value of its type.
CREATE FUNCTION coldshelf_scrub(table_name text, row_id bigint) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    emptied text;
    changed_on timestamptz;
BEGIN
    SELECT string_agg(format('%I = %s', a.attname, CASE WHEN NOT a.attnotnull THEN 'NULL' ELSE e.value END), ', ')
    INTO emptied
    FROM pg_attribute a
    LEFT JOIN (VALUES ('text', ''''''), ('boolean', 'false'), ('bigint', '0'), ('double precision', '0'),
        ('numeric', '0'), ('bytea', ''''''), ('text[]', '''{}''')) AS e (type, value)
        ON e.type = format_type(a.atttypid, NULL)
    WHERE a.attrelid = table_name::regclass AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attgenerated = '' AND a.attidentity = '' AND (e.value IS NOT NULL OR NOT a.attnotnull)
        AND a.attname NOT IN ('client_id', 'is_deleted', 'created_on', 'created_by_user_id', 'created_by_user',
            'modified_on', 'modified_by_user_id', 'modified_by_user', 'revision')
        AND NOT EXISTS (SELECT FROM pg_constraint c
            WHERE c.conrelid = a.attrelid AND c.contype IN ('f', 'c') AND a.attnum = ANY (c.conkey));
    EXECUTE format('UPDATE %I SET %s WHERE id = $1 RETURNING modified_on',
        table_name, concat_ws(', ', 'is_deleted = true', emptied)) INTO changed_on USING row_id;
    RETURN changed_on;
END $$;

-- As before, but for a user who is forgotten: its name goes from the rows that it made.
CREATE OR REPLACE FUNCTION coldshelf_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    writer bigint := pg_current_xact_id()::text::bigint;
    who bigint := nullif(current_setting('coldshelf.user_id', true), '')::bigint;
    who_name text := coalesce(current_setting('coldshelf.user_name', true), '');
BEGIN
    NEW.revision := (SELECT generation FROM server_generation) << 48 | writer;
    NEW.modified_by_user_id := who;
    NEW.modified_by_user := who_name;
    IF TG_OP = 'INSERT' THEN
        NEW.modified_on := clock_timestamp();
        NEW.created_on := NEW.modified_on;
        NEW.created_by_user_id := who;
        NEW.created_by_user := who_name;
    ELSE
        NEW.modified_on := greatest(clock_timestamp(), OLD.modified_on + interval '1 microsecond');
        NEW.id := OLD.id;
        NEW.client_id := OLD.client_id;
        NEW.created_on := OLD.created_on;
        NEW.created_by_user_id := OLD.created_by_user_id;
        NEW.created_by_user := CASE WHEN OLD.created_by_user_id::text = current_setting('coldshelf.forgotten', true)
            THEN '' ELSE OLD.created_by_user END;
    END IF;
    RETURN NEW;
END $$;

-- Takes the name of a user from every row of its client that it made or changed last; gives how many rows those are.
-- They count as changed, so that the next delta brings them without it.
CREATE FUNCTION coldshelf_forget_user(wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    names text[] := (SELECT ARRAY[username, email] FROM app_user WHERE id = wanted);
    held text;
    here bigint;
    total bigint := 0;
BEGIN
    PERFORM set_config('coldshelf.forgotten', wanted::text, true);
    UPDATE picture SET reviewer = NULL WHERE reviewer = ANY (names);
    UPDATE import_run SET undone_by_user = '' WHERE undone_by_user = ANY (names);
    FOR held IN
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'created_by_user'
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace ORDER BY 1
    LOOP
        EXECUTE format('UPDATE %I SET is_deleted = is_deleted WHERE created_by_user_id = $1 AND created_by_user <> '''''
            ' OR modified_by_user_id = $1', held) USING wanted;
        GET DIAGNOSTICS here = ROW_COUNT;
        total := total + here;
    END LOOP;
    PERFORM set_config('coldshelf.forgotten', '', true);
    RETURN total;
END $$;
