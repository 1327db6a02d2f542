-- One file that came to be imported.
CREATE TABLE import_run (
    guid uuid NOT NULL,
    type text NOT NULL,
    state text NOT NULL,
    source text NOT NULL,
    claim text,
    file_name text NOT NULL,
    object_key text NOT NULL,
    sha256 bytea NOT NULL,
    file_size bigint NOT NULL,
    options text NOT NULL DEFAULT '{}',
    phase text NOT NULL DEFAULT '',
    total_rows bigint NOT NULL DEFAULT 0,
    rows_done bigint NOT NULL DEFAULT 0,
    inserted bigint NOT NULL DEFAULT 0,
    updated bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    error_count bigint NOT NULL DEFAULT 0,
    errors text NOT NULL DEFAULT '[]',
    warnings text NOT NULL DEFAULT '[]',
    started_on timestamptz,
    finished_on timestamptz,
    undone_on timestamptz,
    undone_by_user text,
    written_revision bigint
);
SELECT coldshelf_tenant_table('import_run');
CREATE UNIQUE INDEX ON import_run (client_id, guid);
-- A watched file is taken by whoever adds the run that claims it.
CREATE UNIQUE INDEX ON import_run (client_id, claim);

-- What it changed, with the rows as they were before; one entry a record, so plain, without stamps of its own.
CREATE TABLE import_change (
    client_id bigint NOT NULL,
    import_run_id bigint NOT NULL,
    number bigint NOT NULL,
    row_number bigint NOT NULL,
    entity text NOT NULL,
    kind text NOT NULL,
    entity_id bigint NOT NULL,
    before_image jsonb,
    PRIMARY KEY (client_id, import_run_id, number),
    FOREIGN KEY (client_id, import_run_id) REFERENCES import_run (client_id, id)
);
SELECT coldshelf_protect('import_change');
