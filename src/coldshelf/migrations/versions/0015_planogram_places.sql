-- One row a place: of those that were replaced, the one that counts stays, or else the last one.
DELETE FROM planogram_product older USING planogram_product newer
WHERE newer.client_id = older.client_id AND newer.planogram_id = older.planogram_id
    AND newer.shelf = older.shelf AND newer.position = older.position
    AND (newer.is_deleted, -newer.id) < (older.is_deleted, -older.id);
DROP INDEX planogram_place;
CREATE UNIQUE INDEX planogram_place ON planogram_product (client_id, planogram_id, shelf, position);
-- Never written: the rank of a product is its shelf.
ALTER TABLE planogram_product DROP COLUMN ranking;

-- Places go with their planogram.
UPDATE planogram_product s SET is_deleted = true FROM planogram p
WHERE p.client_id = s.client_id AND p.id = s.planogram_id AND p.is_deleted AND NOT s.is_deleted;
CREATE FUNCTION coldshelf_places_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE planogram_product SET is_deleted = true
    WHERE client_id = NEW.client_id AND planogram_id = NEW.id AND NOT is_deleted;
    RETURN NULL;
END $$;
CREATE TRIGGER places_follow AFTER UPDATE OF is_deleted ON planogram
    FOR EACH ROW WHEN (NEW.is_deleted AND NOT OLD.is_deleted) EXECUTE FUNCTION coldshelf_places_follow();
