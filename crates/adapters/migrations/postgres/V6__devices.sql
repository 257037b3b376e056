-- The `Origin` of the front end that signed in: each has its own session on a device. Null: none, or a sign-in from before this column.
ALTER TABLE sessions ADD COLUMN origin text;
-- The user's epoch at the last sign-in on the device. The credential of a device is replaced at the next sign-in if it is older than the
-- user's, or null: reuse was found on the device, or the sign-in is from before this column.
ALTER TABLE known_devices ADD COLUMN epoch bigint;
