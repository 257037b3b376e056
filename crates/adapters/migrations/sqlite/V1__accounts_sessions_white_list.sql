-- Ids are text and times are integer milliseconds: an operator can read the file with any SQLite shell, and what a
-- session costs (some hundred bytes) does not hang on 20 bytes more per id.
CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE,
    password_hash TEXT    NOT NULL,
    name          TEXT,
    website       TEXT,
    image_url     TEXT,
    created_at    INTEGER NOT NULL,
    disabled_at   INTEGER,
    session_epoch INTEGER NOT NULL,
    kept_sid      TEXT
) STRICT;

-- No foreign key: the rows of ended sessions outlive a deleted account, until they are pruned.
CREATE TABLE sessions (
    id          TEXT    NOT NULL PRIMARY KEY,
    user_id     TEXT    NOT NULL,
    device_id   TEXT    NOT NULL,
    device_name TEXT,
    user_agent  TEXT,
    address     TEXT,
    epoch       INTEGER NOT NULL,
    began_at    INTEGER NOT NULL,
    ends_at     INTEGER NOT NULL,
    bound_at    INTEGER,
    ended_at    INTEGER,
    end_reason  TEXT,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT;

-- Serves a user's live sessions (ended_at IS NULL) and the oldest of the ended ones alike.
CREATE INDEX sessions_of_user ON sessions (user_id, ended_at);
-- For pruning.
CREATE INDEX sessions_over ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_ends ON sessions (ends_at);

-- The hot state of rotation: one row per live session, all rows of a user side by side.
CREATE TABLE white_list (
    user_id    TEXT    NOT NULL,
    session_id TEXT    NOT NULL,
    gen        INTEGER NOT NULL,
    iat        INTEGER NOT NULL,
    exp        INTEGER NOT NULL,
    did        TEXT,
    epoch      INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    dies_at    INTEGER NOT NULL,
    late       INTEGER NOT NULL,
    charged    INTEGER NOT NULL,
    reused     INTEGER NOT NULL,
    PRIMARY KEY (user_id, session_id)
) STRICT, WITHOUT ROWID;

-- Finds what is dead, whoever's it is.
CREATE INDEX white_list_dead ON white_list (dies_at);
