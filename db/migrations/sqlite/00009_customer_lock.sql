-- +goose Up
-- On MySQL this migration drops the foreign key of orders to customers. SQLite has no row locks, and keeps the key.
SELECT 1;
