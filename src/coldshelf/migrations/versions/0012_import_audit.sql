-- An import notes each record that it writes, five for a row of outlets. Looking its run up again for each note found
-- nothing: runs and notes are written in one transaction, and runs are never deleted.
ALTER TABLE import_change DROP CONSTRAINT import_change_client_id_import_run_id_fkey;
