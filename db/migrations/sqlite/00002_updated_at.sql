-- +goose Up
-- When a row last changed, and a person's reason for a cancellation. SQLite wants a constant as the default of a new column.
ALTER TABLE customers ADD COLUMN updated_at DATETIME NOT NULL DEFAULT '1970-01-01 00:00:00.000+00:00';
UPDATE customers SET updated_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now');

ALTER TABLE products ADD COLUMN updated_at DATETIME NOT NULL DEFAULT '1970-01-01 00:00:00.000+00:00';
UPDATE products SET updated_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now');

ALTER TABLE orders ADD COLUMN updated_at DATETIME NOT NULL DEFAULT '1970-01-01 00:00:00.000+00:00';
ALTER TABLE orders ADD COLUMN cancel_note TEXT NULL;
UPDATE orders SET updated_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now');
