-- +goose Up
-- What has happened: one row for each change of an order, a product or a customer, in the transaction that makes the change. No
-- foreign keys: it is a record.
CREATE TABLE events (
  id             INTEGER  PRIMARY KEY AUTOINCREMENT,
  type           TEXT     NOT NULL,
  subject        TEXT     NOT NULL,
  subject_id     INTEGER  NOT NULL,
  customer_id    INTEGER  NULL,
  actor          TEXT     NOT NULL,
  correlation_id TEXT     NULL,
  created_at     DATETIME NOT NULL,
  representation TEXT     NOT NULL
);

CREATE INDEX ix_events_subject ON events (subject, subject_id, id);
CREATE INDEX ix_events_customer ON events (customer_id, id);
