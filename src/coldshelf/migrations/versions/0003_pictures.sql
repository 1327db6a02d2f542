-- One record an image or session. Names are those of the time of the picture.
CREATE TABLE picture (
    guid uuid NOT NULL UNIQUE,
    asset_id bigint,
    location_id bigint,
    planogram_id bigint,
    planogram_name text,
    serial_number text,
    location_code text,
    location_name text,
    city text, state text, country text,
    store_number text,
    imei text,
    scene_type text NOT NULL,
    image_received_from bigint NOT NULL,
    source_name text,
    before_after bigint NOT NULL,
    is_stitched boolean NOT NULL,
    grid_order text,
    file_count bigint NOT NULL,
    image_name text NOT NULL,
    total_bytes bigint NOT NULL,
    received_on timestamptz NOT NULL,
    captured_on timestamptz NOT NULL,
    captured_local timestamp NOT NULL,
    capture_time_source text NOT NULL,
    status_id bigint NOT NULL,
    image_status text NOT NULL GENERATED ALWAYS AS (CASE status_id
        WHEN -1 THEN 'Rejected' WHEN 0 THEN 'Unprovisioned' WHEN 1 THEN 'New' WHEN 2 THEN 'Provisioned'
        WHEN 11 THEN 'ImageForCollection' WHEN 12 THEN 'ImageQueueToIR' WHEN 13 THEN 'Processed' END) STORED,
    submission_outcome text NOT NULL,
    rejection_reason text,
    notes text NOT NULL DEFAULT '',
    door_count bigint,
    columns bigint,
    shelves bigint,
    priority bigint NOT NULL DEFAULT 0,
    callback_url text,
    prepared_on timestamptz,
    verified_on timestamptz,
    width bigint,
    height bigint,
    door_open timestamptz, door_close timestamptz,
    light_intensity bigint, light_status text, is_light_on boolean,
    temperature double precision,
    is_prime_position boolean,
    people_detector text,
    people_found bigint
);
SELECT coldshelf_tenant_table('picture');
ALTER TABLE picture ADD FOREIGN KEY (client_id, asset_id) REFERENCES asset (client_id, id);
ALTER TABLE picture ADD FOREIGN KEY (client_id, location_id) REFERENCES location (client_id, id);
ALTER TABLE picture ADD FOREIGN KEY (client_id, planogram_id) REFERENCES planogram (client_id, id);
CREATE INDEX ON picture (client_id, asset_id, id);
CREATE INDEX ON picture (client_id, location_id, scene_type, id);
CREATE INDEX ON picture (client_id, planogram_id);
CREATE INDEX ON picture (client_id, status_id, id);

CREATE TABLE picture_file (
    client_id bigint NOT NULL,
    picture_id bigint NOT NULL,
    number bigint NOT NULL,
    place bigint NOT NULL,
    file_name text NOT NULL,
    object_key text NOT NULL,
    sha256 bytea NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (client_id, picture_id, number),
    FOREIGN KEY (client_id, picture_id) REFERENCES picture (client_id, id)
);
SELECT coldshelf_protect('picture_file');

-- Derived pictures by kind, each with the version of what made it; the newest of a kind is served.
CREATE TABLE rendition (
    client_id bigint NOT NULL,
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    picture_id bigint NOT NULL,
    kind text NOT NULL,
    made_by text NOT NULL,
    object_key text NOT NULL,
    width bigint NOT NULL,
    height bigint NOT NULL,
    bytes bigint NOT NULL,
    made_on timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (client_id, id),
    FOREIGN KEY (client_id, picture_id) REFERENCES picture (client_id, id)
);
CREATE INDEX ON rendition (client_id, picture_id, kind, id);
SELECT coldshelf_protect('rendition');

-- The answer already given for these bytes, so that a client's retry neither doubles nor rejects.
CREATE TABLE upload_answer (
    client_id bigint NOT NULL REFERENCES client (id),
    fingerprint bytea NOT NULL,
    answered_on timestamptz NOT NULL,
    picture_id bigint NOT NULL,
    guid uuid NOT NULL,
    PRIMARY KEY (client_id, fingerprint)
);
SELECT coldshelf_protect('upload_answer');

-- Undecodable files are kept apart for the operator.
CREATE TABLE quarantine (
    client_id bigint NOT NULL REFERENCES client (id),
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    kept_on timestamptz NOT NULL DEFAULT clock_timestamp(),
    object_key text NOT NULL,
    file_name text NOT NULL,
    reason text NOT NULL,
    bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    PRIMARY KEY (client_id, id)
);
SELECT coldshelf_protect('quarantine');

CREATE FUNCTION door_picture(wanted uuid) RETURNS TABLE (client_id bigint, picture_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.client_id, p.id FROM picture p WHERE p.guid = wanted AND NOT p.is_deleted
$$;
REVOKE ALL ON FUNCTION door_picture(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION door_picture(uuid) TO coldshelf_app;
