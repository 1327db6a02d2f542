ALTER TABLE picture ADD COLUMN items_per_column bigint;

ALTER TABLE facing
    ADD COLUMN door bigint NOT NULL DEFAULT 1,
    ADD COLUMN seen_confidence double precision;

-- A result is the work of a recogniser, or of a person who corrected one.
DROP VIEW served_result;
ALTER TABLE recognition_result
    ADD COLUMN source text NOT NULL DEFAULT 'recogniser' CHECK (source IN ('recogniser', 'person')),
    ADD COLUMN depth_status text NOT NULL DEFAULT '';
CREATE VIEW served_result WITH (security_invoker) AS
    SELECT *, recogniser || ' ' || recogniser_version AS model_version FROM recognition_result WHERE is_served;
GRANT SELECT ON served_result TO coldshelf_app, coldshelf_reader;

ALTER TABLE picture_kpi
    ADD COLUMN kpi_version bigint,
    ADD COLUMN kpi_planogram_id bigint,
    ADD COLUMN planogram_version bigint,
    ADD COLUMN planogram_modified_on timestamptz,
    ADD COLUMN stacked_products bigint,
    ADD COLUMN ssd_count bigint,
    ADD COLUMN ncb_count bigint,
    ADD COLUMN percentage_of_ssd double precision,
    ADD COLUMN percentage_of_ncb double precision,
    ADD COLUMN our_stock bigint,
    ADD COLUMN empty_facing bigint,
    ADD COLUMN percentage_of_our_product double precision,
    ADD COLUMN percentage_of_foreign_product double precision,
    ADD COLUMN percentage_of_empty_facing double precision,
    ADD COLUMN percentage_of_oos_sku double precision;
