-- Sample data: 5 customers, 10 products with stock, 2 orders whose pieces are no longer in stock, and how all that came to be. `b2b
-- seed` loads it into an empty database; MySQL and SQLite both read it. A statement ends with a semicolon at the end of a line.
INSERT INTO customers (id, name, email, phone, external_ref, created_at, updated_at) VALUES
  (1, 'ACME Corporation', 'ops@acme.com', '+1-555-0100', 'C-1001', '2024-01-10 08:00:00.000', '2024-01-10 08:00:00.000'),
  (2, 'Globex Industries', 'purchasing@globex.example', '+1-555-0101', 'C-1002', '2024-01-10 08:05:00.000', '2024-01-10 08:05:00.000'),
  (3, 'Initech LLC', 'orders@initech.example', '+1-555-0102', 'C-1003', '2024-01-10 08:10:00.000', '2024-01-10 08:10:00.000'),
  (4, 'Umbrella Supplies', 'supply@umbrella.example', NULL, NULL, '2024-01-10 08:15:00.000', '2024-01-10 08:15:00.000'),
  (5, 'Stark Logistics', 'logistics@stark.example', '+1-555-0104', NULL, '2024-01-10 08:20:00.000', '2024-01-10 08:20:00.000');

INSERT INTO products (id, sku, name, price_cents, stock, created_at, updated_at) VALUES
  (1, 'MON-LG-27', 'LG UltraFine 27 Monitor', 45900, 59, '2024-01-10 09:00:00.000', '2024-01-10 09:00:00.000'),
  (2, 'LAPTOP-HP-2024', 'HP EliteBook 840', 129900, 80, '2024-01-10 09:01:00.000', '2024-01-10 09:01:00.000'),
  (3, 'TABLET-SAM-S9', 'Samsung Galaxy Tab S9', 79900, 40, '2024-01-10 09:02:00.000', '2024-01-10 09:02:00.000'),
  (4, 'KEYB-LOGI-MX', 'Logitech MX Keys', 10900, 198, '2024-01-10 09:03:00.000', '2024-01-10 09:03:00.000'),
  (5, 'MOUSE-LOGI-MX3', 'Logitech MX Master 3S', 9900, 250, '2024-01-10 09:04:00.000', '2024-01-10 09:04:00.000'),
  (6, 'DOCK-DELL-WD22', 'Dell Thunderbolt Dock WD22', 28900, 35, '2024-01-10 09:05:00.000', '2024-01-10 09:05:00.000'),
  (7, 'HEADSET-JABRA-75', 'Jabra Evolve2 75', 32900, 45, '2024-01-10 09:06:00.000', '2024-01-10 09:06:00.000'),
  (8, 'PHONE-YEAL-T54', 'Yealink T54W Desk Phone', 19900, 70, '2024-01-10 09:07:00.000', '2024-01-10 09:07:00.000'),
  (9, 'CAM-LOGI-BRIO', 'Logitech Brio 4K', 17900, 90, '2024-01-10 09:08:00.000', '2024-01-10 09:08:00.000'),
  (10, 'SSD-SAM-T7', 'Samsung T7 SSD 2 TB', 15900, 120, '2024-01-10 09:09:00.000', '2024-01-10 09:09:00.000');

INSERT INTO stock_adjustments (product_id, delta, level, reason, actor, created_at)
  SELECT id, stock + CASE id WHEN 1 THEN 1 WHEN 3 THEN 4 WHEN 4 THEN 2 ELSE 0 END, stock + CASE id WHEN 1 THEN 1 WHEN 3 THEN 4 WHEN 4 THEN 2 ELSE 0 END, 'created', 'system', created_at
  FROM products;

INSERT INTO orders (id, customer_id, external_ref, metadata, status, total_cents, created_at, confirmed_at, canceled_at, updated_at) VALUES
  (1, 1, 'PO-2024-0042', '{"cost_center":"4711"}', 'CONFIRMED', 67700, '2024-01-15 10:00:00.000', '2024-01-15 10:02:00.000', NULL, '2024-01-15 10:02:00.000'),
  (2, 2, 'G-77', NULL, 'CREATED', 319600, CURRENT_TIMESTAMP, NULL, NULL, CURRENT_TIMESTAMP);

INSERT INTO order_items (order_id, product_id, sku, name, qty, unit_price_cents, subtotal_cents) VALUES
  (1, 1, 'MON-LG-27', 'LG UltraFine 27 Monitor', 1, 45900, 45900),
  (1, 4, 'KEYB-LOGI-MX', 'Logitech MX Keys', 2, 10900, 21800),
  (2, 3, 'TABLET-SAM-S9', 'Samsung Galaxy Tab S9', 4, 79900, 319600);

-- Ordered, because TiDB reads the parts of a UNION in any order, and events have the order of their ids.
INSERT INTO events (type, subject, subject_id, customer_id, actor, created_at, representation)
  SELECT * FROM (
  SELECT 'customer.created' AS type, 'customer' AS subject, id AS subject_id, id AS customer_id, 'system' AS actor, created_at,
    JSON_OBJECT('id', id, 'name', name, 'email', email, 'phone', phone, 'external_ref', external_ref,
      'created_at', CONCAT(REPLACE(created_at, ' ', 'T'), 'Z'), 'updated_at', CONCAT(REPLACE(updated_at, ' ', 'T'), 'Z'), 'deleted_at', NULL) AS representation
  FROM customers
  UNION ALL SELECT 'product.created', 'product', p.id, NULL, 'system', p.created_at,
    REPLACE(JSON_OBJECT('id', p.id, 'sku', sku, 'name', name, 'price_cents', price_cents, 'stock', level, 'active', '@',
      'created_at', CONCAT(REPLACE(p.created_at, ' ', 'T'), 'Z'), 'updated_at', CONCAT(REPLACE(updated_at, ' ', 'T'), 'Z')), '"@"', 'true')
  FROM products p JOIN stock_adjustments a ON a.product_id = p.id
  UNION ALL SELECT 'order.created', 'order', id, customer_id, 'system', created_at,
    '{"id":1,"customer_id":1,"external_ref":"PO-2024-0042","metadata":{"cost_center":"4711"},"status":"CREATED","total_cents":67700,"created_at":"2024-01-15T10:00:00.000Z","confirmed_at":null,"canceled_at":null,"cancel_reason":null,"cancel_note":null,"canceled_by":null,"reservation_expires_at":null,"cancelable_until":null,"allowed_actions":["confirm","cancel"],"updated_at":"2024-01-15T10:00:00.000Z","items":[{"product_id":1,"sku":"MON-LG-27","name":"LG UltraFine 27 Monitor","qty":1,"unit_price_cents":45900,"subtotal_cents":45900},{"product_id":4,"sku":"KEYB-LOGI-MX","name":"Logitech MX Keys","qty":2,"unit_price_cents":10900,"subtotal_cents":21800}]}'
  FROM orders WHERE id = 1
  UNION ALL SELECT 'order.confirmed', 'order', id, customer_id, 'system', confirmed_at,
    '{"id":1,"customer_id":1,"external_ref":"PO-2024-0042","metadata":{"cost_center":"4711"},"status":"CONFIRMED","total_cents":67700,"created_at":"2024-01-15T10:00:00.000Z","confirmed_at":"2024-01-15T10:02:00.000Z","canceled_at":null,"cancel_reason":null,"cancel_note":null,"canceled_by":null,"reservation_expires_at":null,"cancelable_until":"2024-01-15T10:12:00.000Z","allowed_actions":["cancel"],"updated_at":"2024-01-15T10:02:00.000Z","items":[{"product_id":1,"sku":"MON-LG-27","name":"LG UltraFine 27 Monitor","qty":1,"unit_price_cents":45900,"subtotal_cents":45900},{"product_id":4,"sku":"KEYB-LOGI-MX","name":"Logitech MX Keys","qty":2,"unit_price_cents":10900,"subtotal_cents":21800}]}'
  FROM orders WHERE id = 1
  UNION ALL SELECT 'order.created', 'order', id, customer_id, 'system', created_at,
    REPLACE('{"id":2,"customer_id":2,"external_ref":"G-77","metadata":null,"status":"CREATED","total_cents":319600,"created_at":"@","confirmed_at":null,"canceled_at":null,"cancel_reason":null,"cancel_note":null,"canceled_by":null,"reservation_expires_at":null,"cancelable_until":null,"allowed_actions":["confirm","cancel"],"updated_at":"@","items":[{"product_id":3,"sku":"TABLET-SAM-S9","name":"Samsung Galaxy Tab S9","qty":4,"unit_price_cents":79900,"subtotal_cents":319600}]}',
      '@', CONCAT(SUBSTR(CONCAT(REPLACE(created_at, ' ', 'T'), '.000'), 1, 23), 'Z'))
  FROM orders WHERE id = 2
  ) AS sample ORDER BY CASE subject WHEN 'customer' THEN 1 WHEN 'product' THEN 2 ELSE 3 END, subject_id, created_at;
