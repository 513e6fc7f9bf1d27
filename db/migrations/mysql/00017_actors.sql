-- +goose Up
-- Who canceled an order, and who adjusted the stock. The columns allow null, because programs of the version before may still write rows
-- without them; for orders canceled earlier, the events name the actor. Each statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'canceled_by') > 0, 'DO 0',
  'ALTER TABLE orders ADD COLUMN canceled_by VARCHAR(255) NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'stock_adjustments' AND column_name = 'actor') > 0, 'DO 0',
  'ALTER TABLE stock_adjustments ADD COLUMN actor VARCHAR(255) NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

UPDATE orders SET canceled_by =
  (SELECT MAX(e.actor) FROM events e WHERE e.subject = 'order' AND e.subject_id = orders.id AND e.type = 'order.canceled')
WHERE status = 'CANCELED' AND canceled_by IS NULL;
