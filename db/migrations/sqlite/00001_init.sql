-- +goose Up
CREATE TABLE customers (
  id         INTEGER  PRIMARY KEY AUTOINCREMENT,
  name       TEXT     NOT NULL,
  email      TEXT     NOT NULL,
  phone      TEXT     NULL,
  created_at DATETIME NOT NULL,
  deleted_at DATETIME NULL
);

CREATE UNIQUE INDEX uq_customers_active_email ON customers (lower(email)) WHERE deleted_at IS NULL;

CREATE TABLE products (
  id          INTEGER  PRIMARY KEY AUTOINCREMENT,
  sku         TEXT     NOT NULL,
  name        TEXT     NOT NULL,
  price_cents INTEGER  NOT NULL CONSTRAINT ck_products_price CHECK (price_cents >= 0),
  stock       INTEGER  NOT NULL CONSTRAINT ck_products_stock CHECK (stock >= 0),
  created_at  DATETIME NOT NULL
);

CREATE UNIQUE INDEX uq_products_sku ON products (sku);

-- Every change of a product's stock that is not an order: stock = sum of deltas - pieces of its orders not CANCELED.
CREATE TABLE stock_adjustments (
  id         INTEGER  PRIMARY KEY AUTOINCREMENT,
  product_id INTEGER  NOT NULL CONSTRAINT fk_stock_adjustments_product REFERENCES products (id),
  delta      INTEGER  NOT NULL,
  level      INTEGER  NOT NULL CONSTRAINT ck_stock_adjustments_level CHECK (level >= 0),
  reason     TEXT     NOT NULL,
  created_at DATETIME NOT NULL
);

CREATE INDEX ix_stock_adjustments_product ON stock_adjustments (product_id, id);

CREATE TABLE orders (
  id           INTEGER  PRIMARY KEY AUTOINCREMENT,
  customer_id  INTEGER  NOT NULL CONSTRAINT fk_orders_customer REFERENCES customers (id),
  status       TEXT     NOT NULL CONSTRAINT ck_orders_status CHECK (status IN ('CREATED', 'CONFIRMED', 'CANCELED')),
  total_cents  INTEGER  NOT NULL CONSTRAINT ck_orders_total CHECK (total_cents >= 0),
  created_at   DATETIME NOT NULL,
  confirmed_at DATETIME NULL,
  canceled_at  DATETIME NULL,
  cancel_reason TEXT    NULL CONSTRAINT ck_orders_reason CHECK (cancel_reason IN ('requested', 'reservation_expired', 'compensation')),
  CONSTRAINT ck_orders_confirmed CHECK ((status <> 'CREATED' OR confirmed_at IS NULL) AND (status <> 'CONFIRMED' OR confirmed_at IS NOT NULL)),
  CONSTRAINT ck_orders_canceled CHECK ((status = 'CANCELED') = (canceled_at IS NOT NULL)),
  CONSTRAINT ck_orders_cancel_reason CHECK ((status = 'CANCELED') = (cancel_reason IS NOT NULL))
);

CREATE INDEX ix_orders_status ON orders (status, id);
CREATE INDEX ix_orders_customer ON orders (customer_id, id, status);

CREATE TABLE order_items (
  order_id         INTEGER NOT NULL CONSTRAINT fk_order_items_order REFERENCES orders (id),
  product_id       INTEGER NOT NULL CONSTRAINT fk_order_items_product REFERENCES products (id),
  qty              INTEGER NOT NULL CONSTRAINT ck_order_items_qty CHECK (qty >= 1),
  unit_price_cents INTEGER NOT NULL,
  subtotal_cents   INTEGER NOT NULL,
  PRIMARY KEY (order_id, product_id),
  CONSTRAINT ck_order_items_subtotal CHECK (subtotal_cents = qty * unit_price_cents)
) WITHOUT ROWID;

CREATE INDEX ix_order_items_product ON order_items (product_id);

-- What each key has done. A row commits together with its effect, so target_id, status and response_body are NULL only
-- inside the transaction that is still making them.
CREATE TABLE idempotency_keys (
  caller          TEXT     NOT NULL,
  operation       TEXT     NOT NULL,
  idempotency_key TEXT     NOT NULL,
  request_hash    BLOB     NOT NULL,
  target_id       INTEGER  NULL,
  status          INTEGER  NULL,
  response_body   TEXT     NULL,
  expires_at      DATETIME NOT NULL,
  PRIMARY KEY (caller, operation, idempotency_key)
) WITHOUT ROWID;

CREATE INDEX ix_idempotency_keys_expires ON idempotency_keys (expires_at);
