-- The keys that sign tokens. The secret part is sealed under the master key, which is never stored here.
CREATE TABLE signing_keys (
    kid           TEXT    NOT NULL PRIMARY KEY,
    use           TEXT    NOT NULL CHECK (use IN ('id', 'refresh')),
    algorithm     TEXT    NOT NULL,
    sealed        BLOB    NOT NULL,
    token_life_ms INTEGER NOT NULL CHECK (token_life_ms >= 0),
    created_at    INTEGER NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('next', 'active', 'retired')),
    since         INTEGER NOT NULL,
    -- When a next key may sign, when a retired one may go.
    until         INTEGER,
    CHECK ((state = 'active') = (until IS NULL))
) STRICT;

-- At most one next and one active key per use, whoever adds at the same time.
CREATE UNIQUE INDEX signing_keys_next ON signing_keys (use) WHERE state = 'next';
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (use) WHERE state = 'active';
