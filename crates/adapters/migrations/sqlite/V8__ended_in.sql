-- Numbers the ends of sessions in the order of their commits, so that a reader of the revocations asks for exactly what it has not seen.
-- A trigger sets the number, whoever ends the session. Null for those that ended before it.
ALTER TABLE sessions ADD COLUMN ended_in INTEGER;
CREATE INDEX sessions_ended_in ON sessions (ended_in) WHERE ended_in IS NOT NULL;

CREATE TABLE session_ends (last INTEGER NOT NULL) STRICT;
INSERT INTO session_ends (last) VALUES (0);

CREATE TRIGGER sessions_ended AFTER INSERT ON sessions WHEN NEW.ended_at IS NOT NULL
BEGIN
    UPDATE session_ends SET last = last + 1;
    UPDATE sessions SET ended_in = (SELECT last FROM session_ends) WHERE id = NEW.id;
END;

CREATE TRIGGER sessions_end AFTER UPDATE OF ended_at ON sessions
WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL
BEGIN
    UPDATE session_ends SET last = last + 1;
    UPDATE sessions SET ended_in = (SELECT last FROM session_ends) WHERE id = NEW.id;
END;
