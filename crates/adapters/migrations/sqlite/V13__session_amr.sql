-- How the user signed in: the names of RFC 8176 with spaces between. Null in rows of earlier releases, where only a password did.
ALTER TABLE sessions ADD COLUMN amr TEXT;
