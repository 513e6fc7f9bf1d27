-- +goose Up
-- Where events are sent, and how far each endpoint has come in the feed of its customer (in that of all without one). Who sends to
-- an endpoint holds it by a lease: leased_by names the lease, and only its holder may write how far the endpoint has come.
CREATE TABLE webhook_endpoints (
  id              INTEGER  PRIMARY KEY AUTOINCREMENT,
  customer_id     INTEGER  NULL,
  url             TEXT     NOT NULL,
  description     TEXT     NULL,
  types           TEXT     NULL,
  subjects        TEXT     NOT NULL,
  signature       TEXT     NOT NULL,
  secret          TEXT     NOT NULL,
  previous_secret TEXT     NULL,
  previous_until  DATETIME NULL,
  position        INTEGER  NOT NULL,
  failures        INTEGER  NOT NULL DEFAULT 0,
  failing_since   DATETIME NULL,
  next_attempt_at DATETIME NULL,
  slow            BOOLEAN  NOT NULL DEFAULT FALSE,
  disabled_at     DATETIME NULL,
  disabled_reason TEXT     NULL,
  leased_by       TEXT     NULL,
  leased_until    DATETIME NULL,
  created_by      TEXT     NOT NULL,
  created_at      DATETIME NOT NULL,
  updated_at      DATETIME NOT NULL
);
CREATE INDEX ix_webhook_endpoints_customer ON webhook_endpoints (customer_id, id);

-- Each attempt to send an event to an endpoint, for some days. No foreign key: the rows of a deleted endpoint are deleted later.
CREATE TABLE webhook_deliveries (
  id           INTEGER  PRIMARY KEY AUTOINCREMENT,
  endpoint_id  INTEGER  NOT NULL,
  webhook_id   TEXT     NULL,
  type         TEXT     NULL,
  position     INTEGER  NULL,
  attempted_at DATETIME NOT NULL,
  outcome      TEXT     NOT NULL,
  status       INTEGER  NULL,
  duration_ms  INTEGER  NOT NULL,
  answer       TEXT     NULL,
  failure      TEXT     NULL
);
CREATE INDEX ix_webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX ix_webhook_deliveries_attempted_at ON webhook_deliveries (attempted_at);
