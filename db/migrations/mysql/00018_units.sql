-- +goose Up
-- The pieces of an order, for the summary of many orders. The column allows null, because programs of the version before may still insert
-- orders without it, and is not filled for earlier orders: the summary then counts their lines. Each statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'units') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN units BIGINT NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

-- The summary finds canceled orders by updated_at. In orders canceled by 1.0.0 it is the time of migration 00002.
UPDATE orders SET updated_at = canceled_at WHERE status = 'CANCELED' AND updated_at <> canceled_at;
