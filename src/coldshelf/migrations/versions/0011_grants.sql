-- Roles of a client's own; one named like a published role stands in its place.
CREATE TABLE security_role (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    based_on text NOT NULL,
    rights jsonb NOT NULL DEFAULT '{}',
    own_outlets boolean NOT NULL DEFAULT false
);
SELECT coldshelf_tenant_table('security_role');
CREATE UNIQUE INDEX security_role_name ON security_role (client_id, name_key) WHERE NOT is_deleted;

-- What a user, or one token of a user, is limited to. `scope` counts the changes of what it sees.
CREATE TABLE access_limit (
    user_id bigint NOT NULL,
    token_id bigint,
    datasets text[],
    hidden text[] NOT NULL DEFAULT '{}',
    scope bigint NOT NULL DEFAULT 0
);
SELECT coldshelf_tenant_table('access_limit');
ALTER TABLE access_limit
    ADD FOREIGN KEY (client_id, user_id) REFERENCES app_user (client_id, id),
    ADD FOREIGN KEY (client_id, token_id) REFERENCES api_token (client_id, id);
CREATE UNIQUE INDEX access_limit_holder ON access_limit (client_id, user_id, token_id) NULLS NOT DISTINCT
    WHERE NOT is_deleted;
CREATE INDEX ON access_limit (client_id, token_id);

-- Ids within one dimension widen a limit, dimensions narrow it.
CREATE TABLE access_grant (
    limit_id bigint NOT NULL,
    dimension text NOT NULL,
    target_id bigint NOT NULL
);
SELECT coldshelf_tenant_table('access_grant');
ALTER TABLE access_grant ADD FOREIGN KEY (client_id, limit_id) REFERENCES access_limit (client_id, id);
CREATE UNIQUE INDEX access_grant_target ON access_grant (client_id, limit_id, dimension, target_id);

-- The grants expanded: written by the triggers below only, in the transaction of whatever changes them.
CREATE TABLE principal_outlet (
    client_id bigint NOT NULL,
    limit_id bigint NOT NULL,
    location_id bigint NOT NULL,
    PRIMARY KEY (client_id, limit_id, location_id),
    FOREIGN KEY (client_id, limit_id) REFERENCES access_limit (client_id, id),
    FOREIGN KEY (client_id, location_id) REFERENCES location (client_id, id)
);
CREATE INDEX ON principal_outlet (client_id, location_id);
SELECT coldshelf_protect('principal_outlet');

-- Makes principal_outlet true for these limits and outlets (NULL: all), and counts the change where a reader must start
-- again: rows of an outlet that was there before come into its sight, or leave it, without having changed themselves.
-- A token has the grants of its user too. Planned at each call: what suits one outlet does not suit all of them.
CREATE FUNCTION coldshelf_expand(of_client bigint, limits bigint[], outlets bigint[], outlets_are_new boolean)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    changed bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM access_grant WHERE client_id = of_client)
        AND NOT EXISTS (SELECT FROM principal_outlet WHERE client_id = of_client) THEN
        RETURN;
    END IF;
    EXECUTE $expand$
        WITH RECURSIVE held AS (
            SELECT l.id AS limit_id, g.limit_id AS giver, g.dimension, g.target_id
            FROM access_limit l
            JOIN access_limit o ON o.client_id = l.client_id AND NOT o.is_deleted
                AND (o.id = l.id OR o.user_id = l.user_id AND o.token_id IS NULL)
            JOIN access_grant g ON g.client_id = o.client_id AND g.limit_id = o.id AND NOT g.is_deleted
            WHERE l.client_id = $1 AND NOT l.is_deleted AND ($2 IS NULL OR l.id = ANY ($2))
        ), needed AS (
            SELECT limit_id, count(DISTINCT (giver, dimension)) AS dimensions FROM held GROUP BY limit_id
        ), sub_market AS (
            SELECT DISTINCT target_id AS top, target_id AS id FROM held WHERE dimension = 'market'
            UNION
            SELECT s.top, m.id FROM sub_market s JOIN market m ON m.client_id = $1 AND m.parent_market_id = s.id
        ), matched AS (
            SELECT h.limit_id, h.giver, h.dimension, o.id FROM held h
            JOIN location o ON o.client_id = $1 AND o.id = h.target_id
            WHERE h.dimension = 'outlet' AND ($3 IS NULL OR o.id = ANY ($3))
            UNION ALL
            SELECT h.limit_id, h.giver, h.dimension, o.id FROM held h JOIN sub_market s ON s.top = h.target_id
            JOIN location o ON o.client_id = $1 AND o.market_id = s.id
            WHERE h.dimension = 'market' AND ($3 IS NULL OR o.id = ANY ($3))
            UNION ALL
            SELECT h.limit_id, h.giver, h.dimension, o.id FROM held h
            JOIN location o ON o.client_id = $1 AND (o.channel_id = h.target_id OR o.sub_channel_id = h.target_id)
            WHERE h.dimension = 'channel' AND ($3 IS NULL OR o.id = ANY ($3))
            UNION ALL
            SELECT h.limit_id, h.giver, h.dimension, o.id FROM held h
            JOIN location o ON o.client_id = $1 AND o.distributor_id = h.target_id
            WHERE h.dimension = 'distributor' AND ($3 IS NULL OR o.id = ANY ($3))
            UNION ALL
            SELECT h.limit_id, h.giver, h.dimension, o.id FROM held h
            JOIN location o ON o.client_id = $1 AND o.primary_sales_rep_id = h.target_id
            WHERE h.dimension = 'primary_rep' AND ($3 IS NULL OR o.id = ANY ($3))
        ), granted AS MATERIALIZED (
            SELECT m.limit_id, m.id AS location_id FROM matched m JOIN needed n ON n.limit_id = m.limit_id
            GROUP BY m.limit_id, m.id, n.dimensions HAVING count(DISTINCT (m.giver, m.dimension)) = n.dimensions
        ), gone AS (
            DELETE FROM principal_outlet p
            WHERE p.client_id = $1 AND ($2 IS NULL OR p.limit_id = ANY ($2))
                AND ($3 IS NULL OR p.location_id = ANY ($3))
                AND (p.limit_id, p.location_id) NOT IN (SELECT g.limit_id, g.location_id FROM granted g)
            RETURNING p.limit_id
        ), come AS (
            INSERT INTO principal_outlet (client_id, limit_id, location_id)
            SELECT $1, g.limit_id, g.location_id FROM granted g
            ON CONFLICT DO NOTHING RETURNING limit_id
        )
        SELECT array_agg(DISTINCT c.limit_id) FROM (SELECT * FROM gone UNION ALL SELECT * FROM come) AS c
    $expand$ INTO changed USING of_client, limits, outlets;
    IF changed IS NOT NULL AND NOT outlets_are_new THEN
        UPDATE access_limit SET scope = scope + 1 WHERE client_id = of_client AND id IN (
            SELECT id FROM access_limit WHERE client_id = of_client AND id = ANY (changed)
            ORDER BY id FOR NO KEY UPDATE);
    END IF;
END $$;

-- Changes of outlets go on beside each other; one of grants or of the tree of markets waits for all of them, and they
-- for it: else each would expand without what the other is about to commit.
CREATE FUNCTION coldshelf_scope_lock(what text, of_client bigint, alone boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    key bigint := hashtextextended(what, of_client);
BEGIN
    IF alone THEN
        PERFORM pg_advisory_xact_lock(key);
    ELSE
        PERFORM pg_advisory_xact_lock_shared(key);
    END IF;
END $$;

CREATE FUNCTION coldshelf_outlets_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
BEGIN
    FOR change IN SELECT client_id, array_agg(id) AS ids FROM added GROUP BY client_id LOOP
        PERFORM coldshelf_scope_lock('principal_outlet', change.client_id, false);
        PERFORM coldshelf_expand(change.client_id, NULL, change.ids, true);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER scope_added AFTER INSERT ON location REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION coldshelf_outlets_added();

CREATE FUNCTION coldshelf_outlets_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
BEGIN
    FOR change IN
        SELECT a.client_id, array_agg(a.id) AS ids FROM after a JOIN before b USING (client_id, id)
        WHERE (a.market_id, a.channel_id, a.sub_channel_id, a.distributor_id, a.primary_sales_rep_id) IS DISTINCT FROM
            (b.market_id, b.channel_id, b.sub_channel_id, b.distributor_id, b.primary_sales_rep_id)
        GROUP BY a.client_id
    LOOP
        PERFORM coldshelf_scope_lock('principal_outlet', change.client_id, false);
        PERFORM coldshelf_expand(change.client_id, NULL, change.ids, false);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER scope_moved AFTER UPDATE ON location REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION coldshelf_outlets_moved();

CREATE FUNCTION coldshelf_markets_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM coldshelf_scope_lock('principal_outlet', NEW.client_id, true);
    PERFORM coldshelf_expand(NEW.client_id, NULL, NULL, false);
    RETURN NULL;
END $$;
CREATE TRIGGER scope_moved AFTER UPDATE OF parent_market_id ON market
    FOR EACH ROW WHEN (OLD.parent_market_id IS DISTINCT FROM NEW.parent_market_id)
    EXECUTE FUNCTION coldshelf_markets_moved();

CREATE FUNCTION coldshelf_grants_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
BEGIN
    FOR change IN
        SELECT g.client_id, array_agg(DISTINCT l.id) AS ids
        FROM changed g JOIN access_limit o ON o.client_id = g.client_id AND o.id = g.limit_id
        JOIN access_limit l ON l.client_id = o.client_id
            AND (l.id = o.id OR o.token_id IS NULL AND l.user_id = o.user_id)
        GROUP BY g.client_id
    LOOP
        PERFORM coldshelf_scope_lock('principal_outlet', change.client_id, true);
        PERFORM coldshelf_expand(change.client_id, change.ids, NULL, false);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER scope_added AFTER INSERT ON access_grant REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION coldshelf_grants_changed();
CREATE TRIGGER scope_changed AFTER UPDATE ON access_grant REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION coldshelf_grants_changed();

-- A role may say that its users see only the outlets whose primary sales rep they are.
CREATE FUNCTION coldshelf_limit_to_own_outlets(of_client bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    users bigint[] := ARRAY(
        SELECT u.id FROM app_user u
        JOIN security_role r ON r.client_id = u.client_id AND r.name_key = lower(u.role) AND NOT r.is_deleted
        WHERE u.client_id = of_client AND r.own_outlets AND NOT u.is_deleted ORDER BY u.id);
BEGIN
    INSERT INTO access_limit (client_id, user_id) SELECT of_client, unnest(users) ON CONFLICT DO NOTHING;
    INSERT INTO access_grant (client_id, limit_id, dimension, target_id)
    SELECT of_client, l.id, 'primary_rep', l.user_id FROM access_limit l
    WHERE l.client_id = of_client AND l.user_id = ANY (users) AND l.token_id IS NULL AND NOT l.is_deleted
    ON CONFLICT (client_id, limit_id, dimension, target_id)
        DO UPDATE SET is_deleted = false WHERE access_grant.is_deleted;
    UPDATE access_grant SET is_deleted = true
    WHERE client_id = of_client AND dimension = 'primary_rep' AND NOT is_deleted AND NOT target_id = ANY (users);
END $$;

CREATE FUNCTION coldshelf_roles_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM coldshelf_scope_lock('security_role', NEW.client_id, TG_TABLE_NAME = 'security_role');
    PERFORM coldshelf_limit_to_own_outlets(NEW.client_id);
    RETURN NULL;
END $$;
CREATE TRIGGER scope_added AFTER INSERT ON app_user
    FOR EACH ROW EXECUTE FUNCTION coldshelf_roles_changed();
CREATE TRIGGER scope_changed AFTER UPDATE OF role, is_deleted ON app_user
    FOR EACH ROW WHEN ((OLD.role, OLD.is_deleted) IS DISTINCT FROM (NEW.role, NEW.is_deleted))
    EXECUTE FUNCTION coldshelf_roles_changed();
CREATE TRIGGER scope_added AFTER INSERT ON security_role
    FOR EACH ROW EXECUTE FUNCTION coldshelf_roles_changed();
CREATE TRIGGER scope_changed AFTER UPDATE OF name, own_outlets, is_deleted ON security_role
    FOR EACH ROW EXECUTE FUNCTION coldshelf_roles_changed();

-- In which outlets a row stood before: to whom sees one of them and not the one where it stands now, it is deleted.
CREATE TABLE left_outlet (
    client_id bigint NOT NULL REFERENCES client (id),
    relation text NOT NULL,
    row_id bigint NOT NULL,
    location_id bigint NOT NULL,
    PRIMARY KEY (client_id, relation, row_id, location_id),
    FOREIGN KEY (client_id, location_id) REFERENCES location (client_id, id)
);
SELECT coldshelf_protect('left_outlet');

CREATE FUNCTION coldshelf_row_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO left_outlet (client_id, relation, row_id, location_id)
    SELECT OLD.client_id, TG_TABLE_NAME, OLD.id, OLD.location_id WHERE OLD.location_id IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- What stands where another row stands moves with it: its modification time tells so.
CREATE FUNCTION coldshelf_followers_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('WITH moved AS (
            UPDATE %1$I SET is_deleted = is_deleted WHERE client_id = $1 AND id IN (
                SELECT id FROM %1$I WHERE client_id = $1 AND %2$I = $2 ORDER BY id FOR NO KEY UPDATE)
            RETURNING id)
        INSERT INTO left_outlet (client_id, relation, row_id, location_id)
        SELECT $1, %1$L, id, $3 FROM moved WHERE $3 IS NOT NULL ON CONFLICT DO NOTHING', TG_ARGV[0], TG_ARGV[1])
    USING OLD.client_id, OLD.id, OLD.location_id;
    RETURN NULL;
END $$;
CREATE FUNCTION coldshelf_device_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO left_outlet (client_id, relation, row_id, location_id)
    SELECT OLD.client_id, 'smart_device', OLD.id, location_id FROM asset
    WHERE client_id = OLD.client_id AND id = OLD.asset_id AND location_id IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

DO $$
DECLARE
    placed text;
    follower record;
BEGIN
    FOREACH placed IN ARRAY ARRAY['asset', 'picture', 'contact', 'sales_rep', 'outlet_action', 'factory_asset'] LOOP
        EXECUTE format('CREATE TRIGGER row_left AFTER UPDATE OF location_id ON %I
            FOR EACH ROW WHEN (OLD.location_id IS DISTINCT FROM NEW.location_id)
            EXECUTE FUNCTION coldshelf_row_left()', placed);
    END LOOP;
    FOR follower IN SELECT * FROM (VALUES
        ('asset', 'smart_device', 'asset_id'), ('picture', 'facing', 'picture_id'),
        ('picture', 'reprocessing_picture', 'picture_id')
    ) AS listed (leader, source, on_column) LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER UPDATE OF location_id ON %I
            FOR EACH ROW WHEN (OLD.location_id IS DISTINCT FROM NEW.location_id)
            EXECUTE FUNCTION coldshelf_followers_left(%L, %L)',
            follower.source || '_left', follower.leader, follower.source, follower.on_column);
    END LOOP;
END $$;
CREATE TRIGGER row_left AFTER UPDATE OF asset_id ON smart_device
    FOR EACH ROW WHEN (OLD.asset_id IS DISTINCT FROM NEW.asset_id)
    EXECUTE FUNCTION coldshelf_device_left();
