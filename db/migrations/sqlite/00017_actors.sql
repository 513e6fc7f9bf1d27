-- +goose Up
-- Who canceled an order, and who adjusted the stock. The columns allow null, because programs of the version before may still write rows
-- without them; for orders canceled earlier, the events name the actor.
ALTER TABLE orders ADD COLUMN canceled_by TEXT NULL;
ALTER TABLE stock_adjustments ADD COLUMN actor TEXT NULL;
UPDATE orders SET canceled_by =
  (SELECT MAX(e.actor) FROM events e WHERE e.subject = 'order' AND e.subject_id = orders.id AND e.type = 'order.canceled')
WHERE status = 'CANCELED' AND canceled_by IS NULL;
