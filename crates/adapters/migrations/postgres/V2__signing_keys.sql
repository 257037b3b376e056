-- The keys that sign tokens. The secret part is sealed under the master key, which is never stored here.
CREATE TABLE signing_keys (
    kid           text        COLLATE "C" PRIMARY KEY,
    use           text        NOT NULL CHECK (use IN ('id', 'refresh')),
    algorithm     text        NOT NULL,
    sealed        bytea       NOT NULL,
    token_life_ms bigint      NOT NULL CHECK (token_life_ms >= 0),
    created_at    timestamptz NOT NULL,
    state         text        NOT NULL CHECK (state IN ('next', 'active', 'retired')),
    since         timestamptz NOT NULL,
    -- When a next key may sign, when a retired one may go.
    until         timestamptz,
    CONSTRAINT signing_keys_until_is_known CHECK ((state = 'active') = (until IS NULL))
);

-- At most one next and one active key per use, whoever adds at the same time.
CREATE UNIQUE INDEX signing_keys_next ON signing_keys (use) WHERE state = 'next';
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (use) WHERE state = 'active';
