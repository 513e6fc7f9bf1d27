// Products: found by a part, low on stock, or not for sale; prices are changed in place.
import { html, useState } from '../vendor/htm-preact.js'
import { api, may, useLoad } from '../client.js'
import { called, Download, exported } from '../file.js'
import { PriceInPlace } from '../price.js'
import { Print } from '../print.js'
import { at, filter, useRoute } from '../router.js'
import { Chip, Listing, Table } from '../table.js'
import { count, number, t } from '../words.js'
import { SearchField } from './customers.js'

/** @typedef {import('../client.js').Product} Product */

/** @param {Record<string, string>} query */
function filters({ search, low, active }) {
  return {
    // What is malformed is sent as it is: the service says so.
    ...(search && { search }), ...(low && { stock_below: /** @type {any} */ (low) }),
    ...(active && { active: active === 'true' }),
  }
}

/** A stock; a low one stands out, and 0 more. @param {{ n: number, low: number }} props */
export const Stock = ({ n, low }) => html`<span class=${n === 0 ? 'status bad' : n < low ? 'soon' : ''}>${number(n)}</span>`

export function Products() {
  const { query } = useRoute()
  const asked = filters(query), cursor = /** @type {any} */ (query.cursor || undefined)
  const question = 'products ' + JSON.stringify([asked, cursor])
  const list = useLoad(question, async signal => {
    const { data, meta } = await api.listProducts({ ...asked, limit: 50, cursor }, { signal })
    return { data, meta }
  })
  const [printed, setPrinted] = useState(/** @type {any} */ (null)) // all products, while they are printed
  const data = printed ?? list.data
  const says = {
    search: query.search && `“${query.search}”`, low: query.low && t('less than {n} in stock', { n: query.low }),
    active: query.active && (query.active === 'true' ? t('For sale') : t('Not for sale')),
  }
  const changed = product => {
    if (list.data) list.set({ ...list.data, data: list.data.data.map(row => (row.id === product.id ? product : row)) })
  }
  const columns = [
    { title: t('SKU'), kind: 'text', cell: product => product.sku },
    { title: t('Name'), kind: 'wide', cell: product => html`${product.name}${!product.active && html` <span class="status canceled">${t('not for sale')}</span>`}` },
    { title: t('In stock'), kind: 'number', cell: product => html`<${Stock} n=${product.stock} low=${Number(query.low || 10)} />` },
    {
      title: t('Price'), kind: /** @type {const} */ ('number'),
      cell: product => html`<${PriceInPlace} product=${product} onChange=${changed} />`,
    },
  ]
  const name = [t('Products'), ...Object.values(says).filter(Boolean)].join(' · ')
  return html`<h1 class="unprinted">${t('Products')}</h1><h1 class="printed">${name}</h1>
    <div class="tools">
      <${SearchField} value=${query.search ?? ''} placeholder=${t('a part of the SKU or name')} />
      <div class="chips" role="group" aria-label=${t('Stock')}>
        <${Chip} parts=${{ low: query.low || '10' }}>${t('Low on stock')}<//>
        <label class="inline">${t('less than')} <input type="number" min="1" class="short" value=${query.low ?? ''} placeholder="10" onChange=${e => filter({ low: e.target.value })} /></label>
        <${Chip} parts=${{ active: 'false' }}>${t('Not for sale')}<//>
      </div>
    </div>
    <div class="tools actions">
      ${may('products:write') && html`<a class="button first" href=${at('receive')}>${t('Receive')}</a><a class="button" href=${at('products/new')}>${t('New product')}</a>`}
      <${Download} read=${signal => exported('orders', '/products/export', asked, signal)} file=${called([t('Products'), ...Object.values(says)])} letter="e" name=${t('Export')} />
      <${Print} key=${question} list=${list} all=${signal => api.listProducts({ ...asked, limit: 100 }, { signal })} onPrint=${setPrinted} />
    </div>
    <${Listing} all list=${{ ...list, data }} filters=${says} nothing=${t('There are no products yet. A catalogue can be imported.')} counted=${n => count(n, '1 product', '{n} products')}>
      <${Table} caption=${name} columns=${columns} rows=${data?.data ?? []} href=${product => at(`products/${product.id}`)} />
    <//>`
}
