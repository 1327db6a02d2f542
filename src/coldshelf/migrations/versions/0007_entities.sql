-- What has a name, a code and a key of other systems.
CREATE TABLE market (parent_market_id bigint);
CREATE TABLE channel ();
CREATE TABLE classification ();
CREATE TABLE key_account ();
CREATE TABLE customer ();
CREATE TABLE distributor (primary_email text, primary_phone text);
CREATE TABLE route ();
CREATE TABLE packaging_type ();
CREATE TABLE measurement_unit ();
CREATE TABLE product_category ();
CREATE TABLE beverage_type ();
CREATE TABLE smart_device_type ();
CREATE TABLE replenish_model ();
DO $$
DECLARE named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['market', 'channel', 'classification', 'key_account', 'customer', 'distributor',
        'route', 'packaging_type', 'measurement_unit', 'product_category', 'beverage_type', 'smart_device_type',
        'replenish_model'] LOOP
        EXECUTE format('ALTER TABLE %I
            ADD COLUMN name text NOT NULL,
            ADD COLUMN name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
            ADD COLUMN code text,
            ADD COLUMN code_key text GENERATED ALWAYS AS (lower(code)) STORED,
            ADD COLUMN external_code text,
            ADD COLUMN external_code_key text GENERATED ALWAYS AS (lower(external_code)) STORED', named);
        PERFORM coldshelf_tenant_table(named);
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (client_id, name_key) WHERE NOT is_deleted',
            named || '_name', named);
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (client_id, code_key) WHERE NOT is_deleted',
            named || '_code', named);
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (client_id, external_code_key) WHERE NOT is_deleted',
            named || '_external_code', named);
    END LOOP;
END $$;
ALTER TABLE market ADD FOREIGN KEY (client_id, parent_market_id) REFERENCES market (client_id, id);
CREATE INDEX ON market (client_id, parent_market_id);

CREATE TABLE country (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    code text,
    code_key text GENERATED ALWAYS AS (lower(code)) STORED
);
SELECT coldshelf_tenant_table('country');
CREATE UNIQUE INDEX country_name ON country (client_id, name_key) WHERE NOT is_deleted;
CREATE UNIQUE INDEX country_code ON country (client_id, code_key) WHERE NOT is_deleted;

CREATE TABLE state (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    code text,
    code_key text GENERATED ALWAYS AS (lower(code)) STORED,
    country_id bigint
);
SELECT coldshelf_tenant_table('state');
ALTER TABLE state ADD FOREIGN KEY (client_id, country_id) REFERENCES country (client_id, id);
-- Two countries may have a state of the same name.
CREATE UNIQUE INDEX state_name ON state (client_id, name_key, country_id) NULLS NOT DISTINCT WHERE NOT is_deleted;
CREATE UNIQUE INDEX state_code ON state (client_id, code_key) WHERE NOT is_deleted;
CREATE INDEX ON state (client_id, country_id);

CREATE TABLE time_zone (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED
);
SELECT coldshelf_tenant_table('time_zone');
CREATE UNIQUE INDEX time_zone_name ON time_zone (client_id, name_key) WHERE NOT is_deleted;

-- Users as a client's admins see them. One without a password has an empty hash, which no password fits.
ALTER TABLE app_user
    ALTER COLUMN email DROP NOT NULL,
    ALTER COLUMN email DROP DEFAULT,
    ALTER COLUMN password_hash SET DEFAULT '',
    ADD COLUMN email_key text GENERATED ALWAYS AS (lower(email)) STORED,
    ADD COLUMN primary_phone text,
    ADD COLUMN employer_name text,
    ADD COLUMN preferred_notification_type text,
    ADD COLUMN market_id bigint,
    ADD COLUMN key_account_id bigint,
    ADD COLUMN classification_id bigint,
    ADD COLUMN distributor_id bigint;
UPDATE app_user u SET email = CASE
    WHEN u.email = '' OR NOT u.is_deleted AND EXISTS (
        SELECT FROM app_user o WHERE o.client_id = u.client_id AND o.email_key = u.email_key AND o.id < u.id
            AND NOT o.is_deleted)
    THEN NULL ELSE lower(u.email) END;
CREATE UNIQUE INDEX app_user_email ON app_user (client_id, email_key) WHERE NOT is_deleted;
ALTER TABLE app_user
    ADD FOREIGN KEY (client_id, market_id) REFERENCES market (client_id, id),
    ADD FOREIGN KEY (client_id, key_account_id) REFERENCES key_account (client_id, id),
    ADD FOREIGN KEY (client_id, classification_id) REFERENCES classification (client_id, id),
    ADD FOREIGN KEY (client_id, distributor_id) REFERENCES distributor (client_id, id);
CREATE INDEX ON app_user (client_id, market_id);
CREATE INDEX ON app_user (client_id, key_account_id);
CREATE INDEX ON app_user (client_id, classification_id);
CREATE INDEX ON app_user (client_id, distributor_id);

-- Outlets: text becomes rows, one for each spelling whatever its letter case; the oldest row's spelling is kept.
ALTER TABLE location
    ADD COLUMN primary_mobile text,
    ADD COLUMN primary_email text,
    ADD COLUMN sales_target numeric(18, 2),
    ADD COLUMN is_ordering_paused boolean NOT NULL DEFAULT false,
    ADD COLUMN country_id bigint,
    ADD COLUMN state_id bigint,
    ADD COLUMN time_zone_id bigint,
    ADD COLUMN market_id bigint,
    ADD COLUMN channel_id bigint,
    ADD COLUMN sub_channel_id bigint,
    ADD COLUMN location_type_id bigint,
    ADD COLUMN classification_id bigint,
    ADD COLUMN key_account_id bigint,
    ADD COLUMN customer_id bigint,
    ADD COLUMN distributor_id bigint,
    ADD COLUMN route_id bigint,
    ADD COLUMN pre_seller_route_id bigint,
    ADD COLUMN primary_sales_rep_id bigint;

CREATE FUNCTION coldshelf_rows_of_text(target text, source text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I (client_id, name)
        SELECT client_id, (array_agg(btrim(name) ORDER BY id))[1] FROM (%s) AS held (client_id, id, name)
        WHERE btrim(name) <> '''' GROUP BY client_id, lower(btrim(name))
        ORDER BY client_id, min(id)', target, source);
END $$;
SELECT coldshelf_rows_of_text('country', 'SELECT client_id, id, country FROM location');
SELECT coldshelf_rows_of_text('time_zone', 'SELECT client_id, id, time_zone FROM location');
SELECT coldshelf_rows_of_text('market', 'SELECT client_id, id, market FROM location');
SELECT coldshelf_rows_of_text('channel', 'SELECT client_id, id, channel FROM location
    UNION ALL SELECT client_id, id, location_type FROM location');
SELECT coldshelf_rows_of_text('classification', 'SELECT client_id, id, classification FROM location');
SELECT coldshelf_rows_of_text('customer', 'SELECT client_id, id, customer FROM location');
SELECT coldshelf_rows_of_text('distributor', 'SELECT client_id, id, distributor FROM location');
SELECT coldshelf_rows_of_text('packaging_type', 'SELECT client_id, id, packaging_type FROM product');
SELECT coldshelf_rows_of_text('measurement_unit', 'SELECT client_id, id, measurement_unit FROM product');
SELECT coldshelf_rows_of_text('product_category', 'SELECT client_id, id, product_category FROM product');
SELECT coldshelf_rows_of_text('beverage_type', 'SELECT client_id, id, beverage_type FROM product');
SELECT coldshelf_rows_of_text('smart_device_type', 'SELECT client_id, id, smart_device_type FROM smart_device');
DROP FUNCTION coldshelf_rows_of_text(text, text);
INSERT INTO state (client_id, name, country_id)
SELECT l.client_id, (array_agg(btrim(l.state) ORDER BY l.id))[1], c.id
FROM location l LEFT JOIN country c ON c.client_id = l.client_id AND c.name_key = lower(btrim(l.country))
WHERE btrim(l.state) <> '' GROUP BY l.client_id, c.id, lower(btrim(l.state)) ORDER BY l.client_id, min(l.id);

-- Rows without such text keep their modification time.
UPDATE location l SET
    country_id = (SELECT t.id FROM country t WHERE t.client_id = l.client_id AND t.name_key = lower(btrim(l.country))),
    state_id = (
        SELECT t.id FROM state t LEFT JOIN country c ON c.client_id = t.client_id AND c.id = t.country_id
        WHERE t.client_id = l.client_id AND t.name_key = lower(btrim(l.state))
            AND c.name_key IS NOT DISTINCT FROM nullif(lower(btrim(l.country)), '')),
    time_zone_id = (
        SELECT t.id FROM time_zone t WHERE t.client_id = l.client_id AND t.name_key = lower(btrim(l.time_zone))),
    market_id = (SELECT t.id FROM market t WHERE t.client_id = l.client_id AND t.name_key = lower(btrim(l.market))),
    channel_id = (SELECT t.id FROM channel t WHERE t.client_id = l.client_id AND t.name_key = lower(btrim(l.channel))),
    location_type_id = (
        SELECT t.id FROM channel t WHERE t.client_id = l.client_id AND t.name_key = lower(btrim(l.location_type))),
    classification_id = (
        SELECT t.id FROM classification t
        WHERE t.client_id = l.client_id AND t.name_key = lower(btrim(l.classification))),
    customer_id = (
        SELECT t.id FROM customer t WHERE t.client_id = l.client_id AND t.name_key = lower(btrim(l.customer))),
    distributor_id = (
        SELECT t.id FROM distributor t WHERE t.client_id = l.client_id AND t.name_key = lower(btrim(l.distributor))),
    primary_sales_rep_id = (
        SELECT u.id FROM app_user u WHERE u.client_id = l.client_id AND NOT u.is_deleted
            AND lower(btrim(l.primary_sales_rep)) IN (u.email_key, u.username_key)
        ORDER BY u.email_key IS DISTINCT FROM lower(btrim(l.primary_sales_rep)) LIMIT 1)
WHERE concat(l.country, l.state, l.time_zone, l.market, l.channel, l.location_type, l.classification, l.customer,
    l.distributor, l.primary_sales_rep) <> '';
-- A rep without an account stays by name.
UPDATE location SET sales_rep = left(concat_ws(', ', nullif(sales_rep, ''), btrim(primary_sales_rep)), 200)
WHERE primary_sales_rep_id IS NULL AND btrim(primary_sales_rep) <> ''
    AND lower(btrim(primary_sales_rep)) IS DISTINCT FROM lower(sales_rep);
ALTER TABLE location
    DROP COLUMN state, DROP COLUMN country, DROP COLUMN market, DROP COLUMN channel, DROP COLUMN location_type,
    DROP COLUMN classification, DROP COLUMN customer, DROP COLUMN distributor, DROP COLUMN time_zone,
    DROP COLUMN primary_sales_rep;

-- Products and devices: the same.
ALTER TABLE product
    ADD COLUMN product_group text, ADD COLUMN flavour_name text, ADD COLUMN serving_type text,
    ADD COLUMN sales_unit text, ADD COLUMN distributor_gtin text,
    ADD COLUMN cases_per_facing numeric(9, 3), ADD COLUMN height numeric(9, 3), ADD COLUMN width numeric(9, 3),
    ADD COLUMN packaging_type_id bigint, ADD COLUMN measurement_unit_id bigint,
    ADD COLUMN product_category_id bigint, ADD COLUMN product_second_category_id bigint,
    ADD COLUMN beverage_type_id bigint, ADD COLUMN country_id bigint, ADD COLUMN state_id bigint,
    ADD COLUMN distributor_id bigint;
UPDATE product p SET
    packaging_type_id = (
        SELECT t.id FROM packaging_type t
        WHERE t.client_id = p.client_id AND t.name_key = lower(btrim(p.packaging_type))),
    measurement_unit_id = (
        SELECT t.id FROM measurement_unit t
        WHERE t.client_id = p.client_id AND t.name_key = lower(btrim(p.measurement_unit))),
    product_category_id = (
        SELECT t.id FROM product_category t
        WHERE t.client_id = p.client_id AND t.name_key = lower(btrim(p.product_category))),
    beverage_type_id = (
        SELECT t.id FROM beverage_type t
        WHERE t.client_id = p.client_id AND t.name_key = lower(btrim(p.beverage_type)))
WHERE concat(p.packaging_type, p.measurement_unit, p.product_category, p.beverage_type) <> '';
ALTER TABLE product
    DROP COLUMN packaging_type, DROP COLUMN measurement_unit, DROP COLUMN product_category, DROP COLUMN beverage_type;

ALTER TABLE smart_device ADD COLUMN smart_device_type_id bigint;
UPDATE smart_device d SET smart_device_type_id = (
    SELECT t.id FROM smart_device_type t
    WHERE t.client_id = d.client_id AND t.name_key = lower(btrim(d.smart_device_type)))
WHERE btrim(d.smart_device_type) <> '';
ALTER TABLE smart_device DROP COLUMN smart_device_type;

ALTER TABLE asset
    ADD COLUMN point_of_sale text, ADD COLUMN displacement_threshold numeric(9, 3),
    ADD COLUMN manufacturing_date date, ADD COLUMN cooler_delivery_date date, ADD COLUMN date_delivered date,
    ADD COLUMN acquisition_date date, ADD COLUMN warranty_expiry date,
    ADD COLUMN equipment_number text, ADD COLUMN technical_identification_number text;
ALTER TABLE asset_type ADD COLUMN life bigint, ADD COLUMN warranty bigint;
ALTER TABLE planogram ADD COLUMN replenish_model_id bigint;

CREATE TABLE contact (
    location_id bigint NOT NULL,
    name text NOT NULL,
    external_code text,
    external_code_key text GENERATED ALWAYS AS (lower(external_code)) STORED,
    email text, phone text, notification_type text
);
SELECT coldshelf_tenant_table('contact');
CREATE UNIQUE INDEX contact_external_code ON contact (client_id, external_code_key) WHERE NOT is_deleted;

CREATE TABLE sales_rep (
    location_id bigint NOT NULL,
    user_id bigint NOT NULL,
    external_code text,
    external_code_key text GENERATED ALWAYS AS (lower(external_code)) STORED
);
SELECT coldshelf_tenant_table('sales_rep');
CREATE UNIQUE INDEX sales_rep_external_code ON sales_rep (client_id, external_code_key) WHERE NOT is_deleted;

CREATE TABLE outlet_action (
    location_id bigint NOT NULL,
    outlet_action text NOT NULL,
    external_code text,
    external_code_key text GENERATED ALWAYS AS (lower(external_code)) STORED,
    assigned_to_user_id bigint,
    planned_date date,
    completion_date date
);
SELECT coldshelf_tenant_table('outlet_action');
CREATE UNIQUE INDEX outlet_action_external_code ON outlet_action (client_id, external_code_key) WHERE NOT is_deleted;

CREATE TABLE factory_asset (
    asset_serial_number text NOT NULL,
    asset_serial_number_key text NOT NULL GENERATED ALWAYS AS (lower(asset_serial_number)) STORED,
    smart_device_serial_number text NOT NULL,
    tag_number text,
    asset_type_id bigint NOT NULL,
    location_id bigint
);
SELECT coldshelf_tenant_table('factory_asset');
CREATE UNIQUE INDEX factory_asset_asset_serial_number ON factory_asset (client_id, asset_serial_number_key)
    WHERE NOT is_deleted;

DO $$
DECLARE reference record;
BEGIN
    FOR reference IN SELECT * FROM (VALUES
        ('location', 'country_id', 'country'), ('location', 'state_id', 'state'),
        ('location', 'time_zone_id', 'time_zone'), ('location', 'market_id', 'market'),
        ('location', 'channel_id', 'channel'), ('location', 'sub_channel_id', 'channel'),
        ('location', 'location_type_id', 'channel'), ('location', 'classification_id', 'classification'),
        ('location', 'key_account_id', 'key_account'), ('location', 'customer_id', 'customer'),
        ('location', 'distributor_id', 'distributor'), ('location', 'route_id', 'route'),
        ('location', 'pre_seller_route_id', 'route'), ('location', 'primary_sales_rep_id', 'app_user'),
        ('product', 'packaging_type_id', 'packaging_type'), ('product', 'measurement_unit_id', 'measurement_unit'),
        ('product', 'product_category_id', 'product_category'),
        ('product', 'product_second_category_id', 'product_category'),
        ('product', 'beverage_type_id', 'beverage_type'), ('product', 'country_id', 'country'),
        ('product', 'state_id', 'state'), ('product', 'distributor_id', 'distributor'),
        ('smart_device', 'smart_device_type_id', 'smart_device_type'),
        ('planogram', 'replenish_model_id', 'replenish_model'),
        ('contact', 'location_id', 'location'), ('sales_rep', 'location_id', 'location'),
        ('sales_rep', 'user_id', 'app_user'), ('outlet_action', 'location_id', 'location'),
        ('outlet_action', 'assigned_to_user_id', 'app_user'), ('factory_asset', 'asset_type_id', 'asset_type'),
        ('factory_asset', 'location_id', 'location')
    ) AS listed (source, on_column, target) LOOP
        EXECUTE format('ALTER TABLE %I ADD FOREIGN KEY (client_id, %I) REFERENCES %I (client_id, id)',
            reference.source, reference.on_column, reference.target);
        EXECUTE format('CREATE INDEX ON %I (client_id, %I)', reference.source, reference.on_column);
    END LOOP;
END $$;
