-- A later run adds a version; the newest is served, none is lost.
CREATE TABLE recognition_result (
    picture_id bigint NOT NULL,
    number bigint NOT NULL,
    event_id uuid NOT NULL,
    recogniser text NOT NULL,
    recogniser_version text NOT NULL,
    is_served boolean NOT NULL,
    shelves text NOT NULL,
    purity_status text NOT NULL
);
SELECT coldshelf_tenant_table('recognition_result');
ALTER TABLE recognition_result ADD FOREIGN KEY (client_id, picture_id) REFERENCES picture (client_id, id);
CREATE UNIQUE INDEX recognition_result_number ON recognition_result (client_id, picture_id, number);
CREATE UNIQUE INDEX recognition_result_served ON recognition_result (client_id, picture_id) WHERE is_served;
-- The product rows of the newest version; older ones are deleted rows.
CREATE VIEW served_result WITH (security_invoker) AS
    SELECT *, recogniser || ' ' || recogniser_version AS model_version FROM recognition_result WHERE is_served;
GRANT SELECT ON served_result TO coldshelf_app, coldshelf_reader;

CREATE TABLE facing (
    result_id bigint NOT NULL,
    picture_id bigint NOT NULL,
    shelf bigint NOT NULL,
    position bigint NOT NULL,
    product_id bigint NOT NULL,
    product_name text NOT NULL,
    sku text NOT NULL,
    is_foreign boolean NOT NULL,
    is_empty boolean NOT NULL,
    is_unknown boolean NOT NULL,
    confidence double precision,
    x1 double precision NOT NULL, y1 double precision NOT NULL,
    x2 double precision NOT NULL, y2 double precision NOT NULL,
    x3 double precision NOT NULL, y3 double precision NOT NULL,
    x4 double precision NOT NULL, y4 double precision NOT NULL,
    stack_index bigint NOT NULL DEFAULT 0,
    stack_size bigint NOT NULL DEFAULT 0,
    fill_level bigint,
    capacity bigint NOT NULL DEFAULT 0,
    alternatives text NOT NULL DEFAULT '[]',
    location_code text, location_name text, serial_number text, city text, state text, country text
);
SELECT coldshelf_tenant_table('facing');
ALTER TABLE facing ADD FOREIGN KEY (client_id, result_id) REFERENCES recognition_result (client_id, id);
ALTER TABLE facing ADD FOREIGN KEY (client_id, picture_id) REFERENCES picture (client_id, id);
ALTER TABLE facing ADD FOREIGN KEY (client_id, product_id) REFERENCES product (client_id, id);
CREATE INDEX ON facing (client_id, picture_id, id);
CREATE INDEX ON facing (client_id, result_id);
CREATE INDEX ON facing (client_id, product_id, id);

-- Found against planned, per position of a result.
CREATE TABLE position_match (
    client_id bigint NOT NULL,
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    result_id bigint NOT NULL,
    picture_id bigint NOT NULL,
    planogram_id bigint NOT NULL,
    status text NOT NULL,
    facing_id bigint,
    shelf bigint NOT NULL,
    position bigint NOT NULL,
    planned_product_id bigint,
    PRIMARY KEY (client_id, id),
    FOREIGN KEY (client_id, result_id) REFERENCES recognition_result (client_id, id)
);
CREATE INDEX ON position_match (client_id, result_id);
SELECT coldshelf_protect('position_match');

CREATE TABLE facing_compliance (
    client_id bigint NOT NULL,
    facing_id bigint NOT NULL,
    is_compliant boolean NOT NULL,
    status text NOT NULL,
    PRIMARY KEY (client_id, facing_id),
    FOREIGN KEY (client_id, facing_id) REFERENCES facing (client_id, id)
);
SELECT coldshelf_protect('facing_compliance');

-- The figures of the served result; a column for each registered KPI.
CREATE TABLE picture_kpi (
    client_id bigint NOT NULL,
    picture_id bigint NOT NULL,
    result_id bigint NOT NULL,
    total_facings bigint,
    empty_facings bigint,
    unknown_facings bigint,
    total_stock bigint,
    foreign_product bigint,
    own_facings bigint,
    foreign_facings bigint,
    competition boolean,
    own_share_of_shelf double precision,
    foreign_share_of_shelf double precision,
    empty_share_of_shelf double precision,
    stock_percentage double precision,
    purity_percentage double precision,
    occupancy_percentage double precision,
    sku_count bigint,
    sku_count_our bigint,
    sku_count_foreign bigint,
    assortment_depth_numeric bigint,
    assortment_depth_compliance double precision,
    planogram_facings bigint,
    compliant_facings bigint,
    non_compliant_facings bigint,
    planogram_compliance double precision,
    out_of_stock_skus bigint,
    oos_percentage double precision,
    PRIMARY KEY (client_id, picture_id),
    FOREIGN KEY (client_id, picture_id) REFERENCES picture (client_id, id),
    FOREIGN KEY (client_id, result_id) REFERENCES recognition_result (client_id, id)
);
SELECT coldshelf_protect('picture_kpi');
