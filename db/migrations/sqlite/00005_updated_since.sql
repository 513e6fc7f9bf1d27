-- +goose Up
-- By which lists find what has changed since a moment.
CREATE INDEX ix_customers_updated_at ON customers (updated_at);
CREATE INDEX ix_products_updated_at ON products (updated_at);
CREATE INDEX ix_orders_updated_at ON orders (updated_at);
