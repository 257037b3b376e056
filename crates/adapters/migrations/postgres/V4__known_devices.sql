-- The devices that each user has signed in on, and when last. Sessions' rows go days after their end; a device is known for a year.
CREATE TABLE known_devices (
    user_id      uuid        NOT NULL,
    device_id    uuid        NOT NULL,
    signed_in_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, device_id)
);
-- For pruning.
CREATE INDEX known_devices_signed_in ON known_devices (signed_in_at);

INSERT INTO known_devices (user_id, device_id, signed_in_at)
SELECT s.user_id, s.device_id, max(s.began_at) FROM sessions s JOIN users u ON u.id = s.user_id GROUP BY s.user_id, s.device_id;
