-- +goose Up
-- The index by which lists find orders canceled for a reason. The statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'orders' AND index_name = 'ix_orders_cancel_reason') > 0, 'DO 0',
  'CREATE INDEX ix_orders_cancel_reason ON orders (cancel_reason, id)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;
