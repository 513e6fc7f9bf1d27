-- +goose Up
-- By which lists find what has changed since a moment. Each statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'customers' AND index_name = 'ix_customers_updated_at') > 0, 'DO 0',
  'CREATE INDEX ix_customers_updated_at ON customers (updated_at)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'products' AND index_name = 'ix_products_updated_at') > 0, 'DO 0',
  'CREATE INDEX ix_products_updated_at ON products (updated_at)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'ix_orders_updated_at') > 0, 'DO 0',
  'CREATE INDEX ix_orders_updated_at ON orders (updated_at)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;
