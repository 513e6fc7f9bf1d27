-- +goose Up
-- Placing an order checks the customer by the Customers API. The foreign key added nothing, since customers are deleted softly, and made
-- each order wait for the customer's row while another transaction changed it. The doctor looks for orders without a customer. The
-- statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.table_constraints WHERE table_schema = DATABASE() AND table_name = 'orders' AND constraint_name = 'fk_orders_customer') = 0, 'DO 0',
  'ALTER TABLE orders DROP FOREIGN KEY fk_orders_customer');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;
