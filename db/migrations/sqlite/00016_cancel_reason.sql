-- +goose Up
-- The index by which lists find orders canceled for a reason.
CREATE INDEX ix_orders_cancel_reason ON orders (cancel_reason, id) WHERE cancel_reason IS NOT NULL;
