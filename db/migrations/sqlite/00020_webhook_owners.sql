-- +goose Up
-- A row for each customer that has had a webhook endpoint. Who adds an endpoint locks the row of its customer, so that two that add one
-- at the same time count each other's: a customer without endpoints has no other row to lock.
CREATE TABLE webhook_owners (
  customer_id INTEGER PRIMARY KEY
);
