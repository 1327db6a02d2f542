-- Events about which nothing happened: somebody tries them out.
ALTER TABLE event ADD COLUMN triggered boolean NOT NULL DEFAULT false;
ALTER TABLE delivery ADD COLUMN triggered boolean NOT NULL DEFAULT false;

-- Where it happened: so that deliveries of one outlet are found.
ALTER TABLE delivery ADD COLUMN location_id bigint;
ALTER TABLE delivery ADD FOREIGN KEY (client_id, location_id) REFERENCES location (client_id, id);
CREATE INDEX ON delivery (client_id, location_id, id);

-- The order in which public events can be followed without gaps, as that of all lists.
CREATE FUNCTION coldshelf_revision() RETURNS bigint LANGUAGE sql AS $$
    SELECT (SELECT generation FROM server_generation) << 48 | pg_current_xact_id()::text::bigint
$$;
ALTER TABLE event ADD COLUMN revision bigint NOT NULL DEFAULT 0;
ALTER TABLE event ALTER COLUMN revision SET DEFAULT coldshelf_revision();
CREATE INDEX event_stream ON event (client_id, revision, id) WHERE public;

-- What a sandbox keeps in place of sending it, one row for each attempt.
CREATE TABLE outbox (
    delivery_id bigint NOT NULL,
    number bigint NOT NULL,
    channel text NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    address text NOT NULL,
    subject text NOT NULL DEFAULT '',
    headers text NOT NULL DEFAULT '{}',
    body bytea NOT NULL,
    size bigint NOT NULL,
    behaviour text NOT NULL,
    status bigint,
    error text NOT NULL DEFAULT ''
);
SELECT coldshelf_tenant_table('outbox');
ALTER TABLE outbox ADD FOREIGN KEY (client_id, delivery_id) REFERENCES delivery (client_id, id);
CREATE INDEX ON outbox (client_id, delivery_id, id);
CREATE INDEX ON outbox (client_id, channel, id);
CREATE INDEX ON outbox (client_id, event_type, id);

-- How each channel of a client answers in a sandbox; without a row: well.
CREATE TABLE outbox_switch (
    client_id bigint NOT NULL REFERENCES client (id),
    channel text NOT NULL,
    behaviour text NOT NULL,
    PRIMARY KEY (client_id, channel)
);
SELECT coldshelf_protect('outbox_switch');
