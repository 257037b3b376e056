-- Lists the disabled accounts, few among many, by address.
CREATE INDEX users_disabled ON users (email) WHERE disabled_at IS NOT NULL;
