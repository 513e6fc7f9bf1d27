// What fields find while one types: customers, products, and, in the box on top, whatever an order is known by.
import { api, nameOf } from './client.js'
import { at, go } from './router.js'
import { money, number, statusName, t } from './words.js'

/** @typedef {import('./combo.js').Option} Option */
/** @typedef {import('./client.js').Customer} Customer */
/** @typedef {import('./client.js').Product} Product */

const same = (a, b) => a !== null && a.toLowerCase() === b.toLowerCase()

/** @param {Customer} customer @param {string} text @returns {Option} */
const customerOption = (customer, text) => ({
  value: String(customer.id), text: customer.name, hint: customer.email, thing: customer,
  exact: same(customer.email, text) || same(customer.name, text) || same(customer.external_ref, text),
})

/** @param {Product} product @param {string} text @returns {Option} */
const productOption = (product, text) => ({
  value: product.sku, text: product.sku, thing: product, exact: same(product.sku, text),
  hint: `${product.name} · ${money(product.price_cents)} · ${t('{n} in stock', { n: number(product.stock) })}`,
})

/** Finds customers by a part of the name or the email. @param {string} text @param {AbortSignal} signal */
export async function findCustomers(text, signal) {
  const { data } = await api.listCustomers({ search: text, limit: 8 }, { signal })
  return data.map(customer => customerOption(customer, text))
}

/** Finds products by a part of the sku or the name, an exact sku first. @param {string} text @param {AbortSignal} signal */
export async function findProducts(text, signal) {
  const [exact, parts] = await Promise.all([
    api.listProducts({ sku: text.slice(0, 100) }, { signal }), api.listProducts({ search: text, limit: 8 }, { signal }),
  ])
  const others = parts.data.filter(product => product.id !== exact.data[0]?.id)
  return [...exact.data, ...others].map(product => productOption(product, text))
}

/**
 * Waits for one part of what is shown. What the token may not see is nothing, and hides no other part.
 * @template T
 * @param {Promise<T>} part
 * @param {T} nothing
 * @returns {Promise<T>}
 */
export const allowed = (part, nothing) => part.catch(error => {
  if (error.status === 403) return nothing
  throw error
})

/** Finds anything: an order by its id or reference, customers and products by a part. @param {string} text @param {AbortSignal} signal @returns {Promise<Option[]>} */
export async function findAll(text, signal) {
  const id = Number(/^#?(\d{1,15})$/.exec(text)?.[1] ?? 0)
  const orders = filter => allowed(api.listOrders(filter, { signal }).then(({ data }) => data), [])
  const [byId, byReference, customers, products] = await Promise.all([
    id ? orders({ ids: String(id) }) : [], text.length <= 100 ? orders({ external_ref: text, limit: 3 }) : [],
    allowed(findCustomers(text, signal), []), allowed(findProducts(text, signal), []),
  ])
  const found = [...byId, ...byReference.filter(order => order.id !== byId[0]?.id)]
  return [
    ...found.map(order => ({
      value: at(`orders/${order.id}`), group: t('Orders'), exact: found.length === 1,
      text: t('Order {id}', { id: order.id }), hint: [nameOf(order.customer_id), statusName(order.status), money(order.total_cents), order.external_ref].filter(Boolean).join(' · '),
    })),
    ...customers.slice(0, 5).map(option => ({ ...option, value: at(`customers/${option.value}`), group: t('Customers') })),
    ...products.slice(0, 5).map(option => ({ ...option, value: at(`products/${option.thing.id}`), group: t('Products') })),
  ]
}

/** Opens what was found. @param {Option} option */
export const open = option => go(option.value)
