-- How many records the first page of a pull counted: its later pages need not count them all again.
ALTER TABLE list_position ADD COLUMN total bigint;
-- The published comma lists of images (OutletCode, AssetSerialNumber) reach an index.
CREATE INDEX ON picture (client_id, location_code, id);
CREATE INDEX ON picture (client_id, serial_number, id);
