// What has happened to an order, a product or a customer: who did what, when.
import { html } from './vendor/htm-preact.js'
import { api, useLoad } from './client.js'
import { Bar, Problem } from './table.js'
import { exactly, money, number, person, t, when } from './words.js'

/** @typedef {import('./client.js').ChangeEvent} ChangeEvent */

const reads = { order: api.listOrderHistory, product: api.listProductHistory, customer: api.listCustomerHistory }

/** @param {{ subject: 'order' | 'product' | 'customer', id: number, changed: string }} props changed: when the thing changed last, so that the list is read anew */
export function History({ subject, id, changed }) {
  const list = useLoad(`history ${subject} ${id} ${changed}`, async signal => (await reads[subject].call(api, { id, limit: 50 }, { signal })).data)
  if (list.error) return list.error.status === 403 ? html`<p class="quiet">${t('Your token does not show the history.')}</p>` : html`<${Problem} error=${list.error} again=${list.reload} />`
  return html`<${Bar} loading=${list.loading && !list.data} /><ol class="history">${list.data?.map((event, i, all) => html`<li key=${event.id}>
    <time datetime=${event.created_at} title=${exactly(event.created_at)}>${when(event.created_at)}</time>
    <span><bdi>${sentence(event, all[i + 1])}</bdi></span></li>`)}</ol>`
}

/** Says an event in a sentence. @param {ChangeEvent} event @param {ChangeEvent} [before] the event before it */
function sentence(event, before) {
  const now = /** @type {any} */ (event.representation), was = /** @type {any} */ (before?.representation)
  const who = person(event.actor)
  switch (event.type) {
    case 'order.created': return t('{who} placed it', { who })
    case 'order.confirmed': return t('{who} confirmed it', { who })
    case 'order.canceled':
      if (now.cancel_reason === 'reservation_expired') return t('{who} canceled it: nobody confirmed it in time', { who })
      return now.cancel_note ? t('{who} canceled it: {note}', { who, note: now.cancel_note }) : t('{who} canceled it', { who })
    case 'stock.adjusted': return t('{who} changed the stock to {n}', { who, n: number(now.stock) })
    case 'product.created': case 'customer.created': return t('{who} created it', { who })
    case 'customer.deleted': return t('{who} deleted it', { who })
    default: return was ? `${t('{who} changed it', { who })}: ${differences(was, now)}` : t('{who} changed it', { who })
  }
}

const names = { name: 'Name', email: 'Email', phone: 'Phone', external_ref: 'Reference', price_cents: 'Price', active: 'For sale' }

/** @param {any} was @param {any} now */
function differences(was, now) {
  const say = (field, value) =>
    value === null || value === undefined ? '–' : field === 'price_cents' ? money(value) : typeof value === 'boolean' ? (value ? t('yes') : t('no')) : value
  return Object.entries(names).filter(([field]) => field in now && was[field] !== now[field])
    .map(([field, name]) => `${t(name)} ${say(field, was[field])} → ${say(field, now[field])}`).join(', ')
}
