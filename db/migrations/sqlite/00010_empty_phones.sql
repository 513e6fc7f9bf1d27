-- +goose Up
-- A customer without a phone has NULL, no longer '', which 2.0.0 stored for "phone": "". The change has its event, where the customer has
-- events. Deleted customers, which nobody sees, stay as they are.
UPDATE customers SET phone = NULL, updated_at = MAX(updated_at, strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')) WHERE phone = '' AND deleted_at IS NULL;

INSERT INTO events (type, subject, subject_id, customer_id, actor, created_at, representation)
SELECT 'customer.updated', 'customer', c.id, c.id, 'system', c.updated_at, REPLACE(
  REPLACE(last.representation, '"phone":""', '"phone":null'),
  '"updated_at":"' || json_extract(last.representation, '$.updated_at') || '"',
  '"updated_at":"' || strftime('%Y-%m-%dT%H:%M:%fZ', c.updated_at) || '"')
FROM customers c JOIN events last ON last.id = (SELECT MAX(e.id) FROM events e WHERE e.subject = 'customer' AND e.subject_id = c.id)
WHERE c.phone IS NULL AND c.deleted_at IS NULL AND last.representation LIKE '%"phone":""%';
