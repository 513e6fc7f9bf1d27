// A product: its price and name, its stock and who changed it; and the form of a new product.
import { html, useState } from '../vendor/htm-preact.js'
import { api, may, useLoad } from '../client.js'
import { useProductEdit } from '../edit.js'
import { byKey } from '../focus.js'
import { Conflict, Field, Form, Outcome, useDraft, useSend } from '../form.js'
import { History } from '../history.js'
import { PriceInPlace } from '../price.js'
import { at, go } from '../router.js'
import { Bar, Problem } from '../table.js'
import { cents, exactly, number, person, t, when } from '../words.js'

/** @typedef {import('../client.js').Product} Product */

/** @param {{ id: number }} props */
export function ProductScreen({ id }) {
  const product = useLoad(`product ${id}`, async signal => (await api.getProduct({ id }, { signal })).data)
  const data = product.data
  return html`<${Bar} loading=${product.loading} />
    ${product.error && html`<${Problem} error=${product.error} again=${product.reload} />`}
    ${data && html`<header class="top"><h1><bdi>${data.name}</bdi>${!data.active && html` <span class="status canceled">${t('not for sale')}</span>`}</h1>
        <div class="tools unprinted">${may('products:write') && html`<a class="button first" ...${byKey('r')} href=${at('receive', { sku: data.sku })}>${t('Receive')}</a>`}
          <button type="button" ...${byKey('p')} onClick=${() => window.print()}>${t('Print')}</button></div></header>
      <dl class="facts">
        <div><dt>${t('SKU')}</dt><dd><bdi>${data.sku}</bdi></dd></div>
        <div><dt>${t('In stock')}</dt><dd class="big">${number(data.stock)}</dd></div>
        <div><dt>${t('Price')}</dt><dd><${PriceInPlace} product=${data} onChange=${product.set} /></dd></div>
      </dl>
      ${may('products:write') && html`<${Details} product=${data} onChange=${product.set} />`}
      <div class="columns even">
        <section aria-labelledby="stock"><h2 id="stock">${t('Changes of the stock')}</h2><${Adjustments} product=${data} /></section>
        <section aria-labelledby="history"><h2 id="history">${t('What has happened')}</h2><${History} subject="product" id=${id} changed=${data.updated_at} /></section>
      </div>`}`
}

/** Renames the product, or takes it from sale. @param {{ product: Product, onChange: (product: Product) => void }} props */
function Details({ product, onChange }) {
  const edit = useProductEdit(product, onChange), name = edit.text('name')
  return html`<details class="unprinted"><summary>${t('Change the name, or stop selling it')}</summary>
    <${Form} label=${t('Name')} class="inline-form" onSend=${() => edit.save({ name: name.trim() })}>
      <${Field} label=${t('Name')} value=${name} maxlength="255"
        onInput=${text => edit.type({ name: text })} />
      <button class="first">${t('Save')}</button>
      <button type="button" onClick=${() => edit.save({ active: !product.active })}>${product.active ? t('Stop selling it') : t('Sell it again')}</button>
    <//>
    <${Outcome} sending=${edit.sending} />${edit.theirs && html`<${Conflict} ...${edit} />`}
  </details>`
}

/** The changes of the stock; what orders took and returned between two of them is a row, so that the stock can be followed. @param {{ product: Product }} props */
function Adjustments({ product: { id, stock, updated_at: changed } }) {
  const list = useLoad(`adjustments ${id} ${changed}`, async signal => (await api.listStockAdjustments({ id, limit: 50 }, { signal })).data)
  if (list.error) return html`<${Problem} error=${list.error} again=${list.reload} />`
  const reasons = /** @type {Record<string, string>} */ ({ created: t('created'), 'level set': t('level set') })
  return html`<table class="list small"><caption class="unseen">${t('Changes of the stock')}</caption>
    <thead><tr><th scope="col">${t('When')}</th><th scope="col" class="number">${t('Pieces')}</th><th scope="col" class="number">${t('Stock after')}</th><th scope="col" class="wide">${t('Why')}</th><th scope="col">${t('Who')}</th></tr></thead>
    <tbody>${list.data?.map((change, i, all) => html`<${Orders} key=${'orders' + change.id} after=${all[i - 1]} stock=${stock} before=${change.level} /><tr key=${change.id}>
      <td data-title=${t('When')}><time datetime=${change.created_at} title=${exactly(change.created_at)}>${when(change.created_at)}</time></td>
      <td class="number" data-title=${t('Pieces')}>${(change.delta > 0 ? '+' : '') + number(change.delta)}</td><td class="number" data-title=${t('Stock after')}>${number(change.level)}</td>
      <td class="wide" data-title=${t('Why')}><bdi>${reasons[change.reason] ?? change.reason}</bdi></td><td data-title=${t('Who')}><bdi>${change.actor ? person(change.actor) : '–'}</bdi></td></tr>`)}</tbody></table>
    <p class="quiet">${t('A row of orders sums up what they took and returned; the orders are not listed here.')}</p>`
}

/**
 * The row of what orders took and returned between two changes, or since the last one.
 * @param {{ before: number, after?: { level: number, delta: number }, stock: number }} props before: the stock before the orders; after: the change after them
 */
function Orders({ before, after, stock }) {
  const now = after ? after.level - after.delta : stock
  return now !== before && html`<tr><td></td><td class="number" data-title=${t('Pieces')}>${(now > before ? '+' : '') + number(now - before)}</td><td class="number" data-title=${t('Stock after')}>${number(now)}</td>
    <td class="wide" data-title=${t('Why')}>${t('orders since the row below')}</td><td></td></tr>`
}

export function NewProduct() {
  const draft = useDraft('product', { sku: '', name: '', price: '', stock: '0' })
  const { sku, name, price, stock } = draft.values
  const amount = cents(price)
  const sending = useSend(key => api.createProduct({ sku: sku.trim(), name: name.trim(), price_cents: amount ?? NaN, stock: Number(stock) }, { idempotencyKey: key }), draft,
    ({ data }) => { draft.forget(); go(at(`products/${data.id}`)) })
  const [checked, setChecked] = useState(false)
  const save = () => { setChecked(true); if (amount !== null && sku.trim() && name.trim() && /^\d+$/.test(stock)) sending.send() }
  return html`<h1>${t('New product')}</h1>
    <${Form} label=${t('New product')} class="narrow" onSend=${save}>
      <${Field} label=${t('SKU')} value=${sku} maxlength="100" autofocus aria-invalid=${checked && !sku.trim()} onInput=${value => draft.change({ sku: value })} />
      <${Field} label=${t('Name')} value=${name} maxlength="255" aria-invalid=${checked && !name.trim()} onInput=${value => draft.change({ name: value })} />
      <${Field} label=${t('Price')} value=${price} inputmode="decimal" aria-invalid=${(checked || price) && amount === null} hint=${price && amount === null ? t('This is no amount.') : ''} onInput=${value => draft.change({ price: value })} />
      <${Field} label=${t('In stock')} value=${stock} inputmode="numeric" aria-invalid=${!/^\d+$/.test(stock)} onInput=${value => draft.change({ stock: value })} />
      <${Outcome} sending=${sending} draft=${draft} />
      <p class="buttons"><button class="first">${t('Save')}</button></p>
    <//>`
}
