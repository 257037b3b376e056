-- When the epoch last rose, for the revocation feed; null for accounts whose epoch never did, or did before this column.
ALTER TABLE users ADD COLUMN epoch_raised_at timestamptz;
CREATE INDEX users_epoch_raised ON users (epoch_raised_at) WHERE epoch_raised_at IS NOT NULL;
