-- Endpoints that events are sent to.
CREATE TABLE webhooks (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    url             TEXT    NOT NULL,
    -- Names and groups with spaces between; empty: all.
    events          TEXT    NOT NULL,
    -- Sealed under the master key, as the one before, which signs until previous_until.
    secret          BLOB    NOT NULL,
    previous_secret BLOB,
    previous_until  INTEGER,
    -- Why nothing is sent, if so.
    disabled        TEXT,
    created_at      INTEGER NOT NULL,
    since           INTEGER NOT NULL,
    failing_since   INTEGER,
    last_error      TEXT,
    version         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events that are on their way to endpoints, or were given up.
CREATE TABLE webhook_deliveries (
    webhook_id   TEXT    NOT NULL,
    event_id     TEXT    NOT NULL,
    given_up     INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    -- When it is tried next; while it is leased, when the lease runs out.
    next_at      INTEGER NOT NULL,
    leased_until INTEGER,
    attempts     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (webhook_id, event_id)
) STRICT, WITHOUT ROWID;
-- What is due.
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at) WHERE given_up = 0;
-- For pruning: what was given up is kept longer.
CREATE INDEX webhook_deliveries_expired ON webhook_deliveries (given_up, expires_at);

-- Up to where the journal was looked through: one row, from the first endpoint on.
CREATE TABLE webhook_cursor (
    one        INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    written_in INTEGER NOT NULL,
    number     INTEGER NOT NULL
) STRICT;
