-- +goose Up
-- What has happened: one row for each change of an order, a product or a customer, in the transaction that makes the change. The
-- ids of one subject ascend as its changes do; those of a customer may commit in another order. No foreign keys: it is a record.
CREATE TABLE IF NOT EXISTS events (
  id             BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  type           VARCHAR(50)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject        VARCHAR(20)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject_id     BIGINT       NOT NULL,
  customer_id    BIGINT       NULL,
  actor          VARCHAR(255) NOT NULL,
  correlation_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at     DATETIME(3)  NOT NULL,
  representation MEDIUMTEXT   NOT NULL,
  KEY ix_events_subject (subject, subject_id, id),
  KEY ix_events_customer (customer_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE 1 */;
