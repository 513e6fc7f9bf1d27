-- +goose Up
-- SQLite has no replicas: the table is empty, and the schemas stay the same.
CREATE TABLE replica_beats (
  process    TEXT     PRIMARY KEY NOT NULL,
  running_ms INTEGER  NOT NULL,
  updated_at DATETIME NOT NULL
);
