-- A link opens one record for one purpose. Of its token only a hash is kept: it is told once, when it is made.
CREATE TABLE link (
    token_hash bytea NOT NULL UNIQUE,
    purpose text NOT NULL,
    dataset text NOT NULL,
    record_key bigint NOT NULL,
    recipient text NOT NULL DEFAULT '',
    user_id bigint,
    expires_on timestamptz NOT NULL,
    revoked_on timestamptz,
    used_on timestamptz,
    used_by_action text
);
SELECT coldshelf_tenant_table('link');
ALTER TABLE link ADD FOREIGN KEY (client_id, user_id) REFERENCES app_user (client_id, id);
CREATE INDEX ON link (client_id, user_id);
CREATE INDEX ON link (client_id, record_key);

-- What was done by links: one row each, never changed.
CREATE TABLE link_action (
    link_id bigint NOT NULL,
    purpose text NOT NULL,
    dataset text NOT NULL,
    record_key bigint NOT NULL,
    recipient text NOT NULL,
    action text NOT NULL,
    detail text NOT NULL DEFAULT ''
);
SELECT coldshelf_tenant_table('link_action');
ALTER TABLE link_action ADD FOREIGN KEY (client_id, link_id) REFERENCES link (client_id, id);
CREATE INDEX ON link_action (client_id, link_id);
CREATE INDEX ON link_action (client_id, record_key);

CREATE FUNCTION door_link(wanted bytea) RETURNS TABLE (client_id bigint, link_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.client_id, l.id FROM link l WHERE l.token_hash = wanted AND NOT l.is_deleted
$$;
REVOKE ALL ON FUNCTION door_link(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION door_link(bytea) TO coldshelf_app;
