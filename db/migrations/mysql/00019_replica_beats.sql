-- +goose Up
-- How far a replica lags: each process that reads from one writes here, every half a second, for how long it has run, and reads
-- from the replica which of these has arrived there.
CREATE TABLE IF NOT EXISTS replica_beats (
  process    VARCHAR(26) NOT NULL PRIMARY KEY,
  running_ms BIGINT      NOT NULL,
  updated_at DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
