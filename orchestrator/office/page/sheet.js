// Orders as spreadsheets for accounting: names, amounts and times as a person reads them.
import { customersOf, delimiter, patient } from './client.js'
import { csv, csvLines } from './file.js'
import { allowed } from './find.js'
import { currency, person, plainMoney, stamp, statusOf, t } from './words.js'

/** @typedef {import('./client.js').Order} Order */

/** Returns a text that no spreadsheet takes for a formula. @param {string | null} [text] */
const plain = text => (/^[=+\-@＝＋－＠\t\r\n]/.test(text ?? '') ? `'${text}` : text ?? '')
/** @param {string | null} moment */
const time = moment => (moment ? stamp(moment) : '')
/** @param {Order} order */
export const pieces = order => order.items.reduce((sum, { qty }) => sum + qty, 0)

const orderTitles = [
  t('Order'), t('Reference'), t('Customer'), t('Customer number'), t('Status'), t('Created'), t('Confirmed'), t('Canceled'),
  t('Canceled by'), t('Reason'), t('Pieces'), t('Total'), t('Currency'),
]
const orderRows = (order, customer) => [[
  String(order.id), plain(order.external_ref), plain(customer), String(order.customer_id), statusOf(order), time(order.created_at),
  time(order.confirmed_at), time(order.canceled_at), plain(order.canceled_by && person(order.canceled_by)), plain(order.cancel_note),
  String(pieces(order)), plainMoney(order.total_cents), currency,
]]
const lineTitles = [
  t('Order'), t('Reference'), t('Customer'), t('Status'), t('Created'), t('SKU'), t('Name'), t('Pieces'), t('Unit price'),
  t('Amount'), t('Currency'),
]
const lineRows = (order, customer) => order.items.map(item => [
  String(order.id), plain(order.external_ref), plain(customer), statusOf(order), time(order.created_at), plain(item.sku), plain(item.name),
  String(item.qty), plainMoney(item.unit_price_cents), plainMoney(item.subtotal_cents), currency,
])

const together = 200 // orders; between their parts the page draws

/**
 * Reads the orders of a filter as parts of a spreadsheet, with a row for each order, or for each line.
 * @param {Parameters<typeof patient.exportOrders>[0]} asked
 * @param {boolean} lines
 * @param {AbortSignal} signal
 */
export async function* spreadsheet(asked, lines, signal) {
  const mark = delimiter === 'comma' ? ',' : ';', rowsOf = lines ? lineRows : orderRows
  /** @param {Order[]} orders */
  const part = async orders => {
    const customers = await allowed(customersOf(orders.map(order => order.customer_id), signal), new Map())
    await new Promise(drawn => setTimeout(drawn))
    signal.throwIfAborted()
    return csvLines(orders.flatMap(order => rowsOf(order, customers.get(order.customer_id)?.name ?? t('Customer {id}', { id: order.customer_id }))), mark)
  }
  yield csv([lines ? lineTitles : orderTitles], mark)
  let orders = []
  for await (const order of patient.exportOrders(asked, { signal })) {
    if (orders.push(order) < together) continue
    yield await part(orders)
    orders = []
  }
  yield await part(orders)
}
