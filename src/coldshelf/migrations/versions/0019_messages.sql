-- Where a person is, for quiet hours and digests.
ALTER TABLE app_user ADD COLUMN time_zone text;

-- Subscriptions reach systems by callbacks and people by messages.
ALTER TABLE subscription
    ALTER COLUMN url DROP NOT NULL,
    ADD COLUMN deliver_by text NOT NULL DEFAULT 'callback',
    ADD COLUMN digest text NOT NULL DEFAULT 'each',
    ADD COLUMN language text,
    ADD COLUMN time_zone text,
    ADD COLUMN quiet_from text,
    ADD COLUMN quiet_to text,
    ADD COLUMN recipient_id bigint,
    ADD FOREIGN KEY (client_id, recipient_id) REFERENCES app_user (client_id, id);
CREATE INDEX ON subscription (client_id, recipient_id);

-- `links`: what the links in its messages are for.
ALTER TABLE delivery
    ADD COLUMN channel text NOT NULL DEFAULT 'callback',
    ADD COLUMN links text[] NOT NULL DEFAULT '{}';
CREATE INDEX ON delivery (client_id, channel, id);

-- What a digest tells of: events that wait for the delivery of their slot.
CREATE TABLE digest_entry (
    client_id bigint NOT NULL REFERENCES client (id),
    id bigint GENERATED ALWAYS AS IDENTITY,
    delivery_id bigint NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    occurred_on timestamptz NOT NULL,
    dataset text NOT NULL,
    record_key bigint NOT NULL,
    PRIMARY KEY (client_id, id),
    UNIQUE (client_id, delivery_id, event_id),
    FOREIGN KEY (client_id, delivery_id) REFERENCES delivery (client_id, id)
);
SELECT coldshelf_protect('digest_entry');

-- Words of a client's own for an event, a channel and a language.
CREATE TABLE message_template (
    name text NOT NULL,
    name_key text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    event text NOT NULL,
    channel text NOT NULL,
    language text NOT NULL DEFAULT 'en',
    subject text,
    body text NOT NULL
);
SELECT coldshelf_tenant_table('message_template');
CREATE UNIQUE INDEX message_template_name ON message_template (client_id, name_key) WHERE NOT is_deleted;
CREATE UNIQUE INDEX message_template_words ON message_template (client_id, event, channel, lower(language))
    WHERE NOT is_deleted;

-- What a client has switched on; without a row: e-mail and Slack, no SMS.
CREATE TABLE message_setting (
    sender_name text NOT NULL,
    sender_name_key text NOT NULL GENERATED ALWAYS AS (lower(sender_name)) STORED,
    email_is_on boolean NOT NULL DEFAULT true,
    slack_is_on boolean NOT NULL DEFAULT true,
    sms_is_on boolean NOT NULL DEFAULT false,
    sms_monthly_cap bigint,
    language text NOT NULL DEFAULT 'en'
);
SELECT coldshelf_tenant_table('message_setting');
CREATE UNIQUE INDEX message_setting_sender_name ON message_setting (client_id, sender_name_key) WHERE NOT is_deleted;

-- Addresses that came back; while a hard one stands here, nothing is sent to it.
CREATE TABLE bounced_address (
    address text NOT NULL,
    address_key text NOT NULL GENERATED ALWAYS AS (lower(address)) STORED,
    kind text NOT NULL DEFAULT 'hard',
    diagnostic text,
    bounced_on timestamptz
);
SELECT coldshelf_tenant_table('bounced_address');
CREATE UNIQUE INDEX bounced_address_address ON bounced_address (client_id, address_key) WHERE NOT is_deleted;
