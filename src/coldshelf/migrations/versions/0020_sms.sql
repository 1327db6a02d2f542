-- One SMS of a delivery. Until the provider has taken it, `sid` is empty and its state `new` or `refused`.
CREATE TABLE sms_message (
    delivery_id bigint NOT NULL,
    phone text NOT NULL,
    sid text,
    month text NOT NULL,
    encoding text NOT NULL,
    segments bigint NOT NULL,
    is_counted boolean NOT NULL DEFAULT true,
    state text NOT NULL,
    error_code bigint,
    price numeric(12, 6),
    currency text NOT NULL DEFAULT '',
    sent_on timestamptz,
    ended_on timestamptz,
    checked_on timestamptz,
    is_settled boolean NOT NULL DEFAULT false
);
SELECT coldshelf_tenant_table('sms_message');
ALTER TABLE sms_message ADD FOREIGN KEY (client_id, delivery_id) REFERENCES delivery (client_id, id);
CREATE UNIQUE INDEX sms_message_new ON sms_message (client_id, delivery_id)
    WHERE sid IS NULL AND state IN ('new', 'refused');
CREATE UNIQUE INDEX sms_message_sid ON sms_message (client_id, sid);
CREATE INDEX ON sms_message (client_id, delivery_id, id);
CREATE INDEX ON sms_message (client_id, month, id);
CREATE INDEX ON sms_message (client_id, state, id);
CREATE INDEX ON sms_message (phone);
CREATE INDEX sms_message_unsettled ON sms_message (checked_on) WHERE sid IS NOT NULL AND NOT is_settled;

-- What a client has sent in a month (UTC).
CREATE TABLE sms_month (
    month text NOT NULL,
    messages bigint NOT NULL DEFAULT 0,
    segments bigint NOT NULL DEFAULT 0,
    price numeric(18, 6) NOT NULL DEFAULT 0,
    currency text NOT NULL DEFAULT ''
);
SELECT coldshelf_tenant_table('sms_month');
CREATE UNIQUE INDEX sms_month_once ON sms_month (client_id, month);

-- Numbers that have said STOP to a client, and those that came back.
CREATE TABLE sms_opt_out (
    phone text NOT NULL,
    is_out boolean NOT NULL DEFAULT true,
    because text NOT NULL DEFAULT '',
    changed_on timestamptz
);
SELECT coldshelf_tenant_table('sms_opt_out');
CREATE UNIQUE INDEX sms_opt_out_phone ON sms_opt_out (client_id, phone);

-- Whoever texts back says to whom by nothing but the number: all clients that have written to it are meant.
CREATE FUNCTION door_sms(wanted text) RETURNS TABLE (client_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT m.client_id FROM sms_message m WHERE m.phone = wanted
$$;
REVOKE ALL ON FUNCTION door_sms(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION door_sms(text) TO coldshelf_app;
