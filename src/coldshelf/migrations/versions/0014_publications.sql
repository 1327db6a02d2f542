-- What is published where, when and for whom.
CREATE TABLE publication (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    mode text NOT NULL DEFAULT 'delta',
    destination text NOT NULL DEFAULT 'exports',
    datasets text,
    format text NOT NULL DEFAULT 'parquet',
    compression text,
    consistency text NOT NULL DEFAULT 'snapshot',
    columns text,
    file_name text,
    open_tables boolean NOT NULL DEFAULT false,
    schedule text,
    time_zone text,
    catch_up text NOT NULL DEFAULT 'latest',
    late_after bigint NOT NULL DEFAULT 60,
    keep_days bigint,
    user_id bigint,
    is_active boolean NOT NULL DEFAULT true,
    scheduled_from timestamptz NOT NULL
);
SELECT coldshelf_tenant_table('publication');
ALTER TABLE publication ADD FOREIGN KEY (client_id, user_id) REFERENCES app_user (client_id, id);
CREATE UNIQUE INDEX publication_name ON publication (client_id, name_key) WHERE NOT is_deleted;
CREATE INDEX ON publication (client_id, user_id);

-- Slots count from the last change of what decides them; those before it are nobody's.
CREATE FUNCTION coldshelf_publication_scheduled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR (NEW.schedule, NEW.time_zone, NEW.is_active) IS DISTINCT FROM
            (OLD.schedule, OLD.time_zone, OLD.is_active) THEN
        NEW.scheduled_from := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER scheduled BEFORE INSERT OR UPDATE ON publication
    FOR EACH ROW EXECUTE FUNCTION coldshelf_publication_scheduled();

-- One run: of a slot, or asked for by hand (due_on is null then). Its attempts have run ids of their own.
CREATE TABLE publication_run (
    publication_id bigint NOT NULL,
    due_on timestamptz,
    state text NOT NULL,
    mode text NOT NULL,
    run_id text,
    attempts bigint NOT NULL DEFAULT 0,
    phase text NOT NULL DEFAULT '',
    tables_done bigint NOT NULL DEFAULT 0,
    tables_total bigint NOT NULL DEFAULT 0,
    rows_done bigint NOT NULL DEFAULT 0,
    bytes_done bigint NOT NULL DEFAULT 0,
    manifest text,
    tables text NOT NULL DEFAULT '[]',
    journal text NOT NULL DEFAULT '{}',
    as_of timestamptz,
    up_to_revision bigint,
    error text NOT NULL DEFAULT '',
    cure text NOT NULL DEFAULT '',
    cancel_asked_on timestamptz,
    started_on timestamptz,
    beat_on timestamptz,
    finished_on timestamptz,
    late_told_on timestamptz,
    expired_on timestamptz
);
SELECT coldshelf_tenant_table('publication_run');
ALTER TABLE publication_run ADD FOREIGN KEY (client_id, publication_id) REFERENCES publication (client_id, id);
-- However many schedulers there are, a slot has one run, and a publication one run at a time.
CREATE UNIQUE INDEX publication_run_slot ON publication_run (client_id, publication_id, due_on);
CREATE UNIQUE INDEX publication_run_alone ON publication_run (client_id, publication_id) WHERE state = 'running';
CREATE INDEX ON publication_run (client_id, publication_id, state);

-- How far a publication in mode `since` has come; moved when its files are there, never before.
CREATE TABLE publication_mark (
    client_id bigint NOT NULL,
    publication_id bigint NOT NULL,
    up_to_revision bigint NOT NULL,
    scope text NOT NULL,
    PRIMARY KEY (client_id, publication_id),
    FOREIGN KEY (client_id, publication_id) REFERENCES publication (client_id, id)
);
SELECT coldshelf_protect('publication_mark');

-- When an outlet came into the sight of a limit, and when it left it: to readers of changes its rows changed then.
ALTER TABLE principal_outlet
    ADD COLUMN came_on timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN came_revision bigint NOT NULL DEFAULT 0;
CREATE TABLE left_sight (
    client_id bigint NOT NULL,
    limit_id bigint NOT NULL,
    location_id bigint NOT NULL,
    left_on timestamptz NOT NULL DEFAULT clock_timestamp(),
    left_revision bigint NOT NULL,
    PRIMARY KEY (client_id, limit_id, location_id),
    FOREIGN KEY (client_id, limit_id) REFERENCES access_limit (client_id, id),
    FOREIGN KEY (client_id, location_id) REFERENCES location (client_id, id)
);
SELECT coldshelf_protect('left_sight');

CREATE FUNCTION coldshelf_sight_came() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.came_on := clock_timestamp();
    NEW.came_revision := (SELECT generation FROM server_generation) << 48 | pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER sight_came BEFORE INSERT ON principal_outlet
    FOR EACH ROW EXECUTE FUNCTION coldshelf_sight_came();

CREATE FUNCTION coldshelf_sight_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO left_sight (client_id, limit_id, location_id, left_revision)
    SELECT client_id, limit_id, location_id,
        (SELECT generation FROM server_generation) << 48 | pg_current_xact_id()::text::bigint
    FROM gone
    ON CONFLICT (client_id, limit_id, location_id) DO UPDATE
        SET left_on = excluded.left_on, left_revision = excluded.left_revision;
    RETURN NULL;
END $$;
CREATE TRIGGER sight_left AFTER DELETE ON principal_outlet REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION coldshelf_sight_left();
