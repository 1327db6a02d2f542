-- Case-insensitive keys are stored lower-case columns compared by "=": only leakproof operators reach an index
-- under a policy.
CREATE TABLE manufacturer (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    code text,
    code_key text GENERATED ALWAYS AS (lower(code)) STORED,
    is_foreign boolean NOT NULL DEFAULT false
);
SELECT coldshelf_tenant_table('manufacturer');
CREATE UNIQUE INDEX manufacturer_name ON manufacturer (client_id, name_key) WHERE NOT is_deleted;
CREATE UNIQUE INDEX manufacturer_code ON manufacturer (client_id, code_key) WHERE NOT is_deleted;

CREATE TABLE brand (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    manufacturer_id bigint
);
SELECT coldshelf_tenant_table('brand');
ALTER TABLE brand ADD FOREIGN KEY (client_id, manufacturer_id) REFERENCES manufacturer (client_id, id);
CREATE UNIQUE INDEX brand_name ON brand (client_id, name_key) WHERE NOT is_deleted;
CREATE INDEX ON brand (client_id, manufacturer_id);

CREATE TABLE location (
    code text NOT NULL,
    code_key text NOT NULL GENERATED ALWAYS AS (lower(code)) STORED,
    name text NOT NULL,
    external_code text,
    external_code_key text GENERATED ALWAYS AS (lower(external_code)) STORED,
    street text, street2 text, street3 text, city text, postal_code text, state text, country text,
    market text, channel text, location_type text, classification text, customer text, distributor text,
    store_owner text, sales_rep text, primary_sales_rep text, primary_phone text, route text,
    tdlinx text, buyer_gtin text, outlet_gtin text,
    latitude numeric(9, 6), longitude numeric(9, 6),
    time_zone text,
    is_active boolean NOT NULL DEFAULT true,
    is_key_location boolean NOT NULL DEFAULT false,
    notes text
);
SELECT coldshelf_tenant_table('location');
CREATE UNIQUE INDEX location_code ON location (client_id, code_key) WHERE NOT is_deleted;
CREATE UNIQUE INDEX location_external_code ON location (client_id, external_code_key) WHERE NOT is_deleted;

CREATE TABLE asset_type (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    model_number text,
    manufacturer_id bigint,
    external_code text,
    external_code_key text GENERATED ALWAYS AS (lower(external_code)) STORED,
    door_handle_location text NOT NULL DEFAULT 'Left',
    orientation text NOT NULL DEFAULT 'Vertical',
    is_chest_cooler boolean NOT NULL DEFAULT false,
    notes text,
    doors bigint, shelves bigint, columns bigint, items_per_column bigint,
    temperature_offset numeric(9, 3), shelf_height numeric(9, 3), cabinet_height numeric(9, 3),
    cabinet_width numeric(9, 3)
);
SELECT coldshelf_tenant_table('asset_type');
ALTER TABLE asset_type ADD FOREIGN KEY (client_id, manufacturer_id) REFERENCES manufacturer (client_id, id);
CREATE UNIQUE INDEX asset_type_name ON asset_type (client_id, name_key) WHERE NOT is_deleted;
CREATE UNIQUE INDEX asset_type_external_code ON asset_type (client_id, external_code_key) WHERE NOT is_deleted;
CREATE INDEX ON asset_type (client_id, manufacturer_id);

CREATE TABLE product (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    sku text NOT NULL,
    sku_key text NOT NULL GENERATED ALWAYS AS (lower(sku)) STORED,
    external_code text,
    external_code_key text GENERATED ALWAYS AS (lower(external_code)) STORED,
    short_name text NOT NULL,
    upc text, short_ean_code text, product_gtin text,
    brand_id bigint,
    manufacturer_id bigint,
    product_category text, beverage_type text, packaging_type text, measurement_unit text,
    is_foreign boolean NOT NULL DEFAULT false,
    is_empty boolean NOT NULL DEFAULT false,
    is_unknown boolean NOT NULL DEFAULT false,
    case_size bigint, case_price numeric(18, 4), currency_code text,
    is_active boolean NOT NULL DEFAULT true
);
SELECT coldshelf_tenant_table('product');
ALTER TABLE product ADD FOREIGN KEY (client_id, brand_id) REFERENCES brand (client_id, id);
ALTER TABLE product ADD FOREIGN KEY (client_id, manufacturer_id) REFERENCES manufacturer (client_id, id);
CREATE UNIQUE INDEX product_name ON product (client_id, name_key) WHERE NOT is_deleted;
CREATE UNIQUE INDEX product_sku ON product (client_id, sku_key) WHERE NOT is_deleted;
CREATE UNIQUE INDEX product_external_code ON product (client_id, external_code_key) WHERE NOT is_deleted;
CREATE INDEX ON product (client_id, brand_id);
CREATE INDEX ON product (client_id, manufacturer_id);

-- Reference pictures of products.
CREATE TABLE product_image (
    product_id bigint NOT NULL,
    object_key text NOT NULL,
    sha256 bytea NOT NULL,
    width bigint NOT NULL,
    height bigint NOT NULL
);
SELECT coldshelf_tenant_table('product_image');
ALTER TABLE product_image ADD FOREIGN KEY (client_id, product_id) REFERENCES product (client_id, id);
CREATE UNIQUE INDEX product_image_bytes ON product_image (client_id, product_id, sha256) WHERE NOT is_deleted;

CREATE TABLE planogram (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    external_code text,
    external_code_key text GENERATED ALWAYS AS (lower(external_code)) STORED,
    asset_type_id bigint,
    version bigint NOT NULL DEFAULT 1,
    facing_details text NOT NULL DEFAULT '[]',
    shelves bigint NOT NULL DEFAULT 0,
    facings bigint NOT NULL DEFAULT 0,
    start_date date,
    used_on timestamptz
);
SELECT coldshelf_tenant_table('planogram');
ALTER TABLE planogram ADD FOREIGN KEY (client_id, asset_type_id) REFERENCES asset_type (client_id, id);
CREATE UNIQUE INDEX planogram_name ON planogram (client_id, name_key) WHERE NOT is_deleted;
CREATE UNIQUE INDEX planogram_external_code ON planogram (client_id, external_code_key) WHERE NOT is_deleted;
CREATE INDEX ON planogram (client_id, asset_type_id);

CREATE TABLE planogram_product (
    planogram_id bigint NOT NULL,
    shelf bigint NOT NULL,
    position bigint NOT NULL,
    product_id bigint NOT NULL,
    ranking bigint,
    stack_size bigint NOT NULL DEFAULT 1
);
SELECT coldshelf_tenant_table('planogram_product');
ALTER TABLE planogram_product ADD FOREIGN KEY (client_id, planogram_id) REFERENCES planogram (client_id, id);
ALTER TABLE planogram_product ADD FOREIGN KEY (client_id, product_id) REFERENCES product (client_id, id);
CREATE UNIQUE INDEX planogram_place ON planogram_product (client_id, planogram_id, shelf, position)
    WHERE NOT is_deleted;
CREATE INDEX ON planogram_product (client_id, product_id);

CREATE TABLE asset (
    serial_number text NOT NULL,
    serial_number_key text NOT NULL GENERATED ALWAYS AS (lower(serial_number)) STORED,
    external_code text,
    external_code_key text GENERATED ALWAYS AS (lower(external_code)) STORED,
    location_id bigint,
    asset_type_id bigint NOT NULL,
    parent_asset_id bigint,
    planogram_id bigint,
    tag_number text, asset_category text, asset_location text, asset_notes text, installation_status text,
    latitude numeric(9, 6), longitude numeric(9, 6),
    is_active boolean NOT NULL DEFAULT true
);
SELECT coldshelf_tenant_table('asset');
ALTER TABLE asset ADD FOREIGN KEY (client_id, location_id) REFERENCES location (client_id, id);
ALTER TABLE asset ADD FOREIGN KEY (client_id, asset_type_id) REFERENCES asset_type (client_id, id);
ALTER TABLE asset ADD FOREIGN KEY (client_id, planogram_id) REFERENCES planogram (client_id, id);
ALTER TABLE asset ADD FOREIGN KEY (client_id, parent_asset_id) REFERENCES asset (client_id, id);
CREATE UNIQUE INDEX asset_serial_number ON asset (client_id, serial_number_key) WHERE NOT is_deleted;
CREATE UNIQUE INDEX asset_external_code ON asset (client_id, external_code_key) WHERE NOT is_deleted;
CREATE INDEX ON asset (client_id, location_id);
CREATE INDEX ON asset (client_id, asset_type_id);
CREATE INDEX ON asset (client_id, planogram_id);
CREATE INDEX ON asset (client_id, parent_asset_id);

CREATE TABLE smart_device (
    serial_number text NOT NULL,
    serial_number_key text NOT NULL GENERATED ALWAYS AS (lower(serial_number)) STORED,
    imei text,
    imei_key text GENERATED ALWAYS AS (lower(imei)) STORED,
    mac_address text,
    smart_device_type text,
    app_version text,
    asset_id bigint,
    is_active boolean NOT NULL DEFAULT true
);
SELECT coldshelf_tenant_table('smart_device');
ALTER TABLE smart_device ADD FOREIGN KEY (client_id, asset_id) REFERENCES asset (client_id, id);
CREATE UNIQUE INDEX smart_device_serial_number ON smart_device (client_id, serial_number_key) WHERE NOT is_deleted;
CREATE UNIQUE INDEX smart_device_imei ON smart_device (client_id, imei_key) WHERE NOT is_deleted;
CREATE INDEX ON smart_device (client_id, asset_id);
ALTER TABLE device_credential ADD FOREIGN KEY (client_id, smart_device_id) REFERENCES smart_device (client_id, id);
