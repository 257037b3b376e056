-- The transaction that ended a session, so that a reader of the revocations asks for exactly what it has not seen: of two transactions
-- the one with the lower number may commit last. A trigger sets it, whoever ends the session. Null for those that ended before it.
ALTER TABLE sessions ADD COLUMN ended_in bigint;
CREATE INDEX sessions_ended_in ON sessions (ended_in) WHERE ended_in IS NOT NULL;

CREATE FUNCTION number_session_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.ended_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END
$$;

CREATE TRIGGER sessions_ended BEFORE INSERT ON sessions
    FOR EACH ROW WHEN (NEW.ended_at IS NOT NULL) EXECUTE FUNCTION number_session_end();

CREATE TRIGGER sessions_end BEFORE UPDATE OF ended_at ON sessions
    FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION number_session_end();
