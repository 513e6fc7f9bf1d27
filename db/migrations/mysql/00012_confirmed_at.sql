-- +goose Up
-- By which lists find the orders confirmed in a period. The statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'ix_orders_confirmed_at') > 0, 'DO 0',
  'CREATE INDEX ix_orders_confirmed_at ON orders (confirmed_at)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;
