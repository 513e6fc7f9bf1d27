-- +goose Up
-- Times as the driver writes them, because SQLite compares times as texts: 2.0.0 loaded the sample data with times that lack the
-- offset, so that a filter by such an exact moment missed the row. They are whole seconds in UTC. A block of order_blocks may have them
-- from the orders.
UPDATE customers SET created_at = strftime('%Y-%m-%d %H:%M:%S+00:00', created_at) WHERE created_at NOT LIKE '%+00:00';
UPDATE customers SET updated_at = strftime('%Y-%m-%d %H:%M:%S+00:00', updated_at) WHERE updated_at NOT LIKE '%+00:00';
UPDATE products SET created_at = strftime('%Y-%m-%d %H:%M:%S+00:00', created_at) WHERE created_at NOT LIKE '%+00:00';
UPDATE products SET updated_at = strftime('%Y-%m-%d %H:%M:%S+00:00', updated_at) WHERE updated_at NOT LIKE '%+00:00';
UPDATE stock_adjustments SET created_at = strftime('%Y-%m-%d %H:%M:%S+00:00', created_at) WHERE created_at NOT LIKE '%+00:00';
UPDATE orders SET created_at = strftime('%Y-%m-%d %H:%M:%S+00:00', created_at) WHERE created_at NOT LIKE '%+00:00';
UPDATE orders SET confirmed_at = strftime('%Y-%m-%d %H:%M:%S+00:00', confirmed_at) WHERE confirmed_at NOT LIKE '%+00:00';
UPDATE orders SET updated_at = strftime('%Y-%m-%d %H:%M:%S+00:00', updated_at) WHERE updated_at NOT LIKE '%+00:00';
UPDATE events SET created_at = strftime('%Y-%m-%d %H:%M:%S+00:00', created_at) WHERE created_at NOT LIKE '%+00:00';
UPDATE order_blocks SET earliest = strftime('%Y-%m-%d %H:%M:%S+00:00', earliest) WHERE earliest NOT LIKE '%+00:00';
UPDATE order_blocks SET latest = strftime('%Y-%m-%d %H:%M:%S+00:00', latest) WHERE latest NOT LIKE '%+00:00';
