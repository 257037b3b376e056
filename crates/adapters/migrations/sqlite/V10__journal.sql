-- What happened, in the commit of the change that it tells. Details are a JSON object of texts. There is one writer, so that numbers are
-- in the order of commits, and none is used again.
CREATE TABLE journal (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE,
    at              INTEGER NOT NULL,
    actor           TEXT    NOT NULL,
    event           TEXT    NOT NULL,
    user_id         TEXT,
    session_id      TEXT,
    -- These three identify a person; they go with the account.
    address         TEXT,
    session_address TEXT,
    device          TEXT,
    details         TEXT    NOT NULL,
    count           INTEGER NOT NULL
) STRICT;

CREATE INDEX journal_of_user ON journal (user_id, at, number) WHERE user_id IS NOT NULL;
-- For lists and for pruning.
CREATE INDEX journal_at ON journal (at, number);
