-- +goose Up
-- What partners call things by: an order's and a customer's external_ref, which are unique among those not CANCELED or not deleted;
-- what else they keep with an order; and which products can be ordered.
ALTER TABLE customers ADD COLUMN external_ref TEXT NULL;
ALTER TABLE customers ADD COLUMN active_external_ref TEXT GENERATED ALWAYS AS (CASE WHEN deleted_at IS NULL THEN external_ref END) VIRTUAL;
CREATE UNIQUE INDEX uq_customers_active_external_ref ON customers (active_external_ref);

-- The column by which a customer is found, as MySQL has it from the beginning.
ALTER TABLE customers ADD COLUMN active_email TEXT GENERATED ALWAYS AS (CASE WHEN deleted_at IS NULL THEN LOWER(email) END) VIRTUAL;
DROP INDEX uq_customers_active_email;
CREATE UNIQUE INDEX uq_customers_active_email ON customers (active_email);

ALTER TABLE products ADD COLUMN active INTEGER NOT NULL DEFAULT 1;
CREATE INDEX ix_products_active ON products (active, id);

ALTER TABLE orders ADD COLUMN external_ref TEXT NULL;
ALTER TABLE orders ADD COLUMN metadata TEXT NULL;
ALTER TABLE orders ADD COLUMN active_external_ref TEXT GENERATED ALWAYS AS (CASE WHEN status <> 'CANCELED' THEN external_ref END) VIRTUAL;
CREATE UNIQUE INDEX uq_orders_active_external_ref ON orders (active_external_ref, customer_id);
CREATE INDEX ix_orders_external_ref ON orders (external_ref, id);
