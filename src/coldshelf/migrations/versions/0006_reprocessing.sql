-- What a recogniser says now of pictures that have a result, before any of it is served.
CREATE TABLE reprocessing (
    recogniser text NOT NULL,
    selection text NOT NULL,
    lanes bigint NOT NULL
);
SELECT coldshelf_tenant_table('reprocessing');

-- Candidates stand here and not among the results, so that no list, file or preview shows one before it is served.
CREATE TABLE reprocessing_picture (
    reprocessing_id bigint NOT NULL,
    picture_id bigint NOT NULL,
    lane bigint NOT NULL,
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    base_result_id bigint,
    base_number bigint,
    base_model text,
    new_model text,
    added bigint, gone bigint, renamed bigint, moved bigint, same bigint,
    differences text NOT NULL DEFAULT '[]',
    shelves text NOT NULL DEFAULT '[]',
    candidate text NOT NULL DEFAULT '[]'
);
SELECT coldshelf_tenant_table('reprocessing_picture');
ALTER TABLE reprocessing_picture
    ADD FOREIGN KEY (client_id, reprocessing_id) REFERENCES reprocessing (client_id, id),
    ADD FOREIGN KEY (client_id, picture_id) REFERENCES picture (client_id, id),
    ADD FOREIGN KEY (client_id, base_result_id) REFERENCES recognition_result (client_id, id);
CREATE INDEX ON reprocessing_picture (client_id, reprocessing_id, id);
CREATE INDEX ON reprocessing_picture (client_id, picture_id, id);
CREATE INDEX ON reprocessing_picture (client_id, reprocessing_id, lane, state, id);

CREATE VIEW reprocessing_progress WITH (security_invoker) AS
    SELECT client_id, reprocessing_id, count(*) AS pictures,
        count(*) FILTER (WHERE state IN ('waiting', 'recognised')) AS waiting,
        count(*) FILTER (WHERE state = 'ready') AS ready,
        count(*) FILTER (WHERE state = 'ready' AND added + gone + renamed + moved > 0) AS differing,
        count(*) FILTER (WHERE state = 'accepted') AS accepted,
        count(*) FILTER (WHERE state = 'applied') AS applied,
        count(*) FILTER (WHERE state = 'discarded') AS discarded,
        count(*) FILTER (WHERE state = 'stale') AS stale,
        count(*) FILTER (WHERE state = 'failed') AS failed
    FROM reprocessing_picture GROUP BY client_id, reprocessing_id;
GRANT SELECT ON reprocessing_progress TO coldshelf_app, coldshelf_reader;

CREATE TABLE reprocessing_figures (
    client_id bigint NOT NULL,
    reprocessing_picture_id bigint NOT NULL,
    reprocessing_id bigint NOT NULL,
    differences text NOT NULL,
    PRIMARY KEY (client_id, reprocessing_picture_id),
    FOREIGN KEY (client_id, reprocessing_picture_id) REFERENCES reprocessing_picture (client_id, id)
);
CREATE INDEX ON reprocessing_figures (client_id, reprocessing_id);
SELECT coldshelf_protect('reprocessing_figures');

-- What waits in the background does not hold uploads back.
CREATE OR REPLACE FUNCTION coldshelf_queue_age() RETURNS interval
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(now() - min(execute_after), interval '0') FROM pgqueuer
    WHERE status = 'queued' AND execute_after < now() AND priority >= 0
$$;
