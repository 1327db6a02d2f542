ALTER TABLE picture ADD COLUMN reviewer text;

-- Every decision of a reviewer: who (created_by_user), when (created_on), from what to what, and why.
CREATE TABLE picture_review (
    picture_id bigint NOT NULL,
    guid uuid NOT NULL,
    location_id bigint,
    decision text NOT NULL,
    reason text NOT NULL,
    from_status_id bigint NOT NULL,
    to_status_id bigint NOT NULL,
    from_reason text,
    to_reason text,
    from_serial_number text,
    to_serial_number text,
    from_scene_type text NOT NULL,
    to_scene_type text NOT NULL,
    before_image text NOT NULL
);
COMMENT ON COLUMN picture_review.before_image IS 'JSON of the changed columns of the picture: what an undo restores';
SELECT coldshelf_tenant_table('picture_review');
ALTER TABLE picture_review ADD FOREIGN KEY (client_id, picture_id) REFERENCES picture (client_id, id);
CREATE INDEX ON picture_review (client_id, picture_id, id);
CREATE INDEX ON picture_review (client_id, location_id);

-- An undo looks for the steps that a decision started.
CREATE INDEX ON event (client_id, dataset, key);
