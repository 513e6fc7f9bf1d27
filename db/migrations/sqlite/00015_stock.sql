-- +goose Up
-- The index by which lists find products with little stock.
CREATE INDEX ix_products_stock ON products (stock);
