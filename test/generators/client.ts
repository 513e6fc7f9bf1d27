// Uses the types that openapi-typescript and hey-api make of the documents, as a partner would. It is compiled, not run.
import * as heyCustomers from './hey-api/customers'
import * as heyEvents from './hey-api/events'
import * as heyOrchestrator from './hey-api/orchestrator'
import * as heyOrders from './hey-api/orders'
import type { components as Customers } from './openapi-typescript/customers'
import type { components as Events } from './openapi-typescript/events'
import type { components as Joined, paths as JoinedPaths } from './openapi-typescript/joined'
import type { components as Orchestrator } from './openapi-typescript/orchestrator'
import type { components as Orders, paths as OrdersPaths } from './openapi-typescript/orders'

type Schemas = Orders['schemas']

// What a request may leave out may be left out.
const newOrder = { customer_id: 1, items: [{ product_id: 2, qty: 1 }] } satisfies Schemas['OrderRequest'] & heyOrders.OrderRequest
const cancellations = [{}, { reason: 'a test' }] satisfies (Schemas['Cancellation'] & heyOrders.Cancellation)[]

// A value that no document names is text; a field of another type is an error here.
const status: Schemas['Order']['status'] & heyOrders.Order['status'] = 'UNKNOWN'
const code: Schemas['ErrorBody']['code'] & heyOrders.ErrorBody['code'] = 'unknown_code'
const current: Orchestrator['schemas']['OrchestrationReport']['current_status'] = 'UNKNOWN'
export const reason = (order: Schemas['Order']): string | null => order.cancel_reason
export const phone = (customer: Customers['schemas']['Customer'] | heyCustomers.Customer): string | null => customer.phone

// The subject of an event tells the type of its representation, which is the same thing as in the document of its service.
type Typed = Events['schemas']['OrderEvent'] | Events['schemas']['CustomerEvent'] | heyEvents.OrderEvent | heyEvents.CustomerEvent
export const shown = (event: Typed): Schemas['Order'] | Customers['schemas']['Customer'] =>
  event.subject === 'order' ? event.representation satisfies heyOrders.Order : event.representation satisfies heyCustomers.Customer

// The joined document has the same things under the same names.
export const same = (order: Schemas['Order'], customer: Customers['schemas']['Customer']): [Joined['schemas']['Order'], Joined['schemas']['Customer']] => [order, customer]
export type All = JoinedPaths['/customers']['post'] | JoinedPaths['/orders']['post'] | JoinedPaths['/orchestrator/create-and-confirm-order']['post']

// Times, cursors and refusals have their types.
export type Limited = OrdersPaths['/orders']['post']['responses'][429]['content']['application/json']['details']
async function page(cursor: number): Promise<heyOrders.OrderListResponse> {
  const { data, error } = await heyOrders.listOrders({ query: { cursor } })
  if (error) throw new Error(`${error.code}: ${error.details?.[0].field}`)
  return data
}
export async function orders(): Promise<heyOrders.OrderSummary[]> {
  const all: heyOrders.OrderSummary[] = []
  for (let cursor: number | null = 0; cursor !== null;) {
    const { data, meta } = await page(cursor)
    all.push(...data)
    cursor = meta.nextCursor
  }
  return all
}

export async function place(): Promise<string> {
  const placed = await heyOrders.createOrder({ body: newOrder, headers: { 'X-Idempotency-Key': 'key' }, throwOnError: true })
  await heyOrders.cancelOrder({ path: { id: placed.data.data.id }, body: cancellations[0] })
  const { data } = await heyOrchestrator.getOrchestration({ path: { idempotency_key: 'key' } })
  return data?.data.current_status ?? status + code + current + placed.data.data.created_at
}
