// Orders: the newest first, by chips, customer and period; many at once confirmed or canceled, exported and printed.
import { html, useEffect, useState } from '../vendor/htm-preact.js'
import { api, customersOf, patient, until, useLoad, useSeconds } from '../client.js'
import { Combo } from '../combo.js'
import { Bulk } from '../bulk.js'
import { called, Download } from '../file.js'
import { allowed, findCustomers } from '../find.js'
import { byKey, watch } from '../focus.js'
import { Button } from '../form.js'
import { Print, useAll } from '../print.js'
import { at, filter, useRoute } from '../router.js'
import { pieces, spreadsheet } from '../sheet.js'
import { Chip, Listing, Table } from '../table.js'
import { count, dayName, lastMoment, left, midnight, money, number, person, statusName, statusOf, t, today, when } from '../words.js'

/** @typedef {import('../client.js').OrderSummary} OrderSummary */

/** The statuses of the chips, and the parts of the query that each sets. */
const chips = [
  { parts: { status: 'CREATED' }, name: 'To confirm' },
  { parts: { status: 'CONFIRMED' }, name: 'Confirmed' },
  { parts: { status: 'CANCELED' }, name: 'Canceled' },
  { parts: { status: 'CANCELED', reason: 'reservation_expired' }, name: 'Canceled by expiry' },
]

/** @param {Date} moment @param {string} date what the moment was made of */
const sent = (moment, date) => (isNaN(+moment) ? date : moment.toISOString())

/**
 * Translates the query of the page into that of the service. What is malformed is sent as it is: the service
 * says so.
 * @param {Record<string, string>} query
 */
export function filters({ status, reason, customer, from, to }) {
  return {
    ...(status && { status: /** @type {'CREATED' | 'CONFIRMED' | 'CANCELED'} */ (status) }),
    ...(reason && { cancel_reason: /** @type {any} */ (reason) }),
    ...(customer && { customer_id: /** @type {any} */ (customer) }),
    ...(from && { from: sent(midnight(from), from) }), ...(to && { to: sent(lastMoment(to), to) }),
  }
}

/**
 * Loads the customers of orders; a customer that the token may not see is null.
 * @template {{ customer_id: number }} O
 * @param {O[]} orders
 * @param {AbortSignal} [signal]
 */
export async function withCustomers(orders, signal) {
  const customers = await allowed(customersOf(orders.map(order => order.customer_id), signal), new Map())
  return orders.map(order => ({ ...order, customer: customers.get(order.customer_id) ?? null }))
}

/** Says where an order stands. @param {{ order: OrderSummary }} props */
export function Status({ order }) {
  const ends = order.reservation_expires_at
  useSeconds(ends !== null)
  return html`<span class=${'status ' + order.status.toLowerCase()}>${statusOf(order)}</span>
    ${ends && html` <small class=${'unprinted' + (until(ends) < 3600_000 ? ' soon' : '')}>${until(ends) > 0 ? t('{time} left', { time: left(until(ends)) }) : t('about to expire')}</small>`}`
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

/** The columns of a list of canceled orders: they say when, by whom and why. @type {import('../table.js').Column<any>[]} */
const canceledColumns = [
  ...columns.slice(0, 3),
  {
    title: t('Status'), kind: 'state',
    cell: order => html`<${Status} order=${order} /> <small>${[order.canceled_at && when(order.canceled_at), order.canceled_by && person(order.canceled_by)].filter(Boolean).join(' · ')}</small>`,
  },
  ...columns.slice(4, 5), { title: t('Reason'), kind: 'text', cell: order => order.cancel_note }, ...columns.slice(5),
]
/** What paper shows, too. @type {import('../table.js').Column<any>} */
const piecesColumn = { title: t('Pieces'), kind: 'number', cell: order => number(order.pieces) }

export function Orders() {
  const { query } = useRoute()
  const asked = filters(query), cursor = /** @type {any} */ (query.cursor || undefined)
  const question = 'orders ' + JSON.stringify([asked, cursor])
  const list = useLoad(question, async signal => {
    const { data, meta } = await api.listOrders({ ...asked, sort: '-created_at', limit: 50, cursor }, { signal })
    return { data: await withCustomers(data, signal), meta }
  })
  const [selected, setSelected] = useState(/** @type {Set<number>} */ (new Set()))
  const [bulk, setBulk] = useState(/** @type {{ action: 'confirm' | 'cancel', orders: OrderSummary[], more?: boolean } | null} */ (null))
  const customer = useLoad('customer ' + (query.customer ?? ''), async signal =>
    query.customer ? (await customersOf([Number(query.customer)], signal)).get(Number(query.customer)) ?? null : null)
  const [printed, setPrinted] = useState(/** @type {any} */ (null)) // all orders, while they are printed
  const data = printed ?? list.data
  useEffect(() => { setSelected(new Set()); setBulk(null) }, [question])
  const rows = data?.data ?? []
  const chosen = rows.filter(order => selected.has(order.id))
  const status = chips.find(chip => chip.parts.status === query.status && chip.parts.reason === query.reason)
  const period = query.from || query.to
    ? query.from === query.to ? dayName(query.from ?? '') : t('{from} to {to}', { from: query.from ? dayName(query.from) : '…', to: query.to ? dayName(query.to) : '…' }) : ''
  const says = {
    'status reason': status && t(status.name), customer: query.customer && (customer.data?.name ?? t('Customer {id}', { id: query.customer })), 'from to': period,
  }
  const name = [t('Orders'), ...Object.values(says).filter(Boolean)].join(' · ')
  const shown = [...(query.status === 'CANCELED' ? canceledColumns : columns)]
  if (printed) shown.splice(-1, 0, piecesColumn)
  const all = signal => api.listOrders({ ...asked, sort: '-created_at', limit: 100 }, { signal })
  const file = kind => called([kind, says['status reason'], says.customer], query)
  const onward = event => { // Enter spares the Tabs through the parts of a date
    if (event.key !== 'Enter') return
    event.preventDefault()
    const next = event.target.closest('label').nextElementSibling?.querySelector('input') ?? document.querySelector('.actions button')
    next.focus()
  }
  return html`<h1 class="unprinted">${t('Orders')}</h1><h1 class="printed">${name}</h1>
    <div class="tools">
      <div class="chips" role="group" aria-label=${t('Status')}>${chips.map(chip => html`<${Chip} parts=${chip.parts} clears=${{ status: null, reason: null }}>${t(chip.name)}<//>`)}</div>
    </div>
    <div class="tools">
      <${CustomerFilter} name=${query.customer ? says.customer : ''} />
      <div class="chips" role="group" aria-label=${t('Period')}>
        <${Chip} parts=${{ from: today(), to: today() }}>${t('Today')}<//><${Chip} parts=${{ from: today(-1), to: today(-1) }}>${t('Yesterday')}<//>
        <label class="inline" onKeyDown=${onward}>${t('Created from')} <input type="date" value=${query.from ?? ''} max=${query.to} onChange=${e => filter({ from: e.target.value })} /></label>
        <label class="inline" onKeyDown=${onward}>${t('Created to')} <input type="date" value=${query.to ?? ''} min=${query.from} onChange=${e => filter({ to: e.target.value })} /></label>
      </div>
    </div>
    <div class="tools actions">
      <a class="button first" href=${at('orders/new')}>${t('New order')}</a>
      <${Download} read=${signal => spreadsheet(asked, false, signal)} file=${file(t('Orders'))} letter="e" name=${t('Export orders')} />
      <${Download} read=${signal => spreadsheet(asked, true, signal)} file=${file(t('Order lines'))} name=${t('Export order lines')} />
      <${Print} key=${question} list=${list} all=${all} complete=${withPieces} onPrint=${setPrinted} />
      ${query.status === 'CREATED' && html`<${Filtered} key=${question} all=${all} onBulk=${setBulk} />`}
    </div>
    ${chosen.length > 0 && html`<div class="tools selection" role="status">
      <span>${count(chosen.length, '1 order selected', '{n} orders selected')}</span>
      <button type="button" ...${byKey('c')} onClick=${() => setBulk({ action: 'confirm', orders: chosen })}>${t('Confirm them')}</button>
      <button type="button" ...${byKey('x')} onClick=${() => setBulk({ action: 'cancel', orders: chosen })}>${t('Cancel them')}</button>
      <button type="button" class="plain" onClick=${() => setSelected(new Set())}>${t('Select none')}</button>
    </div>`}
    <${Listing} all list=${{ ...list, data }} filters=${says} nothing=${t('There are no orders yet.')} counted=${n => count(n, '1 order', '{n} orders')}>
      <${Table} caption=${name} columns=${shown} rows=${rows} href=${order => at(`orders/${order.id}`)} selected=${selected} onSelect=${setSelected} />
      ${printed && html`<${Sums} orders=${rows} />`}
    <//>
    ${bulk && html`<${Bulk} ...${bulk} onStale=${list.reload} onClose=${() => { setBulk(null); setSelected(new Set()); list.reload() }} />`}`
}

/** The field that shows the orders of one customer. @param {{ name: string }} props */
function CustomerFilter({ name }) {
  const [text, setText] = useState(name)
  useEffect(() => setText(name), [name])
  const change = value => { setText(value); if (!value) filter({ customer: null }) }
  return html`<${Combo} label=${t('Customer')} unlabeled text=${text} onText=${change} find=${findCustomers} type="search" placeholder=${t('Customer: a part of the name or email')}
    onPick=${option => { setText(option.text); filter({ customer: option.value }) }} />`
}

/**
 * Adds to orders their customers and how many pieces they have, which the list of the service does not say.
 * @param {OrderSummary[]} orders
 * @param {AbortSignal} signal
 */
async function withPieces(orders, signal) {
  const found = new Map()
  for (let i = 0; i < orders.length; i += 100) {
    const ids = orders.slice(i, i + 100).map(order => order.id).join()
    for await (const order of patient.exportOrders({ ids }, { signal })) found.set(order.id, pieces(order))
  }
  return (await withCustomers(orders, signal)).map(order => ({ ...order, pieces: found.get(order.id) ?? NaN }))
}

/** The sums of orders on paper, for each status. @param {{ orders: any[] }} props */
function Sums({ orders }) {
  return ['CREATED', 'CONFIRMED', 'CANCELED'].map(status => {
    const those = orders.filter(order => order.status === status)
    const sum = field => those.reduce((all, order) => all + order[field], 0)
    return those.length > 0 && html`<p class="sums">${statusName(status)}: ${count(those.length, '1 order', '{n} orders')} · ${count(sum('pieces'), '1 piece', '{n} pieces')} · <strong>${money(sum('total_cents'))}</strong></p>`
  })
}

/**
 * Confirms or cancels all orders of a filter that leaves only open ones. When they are read late, and the clerk has gone on to
 * something else, no dialog opens under what is typed: the button says that it is ready.
 * @param {{ all: (signal: AbortSignal) => AsyncIterable<OrderSummary>, onBulk: (bulk: any) => void }} props
 */
function Filtered({ all, onBulk }) {
  const { busy, read, problem } = useAll(all)
  const [ready, setReady] = useState(/** @type {any} */ (null))
  const begin = action => {
    setReady(null)
    if (ready?.action === action) return onBulk(ready)
    const stays = watch()
    read((orders, more) => (stays() ? onBulk : setReady)({ action, orders, more }))
  }
  const button = (action, text) => html`<${Button} off=${busy} onClick=${() => begin(action)}>
    ${ready?.action === action ? t('{button} is ready', { button: text }) : text}<//>`
  return html`${button('confirm', t('Confirm all …'))}${button('cancel', t('Cancel all …'))}${problem}`
}
