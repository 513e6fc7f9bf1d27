-- +goose Up
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
