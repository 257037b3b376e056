-- What happened, in the commit of the change that it tells. Details are a JSON object of texts.
CREATE TABLE journal (
    id              uuid        PRIMARY KEY,
    -- The order within a commit, and with the commit that of readers who follow: of two transactions the one with the lower number may
    -- commit last, so that they wait for all that are older.
    number          bigint      GENERATED ALWAYS AS IDENTITY,
    written_in      bigint      NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    at              timestamptz NOT NULL,
    actor           text        NOT NULL,
    event           text        NOT NULL,
    user_id         uuid,
    session_id      uuid,
    -- These three identify a person; they go with the account.
    address         inet,
    session_address inet,
    device          text,
    details         text        NOT NULL,
    count           bigint      NOT NULL
);

CREATE INDEX journal_of_user ON journal (user_id, at, number) WHERE user_id IS NOT NULL;
-- For lists and for pruning.
CREATE INDEX journal_at ON journal (at, number);
CREATE INDEX journal_written ON journal (written_in, number);
