// Runs the packed SDK against the program that B2B names, through proxies that lose answers.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import http from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { after, before, beforeEach, test } from 'node:test'
import { B2B, B2BError, verifyWebhook, WebhookError } from '@b2b/orders-sdk'
import { proxy } from './proxy.mjs'

const folder = mkdtempSync(join(tmpdir(), 'b2b-'))
const proxies = {}
let program, addresses, bases, clock, b2b

before(async () => {
  const ports = readFileSync('.env.example', 'utf8').matchAll(/^# port of the .*\n(\w+)=/gm)
  const env = Object.fromEntries([...ports].map(([, name]) => [name, '0']))
  program = spawn(process.env.B2B, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'], env })
  addresses = []
  for await (const line of createInterface(program.stdout)) {
    const address = line.match(/^(?:Customers API|Orders API|Events API|Orchestrator) +(http:\S+)/)
    if (address) addresses.push(address[1])
    if (line.startsWith('Try:')) break
  }
  for (const [i, service] of ['customers', 'orders', 'events', 'orchestrator'].entries()) proxies[service] = await proxy(addresses[i])
})

after(async () => {
  for (const p of Object.values(proxies)) p.close()
  program.kill()
  await once(program, 'exit')
  rmSync(folder, { recursive: true })
})

beforeEach(() => {
  for (const p of Object.values(proxies)) Object.assign(p, { plan: [] }).seen.length = 0
  bases = Object.fromEntries(Object.entries(proxies).map(([service, p]) => [service, p.base]))
  let now = 0
  const waits = []
  clock = { waits, now: () => now, sleep: async (milliseconds) => { waits.push(milliseconds); now += milliseconds } }
  b2b = new B2B({ ...bases, clock })
})

const refused = (status, headers) => ({ status, headers: { 'Content-Type': 'application/json', ...headers }, body: { success: false, error: 'Not now.', code: 'unavailable' } })
const keys = (p) => p.seen.map((request) => request.headers['x-idempotency-key'])
const same = (values) => assert.ok(values[0] && new Set(values).size === 1, `${values}`)
const failure = async (call) => {
  const e = await call.then(() => assert.fail('the call did not fail'), (e) => e)
  assert.ok(e instanceof B2BError, e)
  return e
}

let made = 0
const customer = async () => (await b2b.createCustomer({ name: 'A Test', email: `test-${++made}@example.com` })).data
const product = async (sku = `TEST-${++made}`) => (await b2b.createProduct({ sku, name: 'A test', price_cents: 999_999_937, stock: 100 })).data
const ordersOf = async (customer_id) => {
  const orders = []
  for await (const order of b2b.listOrders({ customer_id })) orders.push(order)
  return orders
}
const stockOf = async (id) => (await b2b.getProduct({ id })).data.stock

test('one key, one order: answers are lost, connections closed, and the call returns the one order', async () => {
  const { id: customer_id } = await customer()
  const { id: product_id } = await product()
  proxies.orders.seen.length = 0
  proxies.orders.plan = ['close', 'drop', refused(503), 'cut', 'drop', refused(502), 'pass']
  const { data: order, response, idempotencyKey } = await b2b.createOrder({ customer_id, items: [{ product_id, qty: 3 }] })
  assert.equal(proxies.orders.seen.length, 7)
  same([...keys(proxies.orders), idempotencyKey])
  same(proxies.orders.seen.map((request) => request.headers['x-correlation-id']))
  assert.equal(response.headers.get('Idempotency-Replayed'), 'true')
  assert.deepEqual((await ordersOf(customer_id)).map((o) => o.id), [order.id])
  assert.equal(await stockOf(product_id), 97)
})

test('two calls are two orders', async () => {
  const { id: customer_id } = await customer()
  const { id: product_id } = await product()
  const first = await b2b.createOrder({ customer_id, items: [{ product_id, qty: 1 }] })
  const second = await b2b.createOrder({ customer_id, items: [{ product_id, qty: 1 }] })
  assert.notEqual(first.idempotencyKey, second.idempotencyKey)
  assert.equal((await ordersOf(customer_id)).length, 2)
})

test('createAndConfirmOrder cannot order twice', async () => {
  const { id: customer_id } = await customer()
  const { id: product_id } = await product()
  proxies.orchestrator.plan = ['drop', 'cut', refused(504), 'close', 'pass']
  const { data, idempotencyKey } = await b2b.createAndConfirmOrder({ customer_id, items: [{ product_id, qty: 2 }] })
  assert.equal(data.order.status, 'CONFIRMED')
  assert.equal(proxies.orchestrator.seen.length, 5)
  same([...proxies.orchestrator.seen.map((request) => JSON.parse(request.body).idempotency_key), idempotencyKey])
  assert.deepEqual((await ordersOf(customer_id)).map((o) => [o.id, o.status]), [[data.order.id, 'CONFIRMED']])
  assert.equal(await stockOf(product_id), 98)
})

test('confirm, cancel and adjustments keep their key and count once', async () => {
  const { id: customer_id } = await customer()
  const { id: product_id } = await product()
  const { data: { id } } = await b2b.createOrder({ customer_id, items: [{ product_id, qty: 2 }] })
  for (const [call, status] of [
    [() => b2b.confirmOrder({ id }), 'CONFIRMED'],
    [() => b2b.cancelOrder({ id, reason: 'a test' }), 'CANCELED'],
    [() => b2b.adjustStock({ id: product_id, delta: 40, reason: 'a test' })],
  ]) {
    proxies.orders.seen.length = 0
    proxies.orders.plan = ['drop', 'drop', 'pass']
    const { data, response } = await call()
    if (status) assert.equal(data.status, status)
    else assert.equal(data.level, 140)
    same(keys(proxies.orders))
    assert.equal(response.headers.get('Idempotency-Replayed'), 'true')
    assert.equal(proxies.orders.seen.length, 3)
  }
  assert.equal(await stockOf(product_id), 140)
})

test('what became of a call whose answers were all lost', async () => {
  const { id: customer_id } = await customer()
  const { id: product_id } = await product()
  const items = [{ product_id, qty: 1 }]
  proxies.orders.plan = Array(20).fill('drop')
  const lost = await failure(b2b.createOrder({ customer_id, items }, { deadline: 5000 }))
  assert.deepEqual([lost.code, lost.status, lost.retryable], ['no_answer', 0, true])
  proxies.orders.plan = []
  const { data: report } = await b2b.getIdempotencyKey({ key: lost.idempotencyKey })
  const repeated = await b2b.createOrder({ customer_id, items }, { idempotencyKey: lost.idempotencyKey })
  assert.equal(repeated.data.id, report.operations[0].order_id)

  proxies.orchestrator.plan = Array(20).fill('drop')
  const idempotencyKey = `a/?#%&+key-${customer_id}`
  await failure(b2b.createAndConfirmOrder({ customer_id, items }, { idempotencyKey, deadline: 5000 }))
  proxies.orchestrator.plan = []
  const { data: found } = await b2b.getOrchestration({ idempotency_key: idempotencyKey })
  assert.equal(found.current_status, 'CONFIRMED')
  assert.equal((await b2b.createAndConfirmOrder({ customer_id, items, idempotency_key: idempotencyKey })).data.order.id, found.order.id)
  assert.equal((await ordersOf(customer_id)).length, 2)
})

test('a write without a key is sent once', async () => {
  const { id } = await customer()
  for (const [step, code] of [['drop', 'no_answer'], ['close', 'no_answer'], [refused(503, { 'Retry-After': '1' }), 'unavailable']]) {
    proxies.customers.seen.length = 0
    proxies.customers.plan = [step]
    const e = await failure(b2b.updateCustomer({ id, phone: '+1' }))
    assert.deepEqual([e.code, e.retryable, e.idempotencyKey, proxies.customers.seen.length], [code, false, undefined, 1])
  }
  await assert.rejects(b2b.updateCustomer({ id, phone: '+2' }, { idempotencyKey: 'mine' }), TypeError)
})

test('Retry-After is obeyed, in seconds and as a date; 500 and refusals are not tried again', async () => {
  proxies.orders.plan = [refused(429, { 'Retry-After': '7' }), refused(503, { 'Retry-After': new Date(Date.now() + 20_000).toUTCString() }), 'pass']
  await b2b.getProduct({ id: 2 })
  assert.ok(clock.waits[0] >= 7000 && clock.waits[1] >= 15_000 && clock.waits.length === 2, clock.waits)
  proxies.orders.plan = [refused(500)]
  assert.equal((await failure(b2b.getProduct({ id: 2 }))).retryable, true)
  assert.equal((await failure(b2b.getProduct({ id: 1e9 }))).retryable, false)
  assert.equal(proxies.orders.seen.length, 5)
})

test('no try begins after the deadline, nor is waited for what lies behind it', async () => {
  proxies.orders.plan = Array(100).fill(refused(503, { 'Retry-After': '20' }))
  const e = await failure(b2b.getProduct({ id: 2 }, { deadline: 30_000 }))
  assert.deepEqual([e.code, e.status, e.retryable, proxies.orders.seen.length, clock.waits.length], ['unavailable', 503, true, 2, 1])
  proxies.orders.plan = Array(100).fill('close')
  proxies.orders.seen.length = clock.waits.length = 0
  assert.equal((await failure(b2b.getProduct({ id: 2 }, { deadline: 10_000 }))).code, 'no_answer')
  assert.ok(clock.waits.length >= 4 && proxies.orders.seen.length === clock.waits.length + 1)
  assert.ok(clock.waits.reduce((sum, wait) => sum + wait) < 10_000)
})

test('a try that gets no answer in time is followed by another', async () => {
  const { id: customer_id } = await customer()
  const { id: product_id } = await product()
  proxies.orders.seen.length = 0
  proxies.orders.plan = ['hang', 'hang', 'pass']
  const { data } = await new B2B({ ...bases, clock, tryTimeout: 300 }).createOrder({ customer_id, items: [{ product_id, qty: 1 }] })
  same(keys(proxies.orders))
  assert.ok(proxies.orders.seen.length >= 3)
  assert.deepEqual((await ordersOf(customer_id)).map((o) => o.id), [data.id])
})

test('a call can be ended', async () => {
  proxies.orders.plan = ['hang']
  const controller = new AbortController()
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  const call = b2b.getProduct({ id: 2 }, { signal: controller.signal })
  while (proxies.orders.seen.length === 0) await new Promise(setImmediate)
  controller.abort()
  await assert.rejects(call, { name: 'AbortError' })
  assert.equal(proxies.orders.seen.length, 1)
  assert.ok(timers() <= before) // one would keep Node alive
})

test('a write with a key that is ended says its key, and why it was ended', async () => {
  const { id: customer_id } = await customer()
  const order = { customer_id, items: [{ product_id: (await product()).id, qty: 1 }] }
  const ended = async (step, client, reason, meanwhile = () => {}) => {
    proxies.orders.seen.length = 0
    proxies.orders.plan = [step]
    const controller = new AbortController()
    const end = () => controller.abort(reason)
    const call = client(end).createOrder(order, { signal: controller.signal })
    const [e] = await Promise.all([failure(call), meanwhile(end)])
    assert.deepEqual([e.code, e.status, e.retryable], ['no_answer', 0, true])
    assert.equal(e.cause, controller.signal.reason)
    assert.match(e.message, /^createOrder: the call was ended: /)
    same([...keys(proxies.orders).slice(0, 1), e.idempotencyKey])
    const { response } = await b2b.createOrder(order, { idempotencyKey: e.idempotencyKey })
    assert.equal(response.headers.get('Idempotency-Replayed'), 'true')
    return e.cause
  }
  const once = (end) => { // the order is there, its answer is not
    const aside = new B2B({ ...bases, orders: addresses[1] })
    const look = async () => ((await aside.listOrders({ customer_id })).data.length ? end() : look())
    return look()
  }
  assert.equal((await ended('hang', () => b2b, undefined, once)).name, 'AbortError')
  const enough = new Error('enough')
  const sleep = (end) => (_, signal) => new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    end()
  })
  const waiting = (end) => new B2B({ ...bases, clock: { ...clock, sleep: sleep(end) } })
  assert.equal(await ended('drop', waiting, enough), enough)
  const asking = (end) => new B2B({ ...bases, clock, token: async () => {
    if (proxies.orders.seen.length) end() // it is the second try
    return ''
  } })
  assert.equal(await ended('drop', asking, 'as text'), 'as text')
  assert.equal((await ordersOf(customer_id)).length, 3)

  const signal = AbortSignal.abort()
  for (const call of [
    b2b.getProduct({ id: 2 }, { signal }),
    b2b.updateCustomer({ id: customer_id, phone: '+1' }, { signal }),
    b2b.exportOrders({}, { signal }).next(),
  ]) {
    await assert.rejects(call, (e) => e === signal.reason && e.name === 'AbortError')
  }
})

test('an address at which nobody listens, or that is none, is named', async () => {
  const orders = bases.orders.replace(/:\d+/, ':1')
  const e = await failure(new B2B({ ...bases, orders, clock }).getProduct({ id: 2 }, { deadline: 100 }))
  assert.ok(e.code === 'no_answer' && e.message.includes(`no answer from ${orders}: TypeError: fetch failed: `), e.message)
  assert.match(e.message, /ECONNREFUSED|bad port/)
  for (const orders of ['localhost:3002', 'ftp://localhost', 'localhost', '/api', 'http://', '', null, 5]) {
    const client = new B2B({ ...bases, orders })
    const rows = (function* () { assert.fail('a row is read') })()
    for (const call of [client.getProduct({ id: 2 }), client.importProducts(rows), client.exportOrders().next()]) {
      await assert.rejects(call, { name: 'TypeError', message: `the option orders is ${orders === '' ? 'empty' : orders}; it must be an address such as https://orders.example.com` })
    }
  }
})

test('an address may be left out until its service is called', async () => {
  const client = new B2B({ orders: bases.orders })
  await client.listOrders({ limit: 1 })
  for (const [call, option] of [
    [client.listCustomers(), 'customers'],
    [client.createAndConfirmOrder({ customer_id: 1, items: [{ product_id: 2, qty: 1 }] }), 'orchestrator'],
    [client.followEvents({ after: 0 }).next(), 'events'],
  ]) {
    await assert.rejects(call, { name: 'TypeError', message: new RegExp(`needs the option ${option}$`) })
  }
})

test('options of a wrong type are refused, before anything is sent', async () => {
  for (const p of Object.values(proxies)) p.seen.length = 0
  const read = (options, call) => new B2B({ ...bases, ...options }).getProduct({ id: 2 }, call)
  const rows = (function* () { assert.fail('a row is read') })()
  for (const [call, message] of [
    [b2b.importProducts(rows, {}, { onRow: 'print' }), 'the option onRow is print; it must be a function'],
    [b2b.followEvents({ after: 0 }, { onPosition: 5 }).next(), 'the option onPosition is 5; it must be a function'],
    [read({ fetch: 5 }), 'the option fetch is 5; it must be a function'],
    [read({}, { deadline: '5000' }), 'the option deadline is 5000; it must be a number of milliseconds'],
    [read({ deadline: NaN }), 'the option deadline is NaN; it must be a number of milliseconds'],
    [read({ tryTimeout: '5000' }), 'the option tryTimeout is 5000; it must be a number of milliseconds'],
  ]) {
    await assert.rejects(call, { name: 'TypeError', message })
  }
  assert.deepEqual(Object.values(proxies).flatMap((p) => p.seen), [])
})

test('an error of the rows ends the import', async () => {
  const client = new B2B({ ...bases, orders: addresses[1] })
  const prefix = `BROKEN-${++made}-`
  for (const error of [new RangeError('no more'), 'as text']) {
    const rows = (function* () {
      for (let i = 0; i < 5000; i++) yield { sku: `${prefix}${i}`, name: 'A test', price_cents: 1, stock: 3 }
      throw error
    })()
    await assert.rejects(client.importProducts(rows), (e) => e === error)
  }
  assert.equal((await client.listProducts({ search: prefix })).data.length, 0)
})

test('an option that no call has is refused, before anything is sent', async () => {
  proxies.orders.seen.length = 0
  const call = b2b.createOrder({ customer_id: 1, items: [{ product_id: 2, qty: 1 }] }, { idempotency_key: 'po-4711' })
  await assert.rejects(call, { name: 'TypeError', message: /has no option idempotency_key; it may be idempotencyKey/ })
  assert.equal(proxies.orders.seen.length, 0)
})

test('a refusal is a B2BError', async () => {
  const { id: customer_id } = await customer()
  const { id: product_id } = await product()
  for (const call of ['createOrder', 'createAndConfirmOrder']) {
    const e = await failure(b2b[call]({ customer_id, items: [{ product_id, qty: 101 }] }, { correlationId: 'req-1' }))
    assert.deepEqual([e.code, e.status, e.correlationId, e.retryable], ['insufficient_stock', 400, 'req-1', false])
    assert.equal(e.details[0].field, '/items/0/qty')
    assert.ok(e.idempotencyKey && e.name === 'B2BError' && e.message.startsWith(call))
  }
  const reused = await b2b.createOrder({ customer_id, items: [{ product_id, qty: 1 }] })
  const e = await failure(b2b.createOrder({ customer_id, items: [{ product_id, qty: 2 }] }, { idempotencyKey: reused.idempotencyKey }))
  assert.deepEqual([e.code, e.status], ['idempotency_key_reused', 422])
})

test('answers of somebody else are errors', async () => {
  for (const [step, status] of [
    [{ status: 200, body: '<html>' }, 200], [{ status: 200, body: {} }, 200], [{ status: 404, body: '<html>' }, 404],
    [{ status: 302, headers: { Location: '/products/2' } }, 302],
  ]) {
    proxies.orders.plan = [step]
    const e = await failure(b2b.getProduct({ id: 1e9 }))
    assert.equal(e.status, status)
    if (status !== 302) assert.equal(e.code, 'unexpected_answer')
  }
})

test('lists: the first page when awaited, everything when iterated', async () => {
  const prefix = `PAGED-${++made}-`
  for (let i = 0; i < 5; i++) await product(prefix + i)
  const page = await b2b.listProducts({ search: prefix, limit: 2 })
  assert.equal(page.data.length, 2)
  assert.equal(page.meta.nextCursor, page.data[1].id)
  proxies.orders.seen.length = 0
  const skus = []
  proxies.orders.plan = ['pass', 'drop']
  for await (const { sku } of b2b.listProducts({ search: prefix, limit: 2 })) skus.push(sku)
  assert.deepEqual(skus, [0, 1, 2, 3, 4].map((i) => prefix + i))
  assert.equal(proxies.orders.seen.length, 4)
  await assert.rejects(async () => { for await (const _ of b2b.listProducts({ limit: 1000 })); }, { code: 'validation_failed' })
})

test('numbers are exact, and what is new does not disturb', async () => {
  const { data: order } = await b2b.createOrder({ customer_id: (await customer()).id, items: [{ product_id: (await product()).id, qty: 97 }] })
  assert.equal(String(order.total_cents), '96999993889')
  const big = '9007199254740991'
  const novel = { ...order, id: Number(big), status: 'TELEPORTED', total_cents: Number(big), novel: { a: [1] } }
  proxies.orders.plan = [{ status: 200, body: { success: true, data: novel, novel: 1 } }]
  const { data } = await b2b.getOrder({ id: Number(big) })
  assert.deepEqual([String(data.id), String(data.total_cents), data.status, data.novel], [big, big, 'TELEPORTED', { a: [1] }])
  assert.equal(proxies.orders.seen.at(-1).url, `/orders/${big}`)
  proxies.orders.plan = [{ status: 418, body: { success: false, error: 'New.', code: 'novel', novel: 1 } }]
  assert.equal((await failure(b2b.getOrder({ id: 1 }))).code, 'novel')
})

const everything = async (things) => {
  const all = []
  for await (const thing of things) all.push(thing)
  return all
}

test('issue 17, 12: pages of an iteration have 100 things', async () => {
  await everything(b2b.listProducts({ search: 'no product has this text' }))
  await everything(b2b.listOrders({ customer_id: 1e9, limit: 7 }))
  await b2b.listProducts({ search: 'no product has this text' })
  assert.deepEqual(proxies.orders.seen.map(({ url }) => new URL(url, 'http://x').searchParams.get('limit')), ['100', '7', null])
})

test('issue 17, 12: a Date in a query counts', async () => {
  const { sku, updated_at } = await product()
  const at = new Date(updated_at)
  for (const [updated_since, want] of [[at, [sku]], [new Date(at.getTime() + 1), []], ['2024-01-01', [sku]], [undefined, [sku]]]) {
    const filters = { search: sku, updated_since }
    assert.deepEqual((await b2b.listProducts(filters)).data.map((p) => p.sku), want, updated_since)
    for (const list of ['listProducts', 'exportProducts']) {
      assert.deepEqual((await everything(b2b[list](filters))).map((p) => p.sku), want, `${list} ${updated_since}`)
    }
  }
  await everything(b2b.listOrders({ from: at, to: at }))
  proxies.orders.seen.length = 0
  for (const odd of [null, new Date(NaN), { $gt: 1 }, [at], NaN, Symbol('s'), () => 1]) {
    for (const list of ['listProducts', 'exportProducts']) await assert.rejects(everything(b2b[list]({ updated_since: odd })), (e) => e instanceof TypeError || e instanceof RangeError)
  }
  await assert.rejects(b2b.listOrders({ external_ref: null }), { name: 'TypeError', message: 'external_ref cannot be null' })
  await assert.rejects(b2b.followEvents({ after: 0, types: null }).next(), { name: 'TypeError', message: 'types cannot be null' })
  await assert.rejects(b2b.getProduct({ id: undefined }), TypeError)
  assert.equal(proxies.orders.seen.length, 0)
})

test('a number that JSON lacks is refused, before anything is sent', async () => {
  const items = [{ product_id: 2, qty: 1 }]
  const order = (fields) => () => b2b.createOrder({ customer_id: 1, items, ...fields })
  for (const [call, path] of [
    [order({ expected_total_cents: NaN }), 'expected_total_cents cannot be NaN'],
    [order({ items: [...items, { product_id: 2, qty: Infinity }] }), 'items[1].qty cannot be Infinity'],
    [order({ metadata: { 'a b': -Infinity } }), 'metadata["a b"] cannot be -Infinity'],
    [order({ external_ref: new Date(NaN) }), 'external_ref cannot be Invalid Date'],
    [() => b2b.importProducts([{ sku: 'A' }, { sku: 'B', stock: NaN }]), 'rows[1].stock cannot be NaN'],
  ]) {
    await assert.rejects(call(), (e) => e instanceof TypeError && e.message.includes(path), path)
  }
  for (const p of Object.values(proxies)) assert.equal(p.seen.length, 0)
  const { id } = await product()
  await b2b.updateProduct({ id, name: undefined, stock: -0 })
  assert.equal(proxies.orders.seen.at(-1).body, '{"stock":0}')
})

test('a time-out that a timer cannot hold is none', async () => {
  for (const tryTimeout of [Infinity, 2 ** 31]) {
    proxies.orders.seen.length = 0
    proxies.orders.plan = [refused(503), 'pass']
    const patient = new B2B({ ...bases, tryTimeout, deadline: 5000 })
    assert.equal((await patient.getProduct({ id: 2 })).data.id, 2)
    assert.equal(proxies.orders.seen.length, 2)
    for await (const _ of patient.exportProducts()) await new Promise((done) => setTimeout(done, 5))
    const rows = [{ sku: `FILE-${++made}`, name: 'A test', price_cents: 1, stock: 3 }]
    assert.equal((await patient.importProducts(rows)).created, 1)
    proxies.orders.plan = [refused(503, { 'Retry-After': '9999999999' })]
    proxies.orders.seen.length = 0
    const ended = patient.getProduct({ id: 2 }, { deadline: Infinity, signal: AbortSignal.timeout(200) })
    await assert.rejects(ended, { name: 'TimeoutError' })
    assert.equal(proxies.orders.seen.length, 1)
  }
})

test('issue 17, 12: the text of an error has its details', async () => {
  const e = await failure(b2b.createOrder({ customer_id: (await customer()).id, items: [{ product_id: (await product()).id, qty: 101 }] }))
  for (const part of ['insufficient_stock', e.details[0].field, e.details[0].message]) assert.ok(e.message.includes(part), e.message)
})

test('issue 17, 12: imports', async () => {
  const prefix = `FILE-${++made}-`
  const rows = Array.from({ length: 600 }, (_, i) => ({ sku: prefix + i, name: 'A tëst €', price_cents: i, stock: 3 }))
  rows[1].price_cents = -1
  rows[3].sku = rows[0].sku
  for (const dry_run of [true, false]) {
    const got = []
    const summary = await b2b.importProducts(dry_run ? rows.values() : Readable.from(rows), { dry_run }, { onRow: (row, line) => got.push([row, line]) })
    assert.deepEqual([summary.rows, summary.created, summary.refused, summary.dry_run], [600, 598, 2, dry_run])
    assert.ok(got.length === 600 && got.every(([row], i) => row === rows[i]))
    assert.deepEqual(got.filter(([, line]) => line.result === 'refused').map(([row]) => row), [rows[1], rows[3]])
    assert.equal(got[1][1].details[0].field, '/price_cents')
  }
  const exported = await everything(b2b.exportProducts({ search: prefix }))
  assert.ok(exported.length === 598 && exported.every((p) => p.name === 'A tëst €'))
  assert.equal((await b2b.importProducts(rows)).unchanged, 598)
  assert.equal((await failure(b2b.importProducts([]))).code, 'validation_failed')
  const email = `${prefix.toLowerCase()}@example.com`
  assert.equal((await b2b.importCustomers([{ email, name: 'A test' }])).created, 1)
  assert.deepEqual((await everything(b2b.exportCustomers({ email }))).map((c) => c.email), [email])
})

test('an asynchronous onRow is awaited, and its failure is the failure of the import', async () => {
  const rows = Array.from({ length: 3 }, () => ({ sku: `FILE-${++made}`, name: 'A test', price_cents: 1, stock: 3 }))
  const got = []
  const keep = async (row, line) => { await new Promise((done) => setTimeout(done, 1)); got.push([row, line.result]) }
  assert.equal((await b2b.importProducts(rows, {}, { onRow: keep })).created, 3)
  assert.deepEqual(got, rows.map((row) => [row, 'created']))
  await assert.rejects(b2b.importProducts(rows, {}, { onRow: async (row) => { throw new RangeError(row.sku) } }), { name: 'RangeError', message: rows[0].sku })
})

const lines = (...objects) => objects.map((object) => `${JSON.stringify(object)}\n`).join('')
const ndjson = { 'Content-Type': 'application/x-ndjson' }

test('issue 17, 12: imports that fail', async () => {
  const row = { sku: `FILE-${++made}`, name: 'A test', price_cents: 1, stock: 3 }
  const summary = { complete: true, dry_run: false, rows: 1, created: 1, updated: 0, unchanged: 0, refused: 0 }
  for (const [step, code, status] of [
    ['drop', 'no_answer', 0],
    ['close', 'no_answer', 0],
    [refused(503), 'unavailable', 503],
    [{ status: 200, body: lines({ summary }), headers: { 'Content-Type': 'text/plain' } }, 'unexpected_answer', 200],
    [{ status: 200, body: lines({ row: 1, result: 'created', id: 1 }), headers: ndjson }, 'unexpected_answer', 200],
    [{ status: 200, body: lines({ row: 1 }, { summary }).slice(0, -9), headers: ndjson }, 'unexpected_answer', 200],
    [{ status: 200, body: lines({ row: '1' }, { summary }), headers: ndjson }, 'unexpected_answer', 200],
    [{ status: 200, body: lines({ summary: {} }), headers: ndjson }, 'unexpected_answer', 200],
    [{ status: 200, body: '<html>\n', headers: ndjson }, 'unexpected_answer', 200],
    [{ status: 200, body: lines({ summary }), headers: ndjson, cut: true }, 'no_answer', 0],
    [{ status: 200, body: lines({ summary: { ...summary, complete: false, code: 'timeout', error: 'Too late.' } }), headers: ndjson }, 'timeout', 200],
  ]) {
    proxies.orders.seen.length = 0
    proxies.orders.plan = [step]
    const e = await failure(b2b.importProducts([row]))
    assert.deepEqual([e.code, e.status, proxies.orders.seen.length], [code, status, 1], e)
    assert.equal(e.correlationId, proxies.orders.seen[0].headers['x-correlation-id'])
  }
  proxies.orders.plan = [{ status: 200, body: lines({ row: 7, result: 'novel', x: 1 }, { summary: { ...summary, x: 1 } }, { x: 1 }), headers: ndjson }]
  assert.equal((await b2b.importProducts([row], {}, { onRow: () => assert.fail('there is no such row') })).rows, 1)
})

test('issue 17, 12: exports that fail, or that the caller ends', async () => {
  const { id: customer_id } = await customer()
  const items = [{ product_id: (await product()).id, qty: 1 }]
  const orders = []
  for (let i = 0; i < 3; i++) orders.push((await b2b.createOrder({ customer_id, items })).data)
  proxies.orders.seen.length = 0
  proxies.orders.plan = ['close', refused(503), 'pass']
  assert.deepEqual(await everything(b2b.exportOrders({ customer_id, status: 'CREATED' })), orders)
  assert.equal(proxies.orders.seen.length, 3)
  for await (const order of b2b.exportOrders({ customer_id })) { assert.deepEqual(order, orders[0]); break }
  for (const [step, code, status] of [
    [{ status: 200, body: lines(orders[0]), headers: { 'Content-Type': 'text/csv' } }, 'unexpected_answer', 200],
    [{ status: 200, body: lines(orders[0], { id: 7 }), headers: ndjson }, 'unexpected_answer', 200],
    [{ status: 200, body: lines(orders[0], orders[1]).slice(0, -9), headers: ndjson }, 'unexpected_answer', 200],
    [{ status: 200, body: lines(orders[0]).repeat(9), headers: ndjson, cut: true }, 'no_answer', 0],
    [{ status: 403, body: { code: 'forbidden' } }, 'forbidden', 403],
  ]) {
    proxies.orders.seen.length = 0
    proxies.orders.plan = [step]
    const e = await failure(everything(b2b.exportOrders({ customer_id })))
    assert.deepEqual([e.code, e.status, proxies.orders.seen.length], [code, status, 1], e)
  }
})

test('conditions', async () => {
  const { id } = await product()
  const etag = (await b2b.getProduct({ id })).response.headers.get('ETag')
  assert.equal((await failure(b2b.getProduct({ id }, { headers: { 'If-None-Match': etag } }))).code, 'not_modified')
  await b2b.updateProduct({ id, stock: 7 }, { headers: { 'If-Match': etag } })
  assert.equal((await failure(b2b.updateProduct({ id, stock: 8 }, { headers: { 'If-Match': etag } }))).code, 'precondition_failed')
  assert.equal(await stockOf(id), 7)
})

test('a function makes the token of each try', async () => {
  const { data } = await b2b.getProduct({ id: 2 })
  proxies.orders.seen.length = 0
  proxies.orders.plan = [refused(503), { status: 200, body: { success: true, data } }]
  let asked = 0
  await new B2B({ ...bases, clock, token: async () => `token-${++asked}\n` }).getProduct({ id: 2 })
  assert.deepEqual(proxies.orders.seen.map((request) => request.headers.authorization), ['Bearer token-1', 'Bearer token-2'])
  const e = await failure(new B2B({ ...bases, clock, token: 'nonsense' }).getProduct({ id: 2 }))
  assert.deepEqual([e.code, e.status], ['unauthorized', 401])
})

test('a token that cannot be had after an answer was lost leaves the key', async () => {
  const { id: customer_id } = await customer()
  const order = { customer_id, items: [{ product_id: (await product()).id, qty: 1 }] }
  const down = new TypeError('the token endpoint is down')
  for (const odd of [() => { throw down }, async () => { throw down }, () => 'two\nlines']) {
    let asked = 0
    proxies.orders.seen.length = 0
    proxies.orders.plan = ['drop', 'pass']
    const partner = new B2B({ ...bases, clock, token: () => (asked++ ? odd() : '') })
    const e = await failure(partner.createOrder(order))
    assert.deepEqual([e.code, e.status, e.retryable], ['no_answer', 0, true])
    assert.deepEqual([asked, proxies.orders.seen.length], [2, 1])
    assert.match(e.message, /^createOrder: no token: (TypeError: the token endpoint|it has characters)/)
    same([...keys(proxies.orders), e.idempotencyKey])
    const { response } = await b2b.createOrder(order, { idempotencyKey: e.idempotencyKey })
    assert.equal(response.headers.get('Idempotency-Replayed'), 'true')
  }
  assert.equal((await ordersOf(customer_id)).length, 3)
  proxies.orders.seen.length = 0
  const partner = new B2B({ ...bases, clock, token: async () => { throw down } })
  const calls = [partner.createOrder(order), partner.getProduct({ id: 2 }), partner.exportOrders().next()]
  for (const call of calls) {
    const e = await failure(call)
    assert.deepEqual([e.code, e.cause], ['no_answer', down])
  }
  assert.equal(proxies.orders.seen.length, 0)
})

test('with a token of b2b token', async () => {
  const mine = (await customer()).id, other = (await customer()).id
  const items = [{ product_id: (await product()).id, qty: 1 }]
  await b2b.createOrder({ customer_id: other, items })
  const arguments_ = ['token', '--sub', 'acme', '--scope', 'orders:read orders:write', '--customer', String(mine)]
  const token = execFileSync(process.env.B2B, arguments_, { cwd: folder, env: {}, encoding: 'utf8' }).trim()
  const partner = new B2B({ ...bases, clock, token })
  proxies.orchestrator.plan = ['drop', 'pass']
  const { data } = await partner.createAndConfirmOrder({ customer_id: mine, items })
  const visible = []
  for await (const { id } of partner.listOrders()) visible.push(id)
  assert.deepEqual(visible, [data.order.id])
  const forbidden = await failure(partner.createOrder({ customer_id: other, items }))
  assert.deepEqual([forbidden.code, forbidden.status, forbidden.retryable], ['forbidden', 403, false])
})

test('require() gives the same, on the real clock', async () => {
  const { B2B: Required, B2BError: RequiredError } = createRequire(import.meta.url)('@b2b/orders-sdk')
  assert.notEqual(Required, B2B)
  proxies.orders.plan = ['drop', 'pass']
  await assert.rejects(new Required(bases).getProduct({ id: 1e9 }), (e) => e instanceof RequiredError && e.code === 'product_not_found')
  assert.equal(proxies.orders.seen.length, 2)
})

test('in a browser', { timeout: 60_000 }, async (t) => {
  const page = `<script type="importmap">
    {"imports": {"@b2b/orders-sdk": "/sdk/@b2b/orders-sdk/dist/esm/index.js"}}
  </script><script type="module">
    import { B2B } from '@b2b/orders-sdk'
    const b2b = new B2B({ customers: location.origin, orders: location.origin, orchestrator: location.origin })
    const result = await b2b.createAndConfirmOrder({ customer_id: 1, items: [{ product_id: 2, qty: 1 }] }).then(({ data }) => data.order, String)
    await fetch('/result', { method: 'POST', body: JSON.stringify(result) })
  </script>`
  let result
  const server = http.createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    if (request.url === '/') return response.writeHead(200, { 'Content-Type': 'text/html' }).end(page)
    if (request.url.startsWith('/sdk/')) return response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(readFileSync('node_modules' + request.url.slice(4)))
    if (request.url === '/result') result(JSON.parse(body))
    if (!request.url.startsWith('/orchestrator/')) return response.writeHead(404).end()
    const forward = http.request(proxies.orchestrator.base + request.url, { method: request.method, headers: { ...request.headers, connection: 'close' } })
    forward.on('error', () => request.socket.destroy())
    forward.on('response', (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)))
    forward.end(body)
  })
  server.listen(0, '127.0.0.1')
  t.after(() => { server.close(); server.closeAllConnections() })
  await once(server, 'listening')
  proxies.orchestrator.plan = ['drop', refused(503), 'pass']
  const profile = mkdtempSync(join(tmpdir(), 'b2b-'))
  const chromium = spawn('chromium', ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`, `http://127.0.0.1:${server.address().port}/`], { stdio: 'ignore' })
  const order = await Promise.race([
    new Promise((resolve) => { result = resolve }),
    new Promise((resolve, reject) => chromium.once('error', reject).once('exit', () => reject(new Error('chromium ended')))),
  ])
  chromium.removeAllListeners('exit').kill()
  await once(chromium, 'exit')
  await rm(profile, { recursive: true, force: true, maxRetries: 20 }) // its last processes still write; rmSync would not try again
  assert.equal(order.status, 'CONFIRMED', order)
  assert.ok(proxies.orchestrator.seen.length >= 3)
  same(proxies.orchestrator.seen.map((request) => JSON.parse(request.body).idempotency_key))
})

test('the example of the README', () => {
  const example = ['customers', 'orders', 'events', 'orchestrator'].reduce(
    (text, service, i) => text.replace(new RegExp(`${service}: ['"]http://localhost:\\d+['"]`), `${service}: '${addresses[i]}'`),
    readFileSync('readme.mjs', 'utf8'),
  )
  writeFileSync('readme-here.mjs', example)
  const lines = execFileSync(process.execPath, ['readme-here.mjs'], { encoding: 'utf8' }).trim().split('\n')
  const [, id] = lines[0].match(/^order (\d+) is CONFIRMED$/)
  assert.ok(lines.some((line) => line === `${id} 389700`), lines)
})

test('followEvents goes on after failures, and says when events are gone', async () => {
  const { meta } = await b2b.listEvents()
  proxies.events.plan = ['close', refused(503, {}), 'cut', 'pass']
  const made = []
  for (let i = 0; i < 3; i++) made.push((await product()).id)
  const seen = []
  for await (const event of b2b.followEvents({ after: meta.last_position, types: 'product.created' })) {
    assert.equal(event.type, 'product.created')
    if (made.includes(event.subject_id)) seen.push(event.subject_id)
    if (seen.length === 3) break
  }
  assert.deepEqual(seen, made)
  const e = await failure(b2b.followEvents({ after: 2 ** 40 }).next())
  assert.equal(e.code, 'events_expired')
})

test('followEvents says the position to store, also after a page without events', async () => {
  const { data, meta } = await b2b.listEvents()
  const body = (data, next_after) => ({ success: true, data, meta: { ...meta, next_after } })
  const page = (data, next_after) => ({ status: 200, body: body(data, next_after) })
  const first = { ...data[0], position: 901 }, nine = { ...first, position: 9 }
  proxies.events.plan = [
    page([], 7), refused(503, {}), page([nine], 20), page([], 20), page([], 900), page([first], 901),
  ]
  const told = []
  const onPosition = async (position) => { await new Promise(setImmediate); told.push(position) }
  for await (const { position } of b2b.followEvents({ after: 5, types: 'order.created' }, { onPosition })) {
    told.push(`event ${position}`)
    if (position === first.position) break // its page is not over
  }
  assert.deepEqual(told, [7, 'event 9', 20, 900, `event ${first.position}`])
  const urls = proxies.events.seen.slice(1).map(({ url }) => new URL(url, 'http://x'))
  const asked = urls.map(({ searchParams }) => searchParams.get('after'))
  assert.deepEqual(asked, ['5', '7', '7', '20', '20', '900'])
  proxies.events.plan = [page([], 7)]
  const full = new Error('the disk is full')
  const call = b2b.followEvents({ after: 5 }, { onPosition: () => { throw full } }).next()
  await assert.rejects(call, (e) => e === full)
})

test('verifyWebhook takes what the services send, and nothing else', async (t) => {
  const arrived = []
  const receiver = http.createServer(async (request, response) => {
    const parts = []
    for await (const part of request) parts.push(part)
    const body = Buffer.concat(parts), headers = request.headers
    arrived.push({ headers, body })
    response.writeHead(204).end()
  }).listen(0, 'localhost')
  t.after(() => receiver.close())
  await once(receiver, 'listening')
  const url = `http://localhost:${receiver.address().port}/`
  for (const signature of ['hmac-sha256', 'ed25519']) {
    const { data } = await b2b.createWebhookEndpoint({ url, signature })
    const key = data.secret ?? data.endpoint.public_key
    arrived.length = 0
    assert.equal((await b2b.testWebhookEndpoint({ id: data.endpoint.id })).data.outcome, 'delivered')
    const { headers, body } = arrived.find(({ body }) => body.includes('webhook_endpoint.test'))
    const message = await verifyWebhook(key, headers, body)
    assert.equal(message.data.subject_id, data.endpoint.id)
    assert.equal((await verifyWebhook(key, new Headers(headers), body.toString())).type, 'webhook_endpoint.test')
    const canonical = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace('webhook', 'Webhook'), value]))
    assert.equal((await verifyWebhook(key, canonical, body)).type, 'webhook_endpoint.test') // as AWS API Gateway shows them
    const stamp = Number(headers['webhook-timestamp'])
    for (const [changed, content] of [
      [{}, Buffer.concat([body, Buffer.from(' ')])], [{ 'webhook-id': 'evt_1' }, body], [{ 'webhook-id': undefined }, body],
      [{ 'webhook-timestamp': `${stamp - 1}` }, body], [{ 'webhook-timestamp': `${stamp - 3600}` }, body],
      [{ 'webhook-timestamp': `${stamp + 3600}` }, body], [{ 'webhook-signature': undefined }, body], [{ 'webhook-signature': 'v1,% v1a,x' }, body],
    ]) {
      await assert.rejects(verifyWebhook(key, { ...headers, ...changed }, content), WebhookError)
    }
    await assert.rejects(verifyWebhook('whsec_%', headers, body), TypeError)
    await b2b.deleteWebhookEndpoint({ id: data.endpoint.id })
  }
})
