-- Roles. They belong to the whole server, so another database may have made them.
DO $$
DECLARE role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['coldshelf_app', 'coldshelf_reader'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', role_name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
        IF NOT pg_has_role(current_user, role_name, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
        END IF;
    END LOOP;
END $$;
GRANT USAGE ON SCHEMA public TO coldshelf_app, coldshelf_reader;

-- Where am I: the generation rises when the server's identity or timeline changed, so old cursors stay valid.
CREATE TABLE server_generation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    generation bigint NOT NULL DEFAULT 1,
    system_identifier bigint NOT NULL,
    timeline integer NOT NULL
);
INSERT INTO server_generation (system_identifier, timeline)
SELECT s.system_identifier, c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c;
GRANT SELECT ON server_generation TO coldshelf_app, coldshelf_reader;

CREATE FUNCTION coldshelf_renew_generation() RETURNS bigint LANGUAGE sql AS $$
    UPDATE server_generation g
    SET generation = generation + 1, system_identifier = s.system_identifier, timeline = c.timeline_id
    FROM pg_control_system() s, pg_control_checkpoint() c
    WHERE (g.system_identifier, g.timeline) IS DISTINCT FROM (s.system_identifier, c.timeline_id);
    SELECT generation FROM server_generation;
$$;

CREATE TABLE server_secret (name text PRIMARY KEY, value bytea NOT NULL);

-- The tenant of this transaction; NULL outside a scope, so that no row matches.
CREATE FUNCTION coldshelf_client() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('coldshelf.client_id', true), '')::bigint
$$;

-- The transaction id must be taken before the clock is read: coldshelf_horizon() looks for writers by their id.
CREATE FUNCTION coldshelf_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
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
        NEW.created_by_user := OLD.created_by_user;
    END IF;
    RETURN NEW;
END $$;

-- Before this moment every committed change is visible to a snapshot taken afterwards. Read it in a statement of its
-- own, before the transaction whose rows it bounds.
CREATE FUNCTION coldshelf_horizon() RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    read_on timestamptz := clock_timestamp();
BEGIN
    RETURN least(read_on, (
        SELECT min(xact_start) FROM pg_stat_activity
        WHERE backend_xid IS NOT NULL AND datname = current_database() AND pid <> pg_backend_pid()
    ));
END $$;
REVOKE ALL ON FUNCTION coldshelf_horizon() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION coldshelf_horizon() TO coldshelf_app, coldshelf_reader;

-- The fence of cursors: every row with a smaller revision is committed or rolled back for good.
CREATE FUNCTION coldshelf_fence() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT generation << 48 | pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM server_generation
$$;

CREATE TABLE client (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL UNIQUE CHECK (code = '' OR code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'),
    name text NOT NULL,
    time_zone text NOT NULL DEFAULT 'UTC',
    demands_planogram boolean NOT NULL DEFAULT false,
    reviews_by_hand boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    created_on timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE client ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON client USING (id = nullif(current_setting('coldshelf.client_id', true), '')::bigint);
GRANT SELECT ON client TO coldshelf_app, coldshelf_reader;
-- Operators belong to no client of their own: they live under this row.
INSERT INTO client (id, code, name) OVERRIDING SYSTEM VALUE VALUES (0, '', 'Operators');

-- Closes a table to one tenant at a time.
CREATE FUNCTION coldshelf_protect(table_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
    EXECUTE format('CREATE POLICY tenant ON %I USING (client_id ='
        ' nullif(current_setting(''coldshelf.client_id'', true), '''')::bigint)', table_name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO coldshelf_app', table_name);
    EXECUTE format('GRANT SELECT ON %I TO coldshelf_reader', table_name);
END $$;

-- Makes a tenant table of a table that has only its own columns: common columns, keys, stamps, policy, grants.
CREATE FUNCTION coldshelf_tenant_table(table_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I
        ADD COLUMN client_id bigint NOT NULL REFERENCES client (id),
        ADD COLUMN id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
        ADD COLUMN is_deleted boolean NOT NULL DEFAULT false,
        ADD COLUMN created_on timestamptz NOT NULL,
        ADD COLUMN created_by_user_id bigint,
        ADD COLUMN created_by_user text NOT NULL,
        ADD COLUMN modified_on timestamptz NOT NULL,
        ADD COLUMN modified_by_user_id bigint,
        ADD COLUMN modified_by_user text NOT NULL,
        ADD COLUMN revision bigint NOT NULL,
        ADD PRIMARY KEY (client_id, id)', table_name);
    EXECUTE format('CREATE INDEX ON %I (client_id, revision, id)', table_name);
    EXECUTE format('CREATE INDEX ON %I (client_id, modified_on, id)', table_name);
    EXECUTE format('CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON %I'
        ' FOR EACH ROW EXECUTE FUNCTION coldshelf_stamp()', table_name);
    PERFORM coldshelf_protect(table_name);
END $$;

-- Events and their steps: the record of work.
CREATE TABLE event (
    client_id bigint NOT NULL REFERENCES client (id),
    id uuid NOT NULL,
    type text NOT NULL,
    version integer NOT NULL,
    public boolean NOT NULL,
    occurred_on timestamptz NOT NULL,
    location_id bigint,
    asset_id bigint,
    dataset text NOT NULL,
    key bigint NOT NULL,
    links text[] NOT NULL,
    callback_urls text[] NOT NULL,
    PRIMARY KEY (client_id, id)
);
SELECT coldshelf_protect('event');

CREATE TABLE event_step (
    client_id bigint NOT NULL,
    event_id uuid NOT NULL,
    handler text NOT NULL,
    created_on timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_on timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_on timestamptz,
    given_up_on timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    PRIMARY KEY (client_id, event_id, handler),
    FOREIGN KEY (client_id, event_id) REFERENCES event (client_id, id)
);
CREATE INDEX ON event_step (due_on) WHERE done_on IS NULL AND given_up_on IS NULL;
SELECT coldshelf_protect('event_step');

CREATE TABLE idempotency (
    client_id bigint NOT NULL REFERENCES client (id),
    user_id bigint NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea NOT NULL,
    created_on timestamptz NOT NULL DEFAULT clock_timestamp(),
    status integer,
    answer bytea,
    PRIMARY KEY (client_id, user_id, key)
);
CREATE INDEX ON idempotency (created_on);
SELECT coldshelf_protect('idempotency');

-- Users and credentials. A user name is unique in the whole house, since sign-in does not know the client yet.
CREATE TABLE app_user (
    username text NOT NULL,
    username_key text NOT NULL GENERATED ALWAYS AS (lower(username)) STORED,
    password_hash text NOT NULL,
    role text NOT NULL,
    email text NOT NULL DEFAULT '',
    first_name text NOT NULL DEFAULT '',
    last_name text NOT NULL DEFAULT '',
    is_active boolean NOT NULL DEFAULT true
);
SELECT coldshelf_tenant_table('app_user');
CREATE UNIQUE INDEX app_user_name ON app_user (username_key) WHERE NOT is_deleted;

CREATE TABLE api_token (
    user_id bigint NOT NULL,
    name text NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    expires_on timestamptz,
    revoked_on timestamptz
);
SELECT coldshelf_tenant_table('api_token');
ALTER TABLE api_token ADD FOREIGN KEY (client_id, user_id) REFERENCES app_user (client_id, id);

CREATE TABLE device_credential (
    smart_device_id bigint NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    revoked_on timestamptz
);
SELECT coldshelf_tenant_table('device_credential');

-- Doors where the tenant is not known yet: ids only.
CREATE FUNCTION door_user(wanted text) RETURNS TABLE (client_id bigint, user_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT u.client_id, u.id FROM app_user u WHERE u.username_key = lower(wanted) AND NOT u.is_deleted
$$;
CREATE FUNCTION door_token(wanted bytea) RETURNS TABLE (client_id bigint, token_id bigint, device boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT t.client_id, t.id, false FROM api_token t WHERE t.token_hash = wanted AND NOT t.is_deleted
    UNION ALL
    SELECT d.client_id, d.id, true FROM device_credential d WHERE d.token_hash = wanted AND NOT d.is_deleted
$$;
REVOKE ALL ON FUNCTION door_user(text), door_token(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION door_user(text), door_token(bytea) TO coldshelf_app;

-- Where the last page of an offset pull ended, so that the next page starts behind it whatever moved meanwhile.
CREATE UNLOGGED TABLE list_position (
    client_id bigint NOT NULL REFERENCES client (id),
    pull bytea NOT NULL,
    next_start bigint NOT NULL,
    last_id bigint NOT NULL,
    noted_on timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (client_id, pull, next_start)
);
CREATE INDEX ON list_position (noted_on);
SELECT coldshelf_protect('list_position');
