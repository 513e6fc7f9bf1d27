-- Code generated from migrations/ by "make generate". DO NOT EDIT.
-- The whole MySQL schema, to read and for the server's own init hook: the result of migrating an empty
-- database, with the versions, so that a service that starts on it finds nothing left to migrate.

SET NAMES utf8mb4;
SET time_zone = '+00:00';

-- Goose's own table on MySQL, in which each migration that is done has a row. Both statements can be run again, by several at once.
CREATE TABLE IF NOT EXISTS goose_db_version (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  version_id BIGINT          NOT NULL,
  is_applied BOOLEAN         NOT NULL,
  tstamp     DATETIME        NULL DEFAULT NOW()
);

INSERT IGNORE INTO goose_db_version (id, version_id, is_applied)
  SELECT 1, 0, TRUE FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM goose_db_version);

-- mysql/00001_init.sql
-- Each statement can be run again: MySQL commits DDL at once, and a start may be killed half-way. With AUTO_ID_CACHE 1 ids ascend in
-- time on TiDB, too, where else each server takes them from a range of its own; other engines take it for a comment.
CREATE TABLE IF NOT EXISTS customers (
  id           BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name         VARCHAR(255) NOT NULL,
  email        VARCHAR(255) NOT NULL,
  phone        VARCHAR(50)  NULL,
  created_at   DATETIME(3)  NOT NULL,
  deleted_at   DATETIME(3)  NULL,
  active_email VARCHAR(255) GENERATED ALWAYS AS (CASE WHEN deleted_at IS NULL THEN LOWER(email) END) STORED,
  UNIQUE KEY uq_customers_active_email (active_email)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE 1 */;

CREATE TABLE IF NOT EXISTS products (
  id          BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  sku         VARCHAR(100) NOT NULL,
  name        VARCHAR(255) NOT NULL,
  price_cents BIGINT       NOT NULL,
  stock       BIGINT       NOT NULL,
  created_at  DATETIME(3)  NOT NULL,
  UNIQUE KEY uq_products_sku (sku),
  CONSTRAINT ck_products_price CHECK (price_cents >= 0),
  CONSTRAINT ck_products_stock CHECK (stock >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE 1 */;

-- Every change of a product's stock that is not an order: stock = sum of deltas - pieces of its orders not CANCELED.
CREATE TABLE IF NOT EXISTS stock_adjustments (
  id         BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id BIGINT       NOT NULL,
  delta      BIGINT       NOT NULL,
  level      BIGINT       NOT NULL,
  reason     VARCHAR(255) NOT NULL,
  created_at DATETIME(3)  NOT NULL,
  KEY ix_stock_adjustments_product (product_id, id),
  CONSTRAINT fk_stock_adjustments_product FOREIGN KEY (product_id) REFERENCES products (id),
  CONSTRAINT ck_stock_adjustments_level CHECK (level >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE 1 */;

CREATE TABLE IF NOT EXISTS orders (
  id           BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id  BIGINT      NOT NULL,
  status       ENUM ('CREATED', 'CONFIRMED', 'CANCELED') NOT NULL,
  total_cents  BIGINT      NOT NULL,
  created_at   DATETIME(3) NOT NULL,
  confirmed_at DATETIME(3) NULL,
  canceled_at  DATETIME(3) NULL,
  cancel_reason ENUM ('requested', 'reservation_expired', 'compensation') NULL,
  KEY ix_orders_status (status, id),
  KEY ix_orders_customer (customer_id, id, status),
  CONSTRAINT fk_orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id),
  CONSTRAINT ck_orders_total CHECK (total_cents >= 0),
  CONSTRAINT ck_orders_confirmed CHECK ((status <> 'CREATED' OR confirmed_at IS NULL) AND (status <> 'CONFIRMED' OR confirmed_at IS NOT NULL)),
  CONSTRAINT ck_orders_canceled CHECK ((status = 'CANCELED') = (canceled_at IS NOT NULL)),
  CONSTRAINT ck_orders_cancel_reason CHECK ((status = 'CANCELED') = (cancel_reason IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin /*T![auto_id_cache] AUTO_ID_CACHE 1 */;

CREATE TABLE IF NOT EXISTS order_items (
  order_id         BIGINT NOT NULL,
  product_id       BIGINT NOT NULL,
  qty              BIGINT NOT NULL,
  unit_price_cents BIGINT NOT NULL,
  subtotal_cents   BIGINT NOT NULL,
  PRIMARY KEY (order_id, product_id),
  KEY ix_order_items_product (product_id),
  CONSTRAINT fk_order_items_order FOREIGN KEY (order_id) REFERENCES orders (id),
  CONSTRAINT fk_order_items_product FOREIGN KEY (product_id) REFERENCES products (id),
  CONSTRAINT ck_order_items_qty CHECK (qty >= 1),
  CONSTRAINT ck_order_items_subtotal CHECK (subtotal_cents = qty * unit_price_cents)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What each key has done. A row commits together with its effect, so target_id, status and response_body are NULL only
-- inside the transaction that is still making them.
CREATE TABLE IF NOT EXISTS idempotency_keys (
  caller          VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  operation       VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  request_hash    BINARY(32)   NOT NULL,
  target_id       BIGINT       NULL,
  status          SMALLINT     NULL,
  response_body   MEDIUMTEXT   NULL,
  expires_at      DATETIME(3)  NOT NULL,
  PRIMARY KEY (caller, operation, idempotency_key),
  KEY ix_idempotency_keys_expires (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, TRUE);

-- mysql/00002_updated_at.sql
-- When a row last changed, and a person's reason for a cancellation. The defaults serve programs of the version before, which may
-- still be running. MySQL ends a transaction at each ALTER TABLE: a table that has its columns already, because a migration was
-- killed half-way, is left as it is.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'customers' AND column_name = 'updated_at') > 0, 'DO 0',
  'ALTER TABLE customers ADD COLUMN updated_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)');
PREPARE alter_customers FROM @statement;
EXECUTE alter_customers;
DEALLOCATE PREPARE alter_customers;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'products' AND column_name = 'updated_at') > 0, 'DO 0',
  'ALTER TABLE products ADD COLUMN updated_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)');
PREPARE alter_products FROM @statement;
EXECUTE alter_products;
DEALLOCATE PREPARE alter_products;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'updated_at') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN updated_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), ADD COLUMN cancel_note VARCHAR(255) NULL');
PREPARE alter_orders FROM @statement;
EXECUTE alter_orders;
DEALLOCATE PREPARE alter_orders;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, TRUE);

-- mysql/00003_events.sql
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

INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, TRUE);

-- mysql/00004_external_ref.sql
-- What partners call things by: an order's and a customer's external_ref, which are unique among those not CANCELED or not deleted;
-- what else they keep with an order; and which products can be ordered. Each statement can be run again: see 00002. One change a
-- statement, because TiDB takes no index on a column of the same one; and no STORED column, which it cannot add.

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'customers' AND column_name = 'external_ref') > 0, 'DO 0',
  'ALTER TABLE customers ADD COLUMN external_ref VARCHAR(100) NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'customers' AND column_name = 'active_external_ref') > 0, 'DO 0',
  'ALTER TABLE customers ADD COLUMN active_external_ref VARCHAR(100) GENERATED ALWAYS AS (CASE WHEN deleted_at IS NULL THEN external_ref END) VIRTUAL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'customers' AND index_name = 'uq_customers_active_external_ref') > 0, 'DO 0',
  'CREATE UNIQUE INDEX uq_customers_active_external_ref ON customers (active_external_ref)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'products' AND column_name = 'active') > 0, 'DO 0',
  'ALTER TABLE products ADD COLUMN active BOOLEAN NOT NULL DEFAULT TRUE');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'products' AND index_name = 'ix_products_active') > 0, 'DO 0',
  'CREATE INDEX ix_products_active ON products (active, id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'external_ref') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN external_ref VARCHAR(100) NULL, ADD COLUMN metadata MEDIUMTEXT NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'active_external_ref') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN active_external_ref VARCHAR(100) GENERATED ALWAYS AS (CASE WHEN status <> ''CANCELED'' THEN external_ref END) VIRTUAL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'uq_orders_active_external_ref') > 0, 'DO 0',
  'CREATE UNIQUE INDEX uq_orders_active_external_ref ON orders (active_external_ref, customer_id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'ix_orders_external_ref') > 0, 'DO 0',
  'CREATE INDEX ix_orders_external_ref ON orders (external_ref, id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (4, TRUE);

-- mysql/00005_updated_since.sql
-- By which lists find what has changed since a moment. Each statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'customers' AND index_name = 'ix_customers_updated_at') > 0, 'DO 0',
  'CREATE INDEX ix_customers_updated_at ON customers (updated_at)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'products' AND index_name = 'ix_products_updated_at') > 0, 'DO 0',
  'CREATE INDEX ix_products_updated_at ON products (updated_at)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'ix_orders_updated_at') > 0, 'DO 0',
  'CREATE INDEX ix_orders_updated_at ON orders (updated_at)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (5, TRUE);

-- mysql/00006_search.sql
-- By which lists find a part of a text: see package db/search. A row of search_grams says which rows of a table have a gram, those of
-- one chunk of 65536 ids, as a roaring bitmap. indexed_text is what of a row is in there, and folded_text the same as searches compare
-- it; as long as indexed_text is not its text, it is unindexed, whatever program has written it. Each statement can be run again: see
-- 00002; one change a statement: see 00004.
CREATE TABLE IF NOT EXISTS search_grams (
  subject VARCHAR(20)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  gram    VARBINARY(12) NOT NULL,
  chunk   BIGINT        NOT NULL,
  hits    INT           NOT NULL,
  ids     BLOB          NOT NULL,
  PRIMARY KEY (subject, gram, chunk)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'customers' AND column_name = 'indexed_text') > 0, 'DO 0',
  'ALTER TABLE customers ADD COLUMN indexed_text VARCHAR(512) NULL, ADD COLUMN folded_text TEXT NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'customers' AND column_name = 'unindexed') > 0, 'DO 0',
  'ALTER TABLE customers ADD COLUMN unindexed BOOLEAN GENERATED ALWAYS AS (CASE WHEN indexed_text = CONCAT(name, ''|'', email, ''|'') THEN NULL ELSE 1 END) VIRTUAL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'customers' AND index_name = 'ix_customers_unindexed') > 0, 'DO 0',
  'CREATE INDEX ix_customers_unindexed ON customers (unindexed, id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'products' AND column_name = 'indexed_text') > 0, 'DO 0',
  'ALTER TABLE products ADD COLUMN indexed_text VARCHAR(357) NULL, ADD COLUMN folded_text TEXT NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'products' AND column_name = 'unindexed') > 0, 'DO 0',
  'ALTER TABLE products ADD COLUMN unindexed BOOLEAN GENERATED ALWAYS AS (CASE WHEN indexed_text = CONCAT(name, ''|'', sku, ''|'') THEN NULL ELSE 1 END) VIRTUAL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'products' AND index_name = 'ix_products_unindexed') > 0, 'DO 0',
  'CREATE INDEX ix_products_unindexed ON products (unindexed, id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (6, TRUE);

-- mysql/00007_order_blocks.sql
-- By which lists find the orders of a time: between which moments those of a block of 1024 ids were created. A block is there once no
-- order can come into it any more.
CREATE TABLE IF NOT EXISTS order_blocks (
  block    BIGINT      NOT NULL PRIMARY KEY,
  earliest DATETIME(3) NOT NULL,
  latest   DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, TRUE);

-- mysql/00008_reserved_since.sql
-- By which the sweep finds expired reservations: when a CREATED order was created, NULL for all others. Each statement can be run again:
-- see 00002; one change a statement: see 00004.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'reserved_since') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN reserved_since DATETIME(3) GENERATED ALWAYS AS (CASE WHEN status = ''CREATED'' THEN created_at END) VIRTUAL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'ix_orders_reserved_since') > 0, 'DO 0',
  'CREATE INDEX ix_orders_reserved_since ON orders (reserved_since)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (8, TRUE);

-- mysql/00009_customer_lock.sql
-- Placing an order checks the customer by the Customers API. The foreign key added nothing, since customers are deleted softly, and made
-- each order wait for the customer's row while another transaction changed it. The doctor looks for orders without a customer. The
-- statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.table_constraints WHERE table_schema = DATABASE() AND table_name = 'orders' AND constraint_name = 'fk_orders_customer') = 0, 'DO 0',
  'ALTER TABLE orders DROP FOREIGN KEY fk_orders_customer');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (9, TRUE);

-- mysql/00010_empty_phones.sql
-- A customer without a phone has NULL, no longer '', which 2.0.0 stored for "phone": "". The change has its event, where the customer has
-- events. Deleted customers, which nobody sees, stay as they are. Each statement can be run again: see 00002; the second one knows the
-- customers by their last events. LENGTH, because '' = ' ' in this collation; the subquery is not in ON,
-- because TiDB takes none there.
UPDATE customers SET phone = NULL, updated_at = GREATEST(updated_at, UTC_TIMESTAMP(3)) WHERE LENGTH(phone) = 0 AND deleted_at IS NULL;

INSERT INTO events (type, subject, subject_id, customer_id, actor, created_at, representation)
SELECT 'customer.updated', 'customer', c.id, c.id, 'system', c.updated_at, REPLACE(
  REPLACE(last.representation, '"phone":""', '"phone":null'),
  CONCAT('"updated_at":', JSON_EXTRACT(last.representation, '$.updated_at')),
  CONCAT('"updated_at":"', LEFT(DATE_FORMAT(c.updated_at, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z"'))
FROM customers c JOIN events last ON last.subject = 'customer' AND last.subject_id = c.id
WHERE last.id = (SELECT MAX(e.id) FROM events e WHERE e.subject = 'customer' AND e.subject_id = c.id)
  AND c.phone IS NULL AND c.deleted_at IS NULL AND last.representation LIKE '%"phone":""%';

INSERT INTO goose_db_version (version_id, is_applied) VALUES (10, TRUE);

-- mysql/00011_line_names.sql
-- The sku and the name of the product when the order was placed, fixed in the line as the price is. They allow null, because programs of
-- the version before may still insert lines without them. Each statement can be run again: see 00002. The UPDATE has subqueries, because
-- a join would lock the products, for which orders would wait.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'order_items' AND column_name = 'sku') > 0, 'DO 0',
  'ALTER TABLE order_items ADD COLUMN sku VARCHAR(100) NULL, ADD COLUMN name VARCHAR(255) NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

UPDATE order_items SET
  sku = (SELECT p.sku FROM products p WHERE p.id = product_id),
  name = (SELECT p.name FROM products p WHERE p.id = product_id)
WHERE sku IS NULL;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (11, TRUE);

-- mysql/00012_confirmed_at.sql
-- By which lists find the orders confirmed in a period. The statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'ix_orders_confirmed_at') > 0, 'DO 0',
  'CREATE INDEX ix_orders_confirmed_at ON orders (confirmed_at)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (12, TRUE);

-- mysql/00013_event_positions.sql
-- The feed: an event gets its position, counted over all events, and its position among its customer's events after it was committed;
-- null until then. Each number is given once, without gaps. The index on position is not unique, because MariaDB would sort all events
-- without a position to find the first; on TiDB it also has created_at, because there they get positions in that order. The index on
-- customer_id and id served no query. Each statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'events' AND column_name = 'position') > 0, 'DO 0',
  'ALTER TABLE events ADD COLUMN position BIGINT NULL, ADD COLUMN customer_position BIGINT NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'events' AND index_name = 'ix_events_position') > 0, 'DO 0',
  'CREATE INDEX ix_events_position ON events (position /*T!, created_at */)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'events' AND index_name = 'uq_events_customer_position') > 0, 'DO 0',
  'CREATE UNIQUE INDEX uq_events_customer_position ON events (customer_id, customer_position)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'events' AND index_name = 'ix_events_customer') = 0, 'DO 0',
  'DROP INDEX ix_events_customer ON events');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

-- How far the positions have come, and up to which position the events were deleted: in row 0 of all events, in the other rows of a
-- customer's. The rows stay when events are deleted, so that no number is given again. Row 0 has the time of the latest deleted event:
-- what is older may lack events. It also has the time at which the first position was given.
CREATE TABLE IF NOT EXISTS event_positions (
  customer_id     BIGINT NOT NULL PRIMARY KEY,
  last_position   BIGINT NOT NULL,
  pruned_position BIGINT NOT NULL DEFAULT 0,
  pruned_until    DATETIME(3) NULL,
  begun_at        DATETIME(3) NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (13, TRUE);

-- mysql/00014_webhooks.sql
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

INSERT INTO goose_db_version (version_id, is_applied) VALUES (14, TRUE);

-- mysql/00015_stock.sql
-- The index by which lists find products with little stock. The statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'products' AND index_name = 'ix_products_stock') > 0, 'DO 0',
  'CREATE INDEX ix_products_stock ON products (stock)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (15, TRUE);

-- mysql/00016_cancel_reason.sql
-- The index by which lists find orders canceled for a reason. The statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'ix_orders_cancel_reason') > 0, 'DO 0',
  'CREATE INDEX ix_orders_cancel_reason ON orders (cancel_reason, id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (16, TRUE);

-- mysql/00017_actors.sql
-- Who canceled an order, and who adjusted the stock. The columns allow null, because programs of the version before may still write rows
-- without them; for orders canceled earlier, the events name the actor. Each statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'canceled_by') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN canceled_by VARCHAR(255) NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'stock_adjustments' AND column_name = 'actor') > 0, 'DO 0',
  'ALTER TABLE stock_adjustments ADD COLUMN actor VARCHAR(255) NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

UPDATE orders SET canceled_by =
  (SELECT MAX(e.actor) FROM events e WHERE e.subject = 'order' AND e.subject_id = orders.id AND e.type = 'order.canceled')
WHERE status = 'CANCELED' AND canceled_by IS NULL;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (17, TRUE);

-- mysql/00018_units.sql
-- The pieces of an order, for the summary of many orders. The column allows null, because programs of the version before may still insert
-- orders without it, and is not filled for earlier orders: the summary then counts their lines. Each statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'units') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN units BIGINT NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

-- The summary finds canceled orders by updated_at. In orders canceled by 1.0.0 it is the time of migration 00002.
UPDATE orders SET updated_at = canceled_at WHERE status = 'CANCELED' AND updated_at <> canceled_at;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (18, TRUE);

-- mysql/00019_replica_beats.sql
-- How far a replica lags: each process that reads from one writes here, every half a second, for how long it has run, and reads
-- from the replica which of these has arrived there.
CREATE TABLE IF NOT EXISTS replica_beats (
  process    VARCHAR(26) NOT NULL PRIMARY KEY,
  running_ms BIGINT      NOT NULL,
  updated_at DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (19, TRUE);

-- mysql/00020_sample_times.sql
-- On SQLite this migration rewrites the times of the sample data. MySQL compares times as times, and keeps them.
DO 0;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (20, TRUE);

-- mysql/00021_webhook_owners.sql
-- A row for each customer that has had a webhook endpoint. A transaction that adds an endpoint locks the row of its customer, so that
-- simultaneous transactions count the endpoints of each other: a customer without endpoints has no other row to lock.
CREATE TABLE IF NOT EXISTS webhook_owners (
  customer_id BIGINT NOT NULL PRIMARY KEY
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (21, TRUE);
