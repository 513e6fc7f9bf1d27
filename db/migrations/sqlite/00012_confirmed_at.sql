-- +goose Up
-- By which lists find the orders confirmed in a period.
CREATE INDEX ix_orders_confirmed_at ON orders (confirmed_at) WHERE confirmed_at IS NOT NULL;
