-- +goose Up
-- When a row last changed, and a person's reason for a cancellation. The defaults serve programs of the version before, which may
-- still be running. MySQL ends a transaction at each ALTER TABLE: a table that has its columns already, because a migration was
-- killed half-way, is left as it is.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'customers' AND column_name = 'updated_at') > 0, 'DO 0',
  'ALTER TABLE customers ADD COLUMN updated_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)');
PREPARE alter_customers FROM @statement;
EXECUTE alter_customers;
DEALLOCATE PREPARE alter_customers;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'products' AND column_name = 'updated_at') > 0, 'DO 0',
  'ALTER TABLE products ADD COLUMN updated_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)');
PREPARE alter_products FROM @statement;
EXECUTE alter_products;
DEALLOCATE PREPARE alter_products;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'updated_at') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN updated_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), ADD COLUMN cancel_note VARCHAR(255) NULL');
PREPARE alter_orders FROM @statement;
EXECUTE alter_orders;
DEALLOCATE PREPARE alter_orders;
