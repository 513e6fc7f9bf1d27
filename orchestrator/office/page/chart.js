// A small chart of days: a bar each, and the same as a table for screen readers and the curious.
import { html } from './vendor/htm-preact.js'
import { count, dayName, money, number, shortDay, t } from './words.js'

/** @param {{ orders: number, units: number, value: number }} day */
const says = ({ orders, units, value }) => `${count(orders, '1 order', '{n} orders')}, ${count(units, '1 piece', '{n} pieces')}, ${money(value)}`

/** @param {{ days: { date: string, value: number, units: number, orders: number }[], name: string }} props */
export function Chart({ days, name }) {
  const width = 100 / Math.max(1, days.length), highest = Math.max(1, ...days.map(day => day.value))
  const total = days.reduce((sum, day) => ({ value: sum.value + day.value, units: sum.units + day.units, orders: sum.orders + day.orders }), { value: 0, units: 0, orders: 0 })
  return html`<figure class="chart">
    <figcaption>${t('{value} in all, {units} pieces, {orders} orders', { value: money(total.value), units: number(total.units), orders: number(total.orders) })}
      <span class="quiet"> · ${t('highest day {value}', { value: money(total.value ? highest : 0) })}</span></figcaption>
    <svg viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label=${name}>
      ${days.map((day, i) => html`<rect x=${i * width + width * 0.1} width=${width * 0.8} y=${24 - Math.max(day.value ? 0.6 : 0.15, day.value / highest * 24)} height=${Math.max(day.value ? 0.6 : 0.15, day.value / highest * 24)}>
        <title>${dayName(day.date)}: ${says(day)}</title></rect>`)}
    </svg>
    <div class="axis" aria-hidden="true"><span>${days[0] && shortDay(days[0].date)}</span><span>${days.length && shortDay(days[days.length - 1]?.date ?? '')}</span></div>
    <details><summary>${t('As a table')}</summary><table class="list small"><caption class="unseen">${name}</caption>
      <thead><tr><th scope="col">${t('Day')}</th><th scope="col" class="number">${t('Orders')}</th><th scope="col" class="number">${t('Pieces')}</th><th scope="col" class="number">${t('Value')}</th></tr></thead>
      <tbody>${days.map(day => html`<tr><th scope="row">${dayName(day.date)}</th><td class="number" data-title=${t('Orders')}>${number(day.orders)}</td><td class="number" data-title=${t('Pieces')}>${number(day.units)}</td><td class="number" data-title=${t('Value')}>${money(day.value)}</td></tr>`)}</tbody></table></details>
  </figure>`
}
