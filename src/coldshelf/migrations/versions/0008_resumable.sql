-- Uploads that arrive in parts. `received` bytes are durable; a part stands under its own object key.
CREATE TABLE resumable_upload (
    client_id bigint NOT NULL REFERENCES client (id),
    guid uuid NOT NULL,
    user_id bigint NOT NULL,
    credential text NOT NULL,
    length bigint NOT NULL,
    metadata text NOT NULL,
    received bigint NOT NULL DEFAULT 0,
    part_keys text[] NOT NULL DEFAULT '{}',
    began_on timestamptz NOT NULL,
    expires_on timestamptz NOT NULL,
    ended_on timestamptz,
    status integer,
    answer bytea,
    PRIMARY KEY (client_id, guid)
);
SELECT coldshelf_protect('resumable_upload');
CREATE INDEX ON resumable_upload (client_id, credential) WHERE ended_on IS NULL;
CREATE INDEX ON resumable_upload (expires_on);
