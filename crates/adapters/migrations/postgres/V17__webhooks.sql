-- Endpoints that events are sent to.
CREATE TABLE webhooks (
    id              uuid        PRIMARY KEY,
    name            text        NOT NULL,
    url             text        NOT NULL,
    -- Names and groups with spaces between; empty: all.
    events          text        NOT NULL,
    -- Sealed under the master key, as the one before, which signs until previous_until.
    secret          bytea       NOT NULL,
    previous_secret bytea,
    previous_until  timestamptz,
    -- Why nothing is sent, if so.
    disabled        text,
    created_at      timestamptz NOT NULL,
    since           timestamptz NOT NULL,
    failing_since   timestamptz,
    last_error      text,
    version         bigint      NOT NULL
);

-- Events that are on their way to endpoints, or were given up.
CREATE TABLE webhook_deliveries (
    webhook_id   uuid        NOT NULL,
    event_id     uuid        NOT NULL,
    given_up     boolean     NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    -- When it is tried next; while it is leased, when the lease runs out.
    next_at      timestamptz NOT NULL,
    leased_until timestamptz,
    attempts     bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (webhook_id, event_id)
);
-- What is due.
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at) WHERE NOT given_up;
-- For pruning: what was given up is kept longer.
CREATE INDEX webhook_deliveries_expired ON webhook_deliveries (given_up, expires_at);

-- Up to where the journal was looked through: one row, from the first endpoint on.
CREATE TABLE webhook_cursor (
    one        integer     PRIMARY KEY CHECK (one = 1),
    written_in bigint      NOT NULL,
    number     bigint      NOT NULL
);
