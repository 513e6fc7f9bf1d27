-- +goose Up
-- A customer without a phone has NULL, no longer '', which 2.0.0 stored for "phone": "". The change has its event, where the customer has
-- events. Deleted customers, which nobody sees, stay as they are. Each statement can be run again: see 00002; the second one knows the
-- customers by their last events. LENGTH, because '' = ' ' in this collation; the subquery is not in ON,
-- because TiDB takes none there.
UPDATE customers SET phone = NULL, updated_at = GREATEST(updated_at, UTC_TIMESTAMP(3)) WHERE LENGTH(phone) = 0 AND deleted_at IS NULL;

INSERT INTO events (type, subject, subject_id, customer_id, actor, created_at, representation)
SELECT 'customer.updated', 'customer', c.id, c.id, 'system', c.updated_at, REPLACE(
  REPLACE(last.representation, '"phone":""', '"phone":null'),
  CONCAT('"updated_at":', JSON_EXTRACT(last.representation, '$.updated_at')),
  CONCAT('"updated_at":"', LEFT(DATE_FORMAT(c.updated_at, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z"'))
FROM customers c JOIN events last ON last.subject = 'customer' AND last.subject_id = c.id
WHERE last.id = (SELECT MAX(e.id) FROM events e WHERE e.subject = 'customer' AND e.subject_id = c.id)
  AND c.phone IS NULL AND c.deleted_at IS NULL AND last.representation LIKE '%"phone":""%';
