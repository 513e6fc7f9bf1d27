// Errors in the words of the pages.
import { B2BError } from './generated/sdk/index.js'
import { t } from './words.js'

/**
 * Reports whether it is not known if a change was made: no answer came, or none that says so.
 * @param {any} error
 */
export const isUnknown = error => error instanceof B2BError &&
  (error.status === 0 || error.status >= 500 || (error.code === 'unexpected_answer' && error.status < 400))

/** The names of fields, as the pages say them. @type {Record<string, string>} */
const fields = {
  customer_id: 'Customer', product_id: 'Product', sku: 'SKU', qty: 'Quantity', name: 'Name', email: 'Email', phone: 'Phone',
  external_ref: 'Reference', price_cents: 'Price', price: 'Price', stock: 'Stock', delta: 'Pieces', reason: 'Reason', active: 'For sale', items: 'Lines',
}
/** The rules of the documents, in words. @type {Record<string, string>} */
const rules = {
  required: 'is missing', minimum: 'must be at least {limit}', maximum: 'must be at most {limit}', max_length: 'is longer than {limit} characters',
  min_length: 'is too short', type: 'is not valid', format: 'is not valid', unique: 'is taken already', whole_number: 'must be a whole number',
  amount: 'must be an amount such as 1299.90', yes_or_no: 'must be yes or no', repeated: 'is in row {row} already',
}

/**
 * Says an error in the words of the page: a sentence, and more of them for its details.
 * @param {any} error
 * @returns {string[]}
 */
export function explain(error) {
  if (!(error instanceof B2BError)) return [String(error?.message ?? error)]
  const about = sentences[error.code]
  const main = about ? t(about) : error.status === 0 ? t('No answer came.') : plain(error)
  return [main, ...error.details.map(explainDetail)]
}

/**
 * Says a detail of an error.
 * @param {import('./generated/sdk/index.js').ApiErrorDetail} detail
 * @returns {string}
 */
export function explainDetail(detail) {
  const params = /** @type {any} */ (detail.params ?? {})
  const name = fields[detail.field.split('/').at(-1) ?? '']
  if (params.available !== undefined) {
    return t('{sku}: {requested} asked for, {available} in stock', { ...params, sku: params.sku ?? params.product_id })
  }
  const type = { integer: name === 'Price' ? 'amount' : 'whole_number', boolean: 'yes_or_no' }[params.type] // a price is typed as an amount
  const rule = rules[type ?? params.rule]
  if (name && rule) return `${t(name)} ${t(rule, params)}`
  return name ? `${t(name)}: ${detail.message}` : detail.message
}

/** @type {Record<string, string>} */
const sentences = {
  validation_failed: 'Something in it is not valid.',
  insufficient_stock: 'There is not enough stock.',
  total_changed: 'Prices have changed since you looked. Look at the new total, and save again.',
  order_not_confirmable: 'The order was canceled meanwhile, so it cannot be confirmed.',
  cancel_window_closed: 'The time in which the order could be canceled is over.',
  customer_not_found: 'There is no such customer.',
  product_not_found: 'There is no such product.',
  product_inactive: 'The product is not for sale.',
  order_not_found: 'There is no such order.',
  not_found: 'There is nothing here.',
  email_taken: 'Another customer has this email.',
  sku_taken: 'Another product has this SKU.',
  external_ref_taken: 'Another order of this customer has this reference.',
  precondition_failed: 'Somebody has changed it meanwhile.',
  idempotency_key_reused: 'This form was sent before with other contents, and done.',
  unauthorized: 'You need to sign in.',
  forbidden: 'You may not do this.',
  rate_limited: 'Too many requests at once. Wait a moment, and try again.',
  payload_too_large: 'It is too large.',
  upstream_unavailable: 'A part of the system does not answer at the moment.',
  customers_unavailable: 'A part of the system does not answer at the moment.',
  unavailable: 'The system cannot do this now. Try again.',
  timeout: 'The system did not answer in time.',
  request_timeout: 'It took too long to send. Try again.',
  internal: 'Something went wrong in the system.',
}

/** Returns the service's own sentence, without the SDK's additions. @param {B2BError} error */
const plain = error => error.message.replace(/^\w+: /, '').split(` (${error.code})`)[0] ?? ''
