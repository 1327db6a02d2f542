-- Who is told about which events.
CREATE TABLE subscription (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    url text NOT NULL,
    events text,
    market_id bigint,
    channel_id bigint,
    location_id bigint,
    asset_id bigint,
    user_id bigint,
    is_active boolean NOT NULL DEFAULT true,
    failing_since timestamptz,
    disabled_on timestamptz,
    disabled_because text NOT NULL DEFAULT ''
);
SELECT coldshelf_tenant_table('subscription');
ALTER TABLE subscription
    ADD FOREIGN KEY (client_id, market_id) REFERENCES market (client_id, id),
    ADD FOREIGN KEY (client_id, channel_id) REFERENCES channel (client_id, id),
    ADD FOREIGN KEY (client_id, location_id) REFERENCES location (client_id, id),
    ADD FOREIGN KEY (client_id, asset_id) REFERENCES asset (client_id, id),
    ADD FOREIGN KEY (client_id, user_id) REFERENCES app_user (client_id, id);
CREATE UNIQUE INDEX subscription_name ON subscription (client_id, name_key) WHERE NOT is_deleted;
CREATE INDEX ON subscription (client_id, market_id);
CREATE INDEX ON subscription (client_id, channel_id);
CREATE INDEX ON subscription (client_id, location_id);
CREATE INDEX ON subscription (client_id, asset_id);
CREATE INDEX ON subscription (client_id, user_id);

-- What messages are signed with; without a subscription: the client's own, for the callbackUrl of uploads.
CREATE TABLE callback_secret (
    client_id bigint NOT NULL REFERENCES client (id),
    id bigint GENERATED ALWAYS AS IDENTITY,
    subscription_id bigint,
    secret text NOT NULL,
    created_on timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_on timestamptz,
    PRIMARY KEY (client_id, id),
    FOREIGN KEY (client_id, subscription_id) REFERENCES subscription (client_id, id)
);
SELECT coldshelf_protect('callback_secret');
CREATE INDEX ON callback_secret (client_id, subscription_id);
-- However many begin at once, one secret is the current one.
CREATE UNIQUE INDEX callback_secret_current ON callback_secret (client_id, coalesce(subscription_id, 0))
    WHERE ends_on IS NULL;

-- One event on its way to one address.
CREATE TABLE delivery (
    subscription_id bigint,
    url text NOT NULL,
    endpoint text NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    version bigint NOT NULL,
    occurred_on timestamptz NOT NULL,
    dataset text NOT NULL,
    record_key bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    attempts bigint NOT NULL DEFAULT 0,
    due_on timestamptz,
    leased_until timestamptz,
    status bigint,
    error text NOT NULL DEFAULT '',
    delivered_on timestamptz
);
SELECT coldshelf_tenant_table('delivery');
ALTER TABLE delivery ADD FOREIGN KEY (client_id, subscription_id) REFERENCES subscription (client_id, id);
CREATE UNIQUE INDEX delivery_once ON delivery (client_id, event_id, coalesce(subscription_id, 0), url);
CREATE INDEX delivery_due ON delivery (client_id, endpoint, due_on) WHERE state = 'waiting';
CREATE INDEX delivery_busy ON delivery (client_id, endpoint, leased_until)
    WHERE state = 'waiting' AND leased_until IS NOT NULL;
CREATE INDEX ON delivery (client_id, subscription_id, id);
CREATE INDEX ON delivery (client_id, state, id);
CREATE INDEX ON delivery (client_id, event_type, id);

CREATE TABLE delivery_attempt (
    delivery_id bigint NOT NULL,
    number bigint NOT NULL,
    sent_on timestamptz NOT NULL,
    milliseconds bigint NOT NULL,
    status bigint,
    error text NOT NULL DEFAULT '',
    request text NOT NULL DEFAULT '',
    answer text NOT NULL DEFAULT ''
);
SELECT coldshelf_tenant_table('delivery_attempt');
ALTER TABLE delivery_attempt ADD FOREIGN KEY (client_id, delivery_id) REFERENCES delivery (client_id, id);
CREATE INDEX ON delivery_attempt (client_id, delivery_id, id);
CREATE INDEX delivery_attempt_held ON delivery_attempt (sent_on) WHERE request <> '' OR answer <> '';
