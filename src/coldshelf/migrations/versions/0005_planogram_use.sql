ALTER TABLE planogram
    ADD COLUMN planogram_use text NOT NULL DEFAULT 'Layout'
        CHECK (planogram_use IN ('Layout', 'Category', 'Priority'));
