-- +goose Up
-- The pieces of an order, for the summary of many orders. The column allows null, because programs of the version before may still insert
-- orders without it, and is not filled for earlier orders: the summary then counts their lines.
ALTER TABLE orders ADD COLUMN units INTEGER NULL;

-- The summary finds canceled orders by updated_at. In orders canceled by 1.0.0 it is the time of migration 00002.
UPDATE orders SET updated_at = canceled_at WHERE status = 'CANCELED' AND updated_at <> canceled_at;
