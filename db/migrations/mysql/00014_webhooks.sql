-- +goose Up
-- Where events are sent, and how far each endpoint has come in the feed of its customer (in that of all without one). Who sends to
-- an endpoint holds it by a lease: leased_by names the lease, and only its holder may write how far the endpoint has come.
CREATE TABLE IF NOT EXISTS webhook_endpoints (
  id              BIGINT        NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id     BIGINT        NULL,
  url             VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  description     VARCHAR(255)  NULL,
  types           VARCHAR(3000) CHARACTER SET ascii COLLATE ascii_bin NULL,
  subjects        VARCHAR(255)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  signature       VARCHAR(20)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  secret          VARCHAR(150)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  previous_secret VARCHAR(150)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  previous_until  DATETIME(3)   NULL,
  position        BIGINT        NOT NULL,
  failures        INT           NOT NULL DEFAULT 0,
  failing_since   DATETIME(3)   NULL,
  next_attempt_at DATETIME(3)   NULL,
  slow            BOOLEAN       NOT NULL DEFAULT FALSE,
  disabled_at     DATETIME(3)   NULL,
  disabled_reason VARCHAR(20)   CHARACTER SET ascii COLLATE ascii_bin NULL,
  leased_by       VARCHAR(40)   CHARACTER SET ascii COLLATE ascii_bin NULL,
  leased_until    DATETIME(3)   NULL,
  created_by      VARCHAR(255)  NOT NULL,
  created_at      DATETIME(3)   NOT NULL,
  updated_at      DATETIME(3)   NOT NULL,
  KEY ix_webhook_endpoints_customer (customer_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE 1 */;

-- Each attempt to send an event to an endpoint, for some days. No foreign key: the rows of a deleted endpoint are deleted later.
CREATE TABLE IF NOT EXISTS webhook_deliveries (
  id           BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  endpoint_id  BIGINT       NOT NULL,
  webhook_id   VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL,
  type         VARCHAR(50)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  position     BIGINT       NULL,
  attempted_at DATETIME(3)  NOT NULL,
  outcome      VARCHAR(20)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status       INT          NULL,
  duration_ms  INT          NOT NULL,
  answer       VARCHAR(500) NULL,
  failure      VARCHAR(255) NULL,
  KEY ix_webhook_deliveries_endpoint (endpoint_id, id),
  KEY ix_webhook_deliveries_attempted_at (attempted_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE 1 */;
