// Orders: the newest first, by chips, customer and period; many at once confirmed or canceled, exported and printed.
import { html, useEffect, useRef, useState } from '../vendor/htm-preact.js'
import { api, customersOf, until, useLoad, useSeconds } from '../client.js'
import { Combo } from '../combo.js'
import { Bulk } from '../bulk.js'
import { Download } from '../file.js'
import { allowed, findCustomers } from '../find.js'
import { byKey, watch } from '../focus.js'
import { Button } from '../form.js'
import { at, filter, useRoute } from '../router.js'
import { Chip, Listing, Problem, Table } from '../table.js'
import { count, dayName, lastMoment, left, midnight, money, statusName, t, today, when } from '../words.js'

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
        <label class="inline" onKeyDown=${onward}>${t('From')} <input type="date" value=${query.from ?? ''} max=${query.to} onChange=${e => filter({ from: e.target.value })} /></label>
        <label class="inline" onKeyDown=${onward}>${t('To')} <input type="date" value=${query.to ?? ''} min=${query.from} onChange=${e => filter({ to: e.target.value })} /></label>
      </div>
    </div>
    <div class="tools actions">
      <a class="button first" href=${at('orders/new')}>${t('New order')}</a>
      <${Download} service="orders" path="/orders/export" query=${asked} days=${query} letter="e" name=${t('Export')} />
      <${Download} service="orders" path="/orders/export" query=${{ ...asked, lines: true }} days=${query} name=${t('Export lines')} />
      <${Print} key=${question} list=${list} asked=${asked} first=${!cursor} onPrint=${setPrinted} />
      ${query.status === 'CREATED' && html`<${Filtered} key=${question} asked=${asked} onBulk=${setBulk} />`}
    </div>
    ${chosen.length > 0 && html`<div class="tools selection" role="status">
      <span>${count(chosen.length, '1 order selected', '{n} orders selected')}</span>
      <button type="button" ...${byKey('c')} onClick=${() => setBulk({ action: 'confirm', orders: chosen })}>${t('Confirm them')}</button>
      <button type="button" ...${byKey('x')} onClick=${() => setBulk({ action: 'cancel', orders: chosen })}>${t('Cancel them')}</button>
      <button type="button" class="plain" onClick=${() => setSelected(new Set())}>${t('Select none')}</button>
    </div>`}
    <${Listing} all list=${{ ...list, data }} filters=${says} nothing=${t('There are no orders yet.')}>
      <${Table} caption=${name} columns=${columns} rows=${rows} href=${order => at(`orders/${order.id}`)} selected=${selected} onSelect=${setSelected} />
      <p class="quiet">${count(rows.length, '1 order', '{n} orders')}${printed?.more && ` · ${t('no more are printed')}`}</p>
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

const most = 1000

/**
 * Reads all orders of a filter for a button, up to a bound. The reading ends when the button goes away; with
 * another filter it is another button, by its key.
 * @param {ReturnType<typeof filters>} asked
 */
function useAll(asked) {
  const [{ busy, error }, setState] = useState({ busy: false, error: /** @type {any} */ (null) })
  const stop = useRef(new AbortController())
  useEffect(() => () => stop.current.abort(), [])
  /** @param {(orders: OrderSummary[], more: boolean, signal: AbortSignal) => unknown} use more: the filter has more orders */
  const read = async use => {
    const { signal } = stop.current, orders = []
    let more = false
    setState({ busy: true, error: null })
    try {
      for await (const order of api.listOrders({ ...asked, sort: '-created_at', limit: 100 }, { signal })) {
        more = orders.length === most
        if (more) break
        orders.push(order)
      }
      if (!signal.aborted) await use(orders, more, signal)
      setState({ busy: false, error: null })
    } catch (failure) {
      setState({ busy: false, error: failure })
    }
  }
  return { busy, read, problem: error && html`<${Problem} error=${error} />` }
}

/**
 * Prints all orders of the filter: first they are on the page. With first, the list is the first page.
 * @param {{ list: any, asked: ReturnType<typeof filters>, first: boolean, onPrint: (it: any) => void }} props
 */
function Print({ list, asked, first, onPrint }) {
  const { busy, read, problem } = useAll(asked)
  const timer = useRef(/** @type {any} */ (0))
  useEffect(() => () => { clearTimeout(timer.current); onPrint(null) }, [])
  const print = rows => {
    onPrint(rows)
    timer.current = setTimeout(() => { window.print(); onPrint(null) }, 100) // once they are drawn
  }
  const readAll = async (orders, more, signal) => {
    const data = await withCustomers(orders, signal)
    if (!signal.aborted) print({ data, more, all: true, meta: { nextCursor: null } })
  }
  const begin = () => (first && !list.data.meta.nextCursor ? print(list.data) : read(readAll))
  const waits = busy || list.loading || !list.data
  return html`<${Button} off=${waits} ...${byKey('p')} onClick=${begin}>${t('Print')}<//>${problem}`
}

/**
 * Confirms or cancels all orders of a filter that leaves only open ones. When they are read late, and the clerk has gone on to
 * something else, no dialog opens under what is typed: the button says that it is ready.
 * @param {{ asked: ReturnType<typeof filters>, onBulk: (bulk: any) => void }} props
 */
function Filtered({ asked, onBulk }) {
  const { busy, read, problem } = useAll(asked)
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
