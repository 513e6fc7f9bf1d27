-- +goose Up
-- By which the sweep finds expired reservations: when a CREATED order was created, NULL for all others. Each statement can be run again:
-- see 00002; one change a statement: see 00004.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'reserved_since') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN reserved_since DATETIME(3) GENERATED ALWAYS AS (CASE WHEN status = ''CREATED'' THEN created_at END) VIRTUAL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'ix_orders_reserved_since') > 0, 'DO 0',
  'CREATE INDEX ix_orders_reserved_since ON orders (reserved_since)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;
