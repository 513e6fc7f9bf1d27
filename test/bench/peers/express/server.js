// The creation of an order as a careful author would write it with Express and mysql2: the customer is read; one transaction reads the
// prices, takes the stock by a conditional update, and inserts the order, its lines and the key's row with the answer. One process for
// each CPU.
const cluster = require("node:cluster");
const crypto = require("node:crypto");
const os = require("node:os");
const express = require("express");
const mysql = require("mysql2/promise");

const pool = mysql.createPool({
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT),
  user: process.env.DB_USER,
  database: process.env.DB_NAME,
  connectionLimit: 25,
  timezone: "Z",
});
pool.pool.on("connection", (connection) => connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"));

class Refused extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
  }
}

function check(body) {
  const positive = (n) => Number.isSafeInteger(n) && n > 0;
  const fine =
    positive(body?.customer_id) &&
    Array.isArray(body.items) &&
    body.items.length > 0 &&
    body.items.length <= 100 &&
    body.items.every((i) => positive(i?.product_id) && positive(i?.qty) && i.qty <= 1_000_000) &&
    new Set(body.items.map((i) => i.product_id)).size === body.items.length;
  if (!fine) throw new Refused(400, "validation_failed");
}

async function place(connection, body) {
  const items = [...body.items].sort((a, b) => a.product_id - b.product_id);
  const ids = items.map((i) => i.product_id);
  const [products] = await connection.query("SELECT id, price_cents FROM products WHERE id IN (?)", [ids]);
  if (products.length !== ids.length) throw new Refused(404, "product_not_found");
  const prices = new Map(products.map((p) => [p.id, p.price_cents]));
  const pieces = "CASE id" + " WHEN ? THEN ?".repeat(items.length) + " END";
  const values = items.flatMap((i) => [i.product_id, i.qty]);
  const [taken] = await connection.query(
    `UPDATE products SET stock = stock - ${pieces}, updated_at = UTC_TIMESTAMP(3) WHERE id IN (?) AND stock >= ${pieces}`,
    [...values, ids, ...values],
  );
  if (taken.affectedRows !== ids.length) throw new Refused(400, "insufficient_stock");
  const lines = items.map((i) => ({
    product_id: i.product_id,
    qty: i.qty,
    unit_price_cents: prices.get(i.product_id),
    subtotal_cents: prices.get(i.product_id) * i.qty,
  }));
  const total = lines.reduce((sum, l) => sum + l.subtotal_cents, 0);
  const now = new Date();
  const [order] = await connection.query(
    "INSERT INTO orders (customer_id, status, total_cents, created_at, updated_at) VALUES (?, 'CREATED', ?, ?, ?)",
    [body.customer_id, total, now, now],
  );
  await connection.query("INSERT INTO order_items (order_id, product_id, qty, unit_price_cents, subtotal_cents) VALUES ?", [
    lines.map((l) => [order.insertId, l.product_id, l.qty, l.unit_price_cents, l.subtotal_cents]),
  ]);
  return {
    id: order.insertId,
    customer_id: body.customer_id,
    status: "CREATED",
    total_cents: total,
    created_at: now,
    items: lines,
  };
}

async function create(req, res) {
  check(req.body);
  const key = req.get("X-Idempotency-Key");
  const hash = crypto.createHash("sha256").update(JSON.stringify(req.body)).digest();
  const [customers] = await pool.query("SELECT id FROM customers WHERE id = ? AND deleted_at IS NULL", [req.body.customer_id]);
  if (customers.length === 0) throw new Refused(404, "customer_not_found");
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    const data = await place(connection, req.body);
    const answer = JSON.stringify({ success: true, data });
    if (key) {
      await connection.query(
        "INSERT INTO idempotency_keys (caller, operation, idempotency_key, request_hash, target_id, status, response_body, expires_at) " +
          "VALUES ('peer', 'createOrder', ?, ?, ?, 201, ?, UTC_TIMESTAMP(3) + INTERVAL 1 DAY)",
        [key, hash, data.id, answer],
      );
    }
    await connection.commit();
    res.status(201).type("json").send(answer);
  } catch (error) {
    await connection.rollback();
    if (error.code !== "ER_DUP_ENTRY") throw error;
    const [[first]] = await pool.query(
      "SELECT request_hash, status, response_body FROM idempotency_keys WHERE caller = 'peer' AND operation = 'createOrder' AND idempotency_key = ?",
      [key],
    );
    if (!first.request_hash.equals(hash)) throw new Refused(422, "idempotency_key_reused");
    res.status(first.status).type("json").send(first.response_body);
  } finally {
    connection.release();
  }
}

function serve() {
  const app = express();
  app.use(express.json());
  app.get("/health", (_req, res) => res.json({ status: "ok" }));
  app.post("/orders", create);
  app.use((error, _req, res, _next) => {
    res.status(error.status ?? 500).json({ success: false, error: error.status ? error.message : "internal", code: error.status ? error.message : "internal" });
  });
  app.listen(Number(process.env.PORT), "127.0.0.1");
}

if (cluster.isPrimary) {
  for (let i = 0; i < os.availableParallelism(); i++) cluster.fork();
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill();
    process.exit();
  });
} else {
  serve();
}
