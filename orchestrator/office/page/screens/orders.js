// Orders: the newest first, by chips, customer and period; many at once confirmed or canceled, exported and printed.
import { html, useEffect, useState } from '../vendor/htm-preact.js'
import { api, customersOf, until, useLoad, useSeconds } from '../client.js'
import { Combo } from '../combo.js'
import { Bulk } from '../bulk.js'
import { Download } from '../file.js'
import { findCustomers } from '../find.js'
import { at, filter, useRoute } from '../router.js'
import { Chip, Listing, Table } from '../table.js'
import { count, dayName, lastMoment, left, midnight, money, statusName, t, today, when } from '../words.js'

/** @typedef {import('../client.js').OrderSummary} OrderSummary */

/** The statuses of the chips, and the parts of the query that each sets. */
const chips = [
  { parts: { status: 'CREATED' }, name: 'To confirm' },
  { parts: { status: 'CONFIRMED' }, name: 'Confirmed' },
  { parts: { status: 'CANCELED' }, name: 'Canceled' },
  { parts: { status: 'CANCELED', reason: 'reservation_expired' }, name: 'Canceled by expiry' },
]

/** Translates the query of the page into that of the service. @param {Record<string, string>} query */
export function filters({ status, reason, customer, from, to }) {
  return {
    ...(status && { status: /** @type {'CREATED' | 'CONFIRMED' | 'CANCELED'} */ (status) }),
    ...(reason && { cancel_reason: /** @type {any} */ (reason) }),
    ...(customer && { customer_id: Number(customer) }),
    ...(from && { from: midnight(from).toISOString() }), ...(to && { to: lastMoment(to).toISOString() }),
  }
}

/** Loads orders together with their customers. @param {OrderSummary[]} orders @param {AbortSignal} [signal] */
export async function withCustomers(orders, signal) {
  const customers = await customersOf(orders.map(order => order.customer_id), signal)
  return orders.map(order => ({ ...order, customer: customers.get(order.customer_id) ?? null }))
}

/** Says where an order stands. @param {{ order: OrderSummary }} props */
export function Status({ order }) {
  const expired = order.cancel_reason === 'reservation_expired'
  const ends = order.reservation_expires_at
  useSeconds(ends !== null)
  return html`<span class=${'status ' + order.status.toLowerCase()}>${expired ? t('Canceled by expiry') : statusName(order.status)}</span>
    ${ends && html` <small class=${until(ends) < 3600_000 ? 'soon' : ''}>${until(ends) > 0 ? t('{time} left', { time: left(until(ends)) }) : t('about to expire')}</small>`}`
}

/** @type {import('../table.js').Column<any>[]} */
export const columns = [
  { title: t('Order'), cell: order => '#' + order.id },
  { title: t('Customer'), kind: 'wide', cell: order => order.customer?.name ?? t('Customer {id}', { id: order.customer_id }) },
  { title: t('Reference'), kind: 'text', cell: order => order.external_ref },
  { title: t('Status'), kind: 'state', cell: order => html`<${Status} order=${order} />` },
  { title: t('Created'), kind: 'quiet', cell: order => html`<time datetime=${order.created_at}>${when(order.created_at)}</time>` },
  { title: t('Total'), kind: 'number', cell: order => money(order.total_cents) },
]

export function Orders() {
  const { query } = useRoute()
  const asked = filters(query), cursor = query.cursor ? Number(query.cursor) : undefined
  const list = useLoad('orders ' + JSON.stringify([asked, cursor]), async signal => {
    const { data, meta } = await api.listOrders({ ...asked, sort: '-created_at', limit: 50, cursor }, { signal })
    return { data: await withCustomers(data, signal), meta }
  })
  const [selected, setSelected] = useState(/** @type {Set<number>} */ (new Set()))
  const [bulk, setBulk] = useState(/** @type {{ action: 'confirm' | 'cancel', orders: OrderSummary[] } | null} */ (null))
  const customer = useLoad('customer ' + (query.customer ?? ''), async signal =>
    query.customer ? (await customersOf([Number(query.customer)], signal)).get(Number(query.customer)) ?? null : null)
  useEffect(() => setSelected(new Set()), [JSON.stringify(asked), cursor])
  const rows = list.data?.data ?? []
  const chosen = rows.filter(order => selected.has(order.id))
  const status = chips.find(chip => chip.parts.status === query.status && chip.parts.reason === query.reason)
  const period = query.from || query.to
    ? query.from === query.to ? dayName(query.from ?? '') : t('{from} to {to}', { from: query.from ? dayName(query.from) : '…', to: query.to ? dayName(query.to) : '…' }) : ''
  const says = {
    'status reason': status && t(status.name), customer: query.customer && (customer.data?.name ?? t('Customer {id}', { id: query.customer })), 'from to': period,
  }
  const name = [t('Orders'), ...Object.values(says).filter(Boolean)].join(' · ')
  return html`<h1 class="unprinted">${t('Orders')}</h1><h1 class="printed">${name}</h1>
    <div class="tools">
      <div class="chips" role="group" aria-label=${t('Status')}>${chips.map(chip => html`<${Chip} parts=${chip.parts} clears=${{ status: null, reason: null }}>${t(chip.name)}<//>`)}</div>
    </div>
    <div class="tools">
      <${CustomerFilter} name=${query.customer ? says.customer : ''} />
      <div class="chips" role="group" aria-label=${t('Period')}>
        <${Chip} parts=${{ from: today(), to: today() }}>${t('Today')}<//><${Chip} parts=${{ from: today(-1), to: today(-1) }}>${t('Yesterday')}<//>
        <label class="inline">${t('From')} <input type="date" value=${query.from ?? ''} max=${query.to} onChange=${e => filter({ from: e.target.value })} /></label>
        <label class="inline">${t('To')} <input type="date" value=${query.to ?? ''} min=${query.from} onChange=${e => filter({ to: e.target.value })} /></label>
      </div>
    </div>
    <div class="tools actions">
      <a class="button first" href=${at('orders/new')}>${t('New order')}</a>
      <${Download} service="orders" path="/orders/export" query=${asked} name=${t('Export')} />
      <${Download} service="orders" path="/orders/export" query=${{ ...asked, lines: true }} name=${t('Export lines')} />
      <${Print} list=${list} asked=${asked} />
      <${Filtered} asked=${asked} status=${query.status} onBulk=${setBulk} />
    </div>
    ${chosen.length > 0 && html`<div class="tools selection" role="status">
      <span>${count(chosen.length, '1 order selected', '{n} orders selected')}</span>
      <button type="button" onClick=${() => setBulk({ action: 'confirm', orders: chosen })}>${t('Confirm them')}</button>
      <button type="button" onClick=${() => setBulk({ action: 'cancel', orders: chosen })}>${t('Cancel them')}</button>
      <button type="button" class="plain" onClick=${() => setSelected(new Set())}>${t('Select none')}</button>
    </div>`}
    <${Listing} list=${list} filters=${says} nothing=${t('There are no orders yet.')}>
      <${Table} caption=${name} columns=${columns} rows=${rows} href=${order => at(`orders/${order.id}`)} selected=${selected} onSelect=${setSelected} />
      <p class="quiet">${count(rows.length, '1 order', '{n} orders')}${rows.length === most && list.data?.meta.nextCursor === null && ` · ${t('no more are printed')}`}</p>
    <//>
    ${bulk && html`<${Bulk} ...${bulk} onClose=${() => { setBulk(null); setSelected(new Set()); list.reload() }} />`}`
}

/** The field that shows the orders of one customer. @param {{ name: string }} props */
function CustomerFilter({ name }) {
  const [text, setText] = useState(name)
  useEffect(() => setText(name), [name])
  const change = value => { setText(value); if (!value) filter({ customer: null }) }
  return html`<${Combo} label=${t('Customer')} unlabeled text=${text} onText=${change} find=${findCustomers} type="search" placeholder=${t('Customer: a part of the name or email')}
    onPick=${option => { setText(option.text); filter({ customer: option.value }) }} />`
}

const most = 1000

/** Reads all orders of a filter, up to a bound. @param {ReturnType<typeof filters>} asked */
async function allOf(asked) {
  const orders = []
  for await (const order of api.listOrders({ ...asked, sort: '-created_at', limit: 100 })) {
    orders.push(order)
    if (orders.length === most) break
  }
  return orders
}

/** Prints all orders of the filter: first they are on the page. @param {{ list: any, asked: ReturnType<typeof filters> }} props */
function Print({ list, asked }) {
  const [busy, setBusy] = useState(false)
  const print = async () => {
    setBusy(true)
    try {
      const before = list.data
      if (before?.meta.nextCursor) list.set({ data: await withCustomers(await allOf(asked)), meta: { nextCursor: null } })
      setTimeout(() => { window.print(); list.set(before) }, 100) // once they are drawn
    } finally {
      setBusy(false)
    }
  }
  return html`<button type="button" disabled=${busy || !list.data} onClick=${print}>${t('Print')}</button>`
}

/** Confirms or cancels all orders of a filter that leaves only open ones. @param {{ asked: ReturnType<typeof filters>, status?: string, onBulk: (bulk: any) => void }} props */
function Filtered({ asked, status, onBulk }) {
  const [busy, setBusy] = useState(false)
  if (status !== 'CREATED') return null
  const begin = async action => {
    setBusy(true)
    try { onBulk({ action, orders: await allOf(asked) }) } finally { setBusy(false) }
  }
  return html`<button type="button" disabled=${busy} onClick=${() => begin('confirm')}>${t('Confirm all …')}</button>
    <button type="button" disabled=${busy} onClick=${() => begin('cancel')}>${t('Cancel all …')}</button>`
}
