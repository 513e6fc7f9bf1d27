-- +goose Up
-- What partners call things by: an order's and a customer's external_ref, which are unique among those not CANCELED or not deleted;
-- what else they keep with an order; and which products can be ordered. Each statement can be run again: see 00002. One change a
-- statement, because TiDB takes no index on a column of the same one; and no STORED column, which it cannot add.

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'customers' AND column_name = 'external_ref') > 0, 'DO 0',
  'ALTER TABLE customers ADD COLUMN external_ref VARCHAR(100) NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'customers' AND column_name = 'active_external_ref') > 0, 'DO 0',
  'ALTER TABLE customers ADD COLUMN active_external_ref VARCHAR(100) GENERATED ALWAYS AS (CASE WHEN deleted_at IS NULL THEN external_ref END) VIRTUAL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'customers' AND index_name = 'uq_customers_active_external_ref') > 0, 'DO 0',
  'CREATE UNIQUE INDEX uq_customers_active_external_ref ON customers (active_external_ref)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'products' AND column_name = 'active') > 0, 'DO 0',
  'ALTER TABLE products ADD COLUMN active BOOLEAN NOT NULL DEFAULT TRUE');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'products' AND index_name = 'ix_products_active') > 0, 'DO 0',
  'CREATE INDEX ix_products_active ON products (active, id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'external_ref') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN external_ref VARCHAR(100) NULL, ADD COLUMN metadata MEDIUMTEXT NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'active_external_ref') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN active_external_ref VARCHAR(100) GENERATED ALWAYS AS (CASE WHEN status <> ''CANCELED'' THEN external_ref END) VIRTUAL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'uq_orders_active_external_ref') > 0, 'DO 0',
  'CREATE UNIQUE INDEX uq_orders_active_external_ref ON orders (active_external_ref, customer_id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'ix_orders_external_ref') > 0, 'DO 0',
  'CREATE INDEX ix_orders_external_ref ON orders (external_ref, id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;
