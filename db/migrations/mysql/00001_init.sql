-- +goose Up
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
