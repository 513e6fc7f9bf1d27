// An order: its lines, what has happened to it, and what may be done with it now. Printed, it is a picking list.
import { html, useEffect, useRef, useState } from '../vendor/htm-preact.js'
import { api, may, until, useLoad, useSeconds } from '../client.js'
import { byKey } from '../focus.js'
import { Dialog, Form, Outcome, Reason, useDraft, useSend } from '../form.js'
import { History } from '../history.js'
import { at } from '../router.js'
import { Bar, Problem } from '../table.js'
import { exactly, left, money, number, person, t, when } from '../words.js'
import { Status, withCustomers } from './orders.js'

/** @typedef {import('../client.js').Order} Order */

/** @param {{ id: number }} props */
export function OrderScreen({ id }) {
  const order = useLoad(`order ${id}`, async signal => {
    const { data } = await api.getOrder({ id }, { signal })
    return (await withCustomers([data], signal))[0] ?? null
  })
  const [asking, setAsking] = useState(false)
  const data = order.data
  const changed = now => { setAsking(false); order.set({ ...now, customer: data?.customer ?? null }) }
  return html`<${Bar} loading=${order.loading} />
    ${order.error && html`<${Problem} error=${order.error} again=${order.reload} />`}
    ${data && html`<article class="order">
      <header class="top">
        <h1>${t('Order {id}', { id })} <${Status} order=${data} /></h1>
        <${Actions} order=${data} onChange=${changed} onStale=${order.reload} onCancel=${() => setAsking(true)} />
      </header>
      <dl class="facts">
        <div><dt>${t('Customer')}</dt><dd><a href=${at(`customers/${data.customer_id}`)}><bdi>${data.customer?.name ?? t('Customer {id}', { id: data.customer_id })}</bdi></a></dd></div>
        ${data.customer?.phone && html`<div class="printed"><dt>${t('Phone')}</dt><dd><bdi>${data.customer.phone}</bdi></dd></div>`}
        ${data.external_ref && html`<div><dt>${t('Reference')}</dt><dd><bdi>${data.external_ref}</bdi></dd></div>`}
        <div><dt>${t('Created')}</dt><dd><time datetime=${data.created_at} title=${exactly(data.created_at)}>${when(data.created_at)}</time></dd></div>
        ${data.canceled_by && html`<div><dt>${t('Canceled by')}</dt><dd><bdi>${person(data.canceled_by)}</bdi></dd></div>`}
        ${data.cancel_note && html`<div><dt>${t('Reason')}</dt><dd><bdi>${data.cancel_note}</bdi></dd></div>`}
        ${Object.entries(data.metadata ?? {}).map(([name, value]) => html`<div><dt><bdi>${name}</bdi></dt><dd><bdi>${value}</bdi></dd></div>`)}
      </dl>
      <${Lines} order=${data} />
      <section class="unprinted" aria-labelledby="history"><h2 id="history">${t('What has happened')}</h2>
        <${History} subject="order" id=${id} changed=${data.updated_at} /></section>
    </article>`}
    ${asking && data && html`<${Cancel} order=${data} onChange=${changed} onStale=${order.reload} onClose=${() => { setAsking(false); order.reload() }} />`}`
}

/** @param {{ order: Order }} props */
function Lines({ order }) {
  const pieces = order.items.reduce((sum, { qty }) => sum + qty, 0)
  return html`<table class="lines list">
    <caption class="unseen">${t('Lines')}</caption>
    <thead><tr><td class="tick printed"></td><th scope="col">${t('SKU')}</th><th scope="col">${t('Name')}</th><th scope="col" class="number">${t('Quantity')}</th>
      <th scope="col" class="number unprinted">${t('Price')}</th><th scope="col" class="number unprinted">${t('Amount')}</th></tr></thead>
    <tbody>${order.items.map(item => html`<tr key=${item.product_id}>
      <td class="tick printed">☐</td><th scope="row"><a href=${at(`products/${item.product_id}`)}><bdi>${item.sku}</bdi></a></th><td class="wide"><bdi>${item.name}</bdi></td>
      <td class="number" data-title=${t('Quantity')}>${number(item.qty)}</td><td class="number unprinted" data-title=${t('Price')}>${money(item.unit_price_cents)}</td><td class="number unprinted" data-title=${t('Amount')}>${money(item.subtotal_cents)}</td></tr>`)}</tbody>
    <tfoot><tr><td class="tick printed"></td><th scope="row" colspan="2">${t('Total')}</th><td class="number">${number(pieces)}</td><td class="unprinted"></td><td class="number unprinted"><strong>${money(order.total_cents)}</strong></td></tr></tfoot>
  </table>
  <p class="printed signature">${t('Picked by')} ____________________ ${t('Date')} ____________________</p>`
}

/** The buttons of what is allowed, and how long it is. @param {{ order: Order, onChange: (order: Order) => void, onStale: () => void, onCancel: () => void }} props */
function Actions({ order, onChange, onStale, onCancel }) {
  const draft = useDraft(`confirm ${order.id}`, {})
  const confirming = useSend(key => api.confirmOrder({ id: order.id }, { idempotencyKey: key }), draft, ({ data }) => { draft.forget(); onChange(data) })
  const ends = order.cancelable_until
  useSeconds(ends !== null)
  const over = ends !== null && until(ends) <= 0
  useEffect(() => { if (over) onStale() }, [over])
  useEffect(() => { if (confirming.phase === 'refused') onStale() }, [confirming.phase])
  const allowed = may('orders:write') ? order.allowed_actions : []
  return html`<div class="tools unprinted">
    ${allowed.includes('confirm') && html`<button type="button" class="first" ...${byKey('c')} onClick=${confirming.send}>${t('Confirm')}</button>`}
    ${allowed.includes('cancel') && !over && html`<button type="button" ...${byKey('x')} onClick=${onCancel}>${t('Cancel the order …')}</button>`}
    <button type="button" ...${byKey('p')} onClick=${() => window.print()}>${t('Print')}</button>
    ${ends && !over && html`<small class="note">${t('can be canceled for {time} more', { time: left(until(ends)) })}</small>`}
    <${Outcome} sending=${confirming} />
  </div>`
}

/** Asks why. @param {{ order: Order, onChange: (order: Order) => void, onStale: () => void, onClose: () => void }} props */
function Cancel({ order, onChange, onStale, onClose }) {
  const draft = useDraft(`cancel ${order.id}`, { reason: '' })
  const { reason } = draft.values
  const closed = useRef(false)
  const sending = useSend(
    key => api.cancelOrder({ id: order.id, ...(reason.trim() && { reason: reason.trim() }) }, { idempotencyKey: key })
      .finally(() => { if (closed.current) onStale() }), draft, // the screen was drawn before the answer
    ({ data }) => { draft.forget(); onChange(data) },
  )
  const close = () => { // what was neither sent nor refused is forgotten
    closed.current = true
    if (!draft.sent && sending.phase === 'ready') draft.forget()
    onClose()
  }
  return html`<${Dialog} title=${t('Cancel order {id}', { id: order.id })} onClose=${close}>
    <${Form} label=${t('Cancel order {id}', { id: order.id })} onSend=${sending.send}>
      <p>${t('Its stock returns. A canceled order stays canceled.')}</p>
      <${Reason} value=${reason} onInput=${value => draft.change({ reason: value })} />
      <${Outcome} sending=${sending} draft=${draft} />
      <p class="buttons"><button class="first danger">${t('Cancel the order')}</button><button type="button" onClick=${close}>${draft.sent ? t('Close') : t('Keep the order')}</button></p>
    <//>
  <//>`
}
