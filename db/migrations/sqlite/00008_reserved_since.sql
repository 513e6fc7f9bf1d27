-- +goose Up
-- By which the sweep finds expired reservations: when a CREATED order was created, NULL for all others.
ALTER TABLE orders ADD COLUMN reserved_since DATETIME GENERATED ALWAYS AS (CASE WHEN status = 'CREATED' THEN created_at END) VIRTUAL;
CREATE INDEX ix_orders_reserved_since ON orders (reserved_since) WHERE reserved_since IS NOT NULL;
