-- An import notes each record that it writes, five for a row of outlets, beside its own run and in one transaction with
-- it: to look that run up for each note again took a fifth of the time of writing, and runs are never deleted.
ALTER TABLE import_change DROP CONSTRAINT import_change_client_id_import_run_id_fkey;
