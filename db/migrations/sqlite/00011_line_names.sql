-- +goose Up
-- The sku and the name of the product when the order was placed, fixed in the line as the price is. They allow null, because programs of
-- the version before may still insert lines without them.
ALTER TABLE order_items ADD COLUMN sku TEXT NULL;
ALTER TABLE order_items ADD COLUMN name TEXT NULL;
UPDATE order_items SET
  sku = (SELECT p.sku FROM products p WHERE p.id = product_id),
  name = (SELECT p.name FROM products p WHERE p.id = product_id)
WHERE sku IS NULL;
