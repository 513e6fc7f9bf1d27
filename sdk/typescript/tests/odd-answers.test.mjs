// Runs the packed SDK on the answers of odd-answers.json, whose `about` says what it must report.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { B2B, B2BError } from '@b2b/orders-sdk'
import { proxy } from './proxy.mjs'

const table = JSON.parse(readFileSync('odd-answers.json', 'utf8'))
const items = [{ product_id: 2, qty: 3 }]
const calls = {
  createOrder: (b2b) => b2b.createOrder({ customer_id: 1, items }),
  createAndConfirmOrder: (b2b) => b2b.createAndConfirmOrder({ customer_id: 1, items }),
  getProduct: (b2b) => b2b.getProduct({ id: 2 }),
  updateProduct: (b2b) => b2b.updateProduct({ id: 2, stock: 7 }),
  deleteCustomer: (b2b) => b2b.deleteCustomer({ id: 1 }),
  listProducts: async (b2b, things) => { for await (const thing of b2b.listProducts()) things.push(thing) },
  listEvents: async (b2b, things) => { for await (const thing of b2b.followEvents({ after: 5 })) things.push(thing) },
}

let server
before(async () => { server = await proxy() })
after(() => server.close())

const text = (body) => {
  if (typeof body === 'string') return body
  const base = table.bodies[body.of]
  if (body.from === undefined) return base
  assert.equal(base.split(body.from).length, 2)
  return base.replace(body.from, () => body.to)
}

for (const row of table.rows) {
  test(`issue 17, 12, odd answers: ${row.name}`, async () => {
    const answers = (row.bodies ?? [row.body]).map((body) => ({ ...row, body: Buffer.from(text(body), row.latin1 ? 'latin1' : 'utf8') }))
    server.plan = [...answers, ...Array(100).fill(answers.at(-1))]
    server.seen.length = 0
    let slept = 0 // a deadline passes while the server answers the second request
    const now = () => {
      if (server.seen.length > 50) throw new Error('the call never ends')
      return slept + 60_000 * Math.floor(server.seen.length / 2)
    }
    const clock = { now, sleep: async (milliseconds) => { slept += milliseconds } }
    const b2b = new B2B({ customers: server.base, orders: server.base, events: server.base, orchestrator: server.base, clock })
    const things = []
    let answer, error
    try {
      answer = await calls[row.call](b2b, things)
    } catch (e) {
      if (!(e instanceof B2BError)) throw e
      error = e
    }
    const { code, status = row.status, retryable = false, details = 0, says = [], tries = 'once', items = 0 } = row.expect
    assert.equal(error?.code ?? null, code, error)
    assert.equal(things.length, items)
    const keys = new Set(server.seen.map((request) => request.headers['x-idempotency-key'] ?? (request.body ? JSON.parse(request.body).idempotency_key : undefined)))
    assert.equal(keys.size, 1)
    const [key] = keys
    assert.equal(key !== undefined, row.call.startsWith('create'))
    if (!row.call.startsWith('list')) assert.equal(server.seen.length, tries === 'again' ? 2 : 1)
    if (!error) {
      if (!row.call.startsWith('list')) assert.deepEqual([(answer.data.order ?? answer.data).id, answer.idempotencyKey], [41, key])
      return
    }
    const correlation = row.expect.correlation ?? server.seen.at(-1).headers['x-correlation-id']
    assert.deepEqual([error.status, error.retryable, error.idempotencyKey, error.correlationId], [status, retryable, key, correlation])
    assert.equal(error.details.length, details)
    for (const part of [code, ...says]) assert.ok(error.message.includes(part), error.message)
    assert.doesNotMatch(error.message, /undefined|null/)
  })
}
