// Today: what waits for a clerk, and how the last weeks went.
import { html } from '../vendor/htm-preact.js'
import { api, useLoad, useMinutes } from '../client.js'
import { Chart } from '../chart.js'
import { at } from '../router.js'
import { Bar, Problem, Table } from '../table.js'
import { t, today, when } from '../words.js'
import { last } from './import.js'
import { columns, withCustomers } from './orders.js'
import { Stock } from './products.js'

const low = 10, shown = 8
const weeks = 4

export function Today() {
  const waiting = useLoad('today waiting', async signal => {
    const { data } = await api.listOrders({ status: 'CREATED', sort: 'created_at', limit: shown }, { signal })
    return { data: await withCustomers(data, signal), at: new Date().toISOString() }
  })
  const products = useLoad('today low', async signal => {
    const below = async n => (await api.listProducts({ stock_below: n, active: true, limit: 100 }, { signal })).data
    let data = await below(low)
    if (data.length === 100) { // there may be more, of which some have nothing left
      const none = await below(1)
      data = none.length < shown ? data : none
    }
    return { data: data.sort((a, b) => a.stock - b.stock).slice(0, shown), at: new Date().toISOString() }
  })
  useMinutes(() => { waiting.reload(); products.reload() })
  const read = [waiting.data?.at ?? '', products.data?.at ?? ''].sort()[0] // the older of both
  const imported = last()
  return html`<h1>${t('Today')}${read && html` <small>${t('as of {time}', { time: when(read) })}</small>`}</h1>
    <div class="columns even">
      <section aria-labelledby="waiting"><h2 id="waiting">${t('Orders to confirm')}</h2><${Bar} loading=${waiting.loading && !waiting.data} />
        ${waiting.error && html`<${Problem} error=${waiting.error} again=${waiting.reload} />`}
        ${waiting.data && (waiting.data.data.length
          ? html`<${Table} caption=${t('Orders to confirm')} rows=${waiting.data.data} href=${order => at(`orders/${order.id}`)}
              columns=${columns.filter(({ title }) => ![t('Reference'), t('Created')].includes(title))} />
            <p class="quiet">${t('The oldest come first: their pieces return to stock first.')} <a href=${at('orders', { status: 'CREATED' })}>${t('All orders to confirm')}</a></p>`
          : html`<p class="good">${t('No order waits.')}</p>`)}
      </section>
      <section aria-labelledby="low"><h2 id="low">${t('Low on stock')}</h2><${Bar} loading=${products.loading && !products.data} />
        ${products.error && html`<${Problem} error=${products.error} again=${products.reload} />`}
        ${products.data && (products.data.data.length
          ? html`<${Table} caption=${t('Low on stock')} rows=${products.data.data} href=${product => at(`products/${product.id}`)} columns=${[
              { title: t('SKU'), cell: product => product.sku }, { title: t('Name'), kind: 'wide', cell: product => product.name },
              { title: t('In stock'), kind: 'number', cell: product => html`<${Stock} n=${product.stock} low=${low} />` },
            ]} /><p><a href=${at('products', { low, active: 'true' })}>${t('All with less than {n}', { n: low })}</a></p>`
          : html`<p class="good">${t('Every product has {n} pieces or more.', { n: low })}</p>`)}
      </section>
    </div>
    <${Weeks} />
    ${imported && html`<section aria-labelledby="imported"><h2 id="imported">${t('Last import here')}</h2>
      <p class=${imported.refused ? 'bad' : ''}><bdi>${imported.name}</bdi>, ${when(imported.at)}: ${imported.says}</p></section>`}`
}

/** The last weeks as a chart. */
function Weeks() {
  const from = today(1 - 7 * weeks)
  const summary = useLoad(`today summary ${from}`, async signal => {
    const tz = Intl.DateTimeFormat().resolvedOptions().timeZone
    const { data } = await api.summarizeOrders({ from, to: today(), tz }, { signal })
    return data.days.map(({ day, confirmed }) => ({ date: day, orders: confirmed.orders, units: confirmed.units, value: confirmed.total_cents }))
  })
  useMinutes(summary.reload)
  return html`<section aria-labelledby="weeks"><h2 id="weeks">${t('Confirmed in the last {n} weeks', { n: weeks })}</h2><${Bar} loading=${summary.loading && !summary.data} />
    ${summary.error && html`<${Problem} error=${summary.error} again=${summary.reload} />`}
    ${summary.data && html`<${Chart} name=${t('Value of the confirmed orders, by day')} days=${summary.data} />`}
  </section>`
}
