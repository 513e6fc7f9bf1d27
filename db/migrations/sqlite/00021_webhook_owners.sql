-- +goose Up
-- A row for each customer that has had a webhook endpoint. A transaction that adds an endpoint locks the row of its customer, so that
-- simultaneous transactions count the endpoints of each other: a customer without endpoints has no other row to lock.
CREATE TABLE webhook_owners (
  customer_id INTEGER PRIMARY KEY
);
