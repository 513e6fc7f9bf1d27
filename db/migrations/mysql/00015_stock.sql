-- +goose Up
-- The index by which lists find products with little stock. The statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'products' AND index_name = 'ix_products_stock') > 0, 'DO 0',
  'CREATE INDEX ix_products_stock ON products (stock)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;
