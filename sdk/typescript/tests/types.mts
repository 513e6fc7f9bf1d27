// Is compiled, not run.
import { B2B, B2BError, verifyWebhook, type FeedEvent, type Order, type OrderItemRequest } from '@b2b/orders-sdk'

const b2b = new B2B({ customers: '', orders: '', orchestrator: '', token: async () => 'token' })
export const onlyOrders = new B2B({ orders: '' })
const items: OrderItemRequest[] = [{ product_id: 2, qty: 1 }]

export async function right(): Promise<Order> {
  for await (const order of b2b.listOrders({ status: 'CONFIRMED', limit: 10 })) order.total_cents.toFixed()
  await b2b.listProducts()
  await b2b.listProducts({ updated_since: new Date(), search: 'x' })
  for await (const order of b2b.exportOrders({ from: new Date(), to: '2024-01-01' })) order.items[0]?.qty.toFixed()
  const rows = [{ sku: 'A', stock: 1, mine: true }]
  const summary = await b2b.importProducts(rows, { dry_run: true }, { onRow: (row, line) => row.mine && line.details?.[0]?.field })
  await b2b.importProducts(rows, {}, { onRow: async (row, line) => { row.mine && line.code } })
  await b2b.importCustomers((async function* () { yield { email: 'a@example.com' } })())
  summary.refused.toFixed()
  const page = await b2b.listCustomers({ search: 'ACME' })
  page.data[0]?.email.trim()
  const next: number | null = page.meta.nextCursor
  const call = await b2b.createAndConfirmOrder({ customer_id: next ?? 1, items }, { correlationId: 'req-1' })
  await b2b.getOrchestration({ idempotency_key: call.idempotencyKey! })
  await b2b.updateProduct({ id: 2, stock: 8 }, { headers: { 'If-Match': '*' } })
  await b2b.deleteCustomer({ id: call.data.customer.id }).catch((e) => e instanceof B2BError && e.details[0]?.field)
  return (await b2b.cancelOrder({ id: 5, reason: 'a typo' }, { idempotencyKey: 'mine', deadline: 5000 })).data
}

export async function events() {
  const read = (event: FeedEvent): string => {
    switch (event.subject) {
      case 'order': return event.representation.items[0]!.qty.toFixed()
      case 'product': return event.representation.price_cents.toFixed()
      case 'customer': return event.representation.deleted_at ?? event.representation.email
      case 'webhook_endpoint': return event.representation.url
      default: {
        const subject: string = event.subject, shown: { [field: string]: unknown } = event.representation
        return `${subject} ${event.position.toFixed()} ${shown['id']}`
      }
    }
  }
  for await (const event of b2b.followEvents({ after: 0 })) read(event)
  const onPosition = async (position: number) => { position.toFixed() }
  for await (const event of b2b.followEvents({ after: 0, types: 'x' }, { onPosition })) read(event)
  const { data, meta } = await b2b.listEvents({ after: 0 })
  read(data[0]!) + meta.next_after.toFixed()
  const message = await verifyWebhook('', {}, '')
  read(message.data) + message.type.trim()
  // @ts-expect-error it may be of another subject
  message.data.representation.total_cents.toFixed()
  // @ts-expect-error an order has no such field
  if (message.data.subject === 'order') message.data.representation.price_cents.toFixed()
}

export function wrong() {
  // @ts-expect-error a field is missing
  b2b.createOrder({ items })
  // @ts-expect-error there is no such field
  b2b.createOrder({ customer_id: 1, items, price: 1 })
  // @ts-expect-error there is no such status
  b2b.listOrders({ status: 'confirmed' })
  // @ts-expect-error a search is no time
  b2b.listOrders({ external_ref: new Date() })
  // @ts-expect-error a row has a sku
  b2b.importProducts([{ name: 'A' }])
  // @ts-expect-error it is of JSON
  b2b.exportOrders({ format: 'csv' })
  // @ts-expect-error the id is missing
  b2b.getOrder()
  // @ts-expect-error takes no key
  b2b.updateCustomer({ id: 1, phone: null }, { idempotencyKey: 'mine' })
  // @ts-expect-error the key is an option of its own
  b2b.confirmOrder({ id: 1 }, { headers: { 'X-Idempotency-Key': 'mine' } })
}
