// Words, amounts and times for people, in the browser's language.
import { spanish } from './spanish.js'

export const locale = navigator.language || 'en'
export const language = /^es\b/i.test(locale) ? 'es' : 'en'

/**
 * Returns an English text in the language of the page. A name in braces is replaced by its parameter.
 * @param {string} text
 * @param {Record<string, unknown>} [params]
 * @returns {string}
 */
export function t(text, params = {}) {
  const words = language === 'es' ? spanish[text] ?? text : text
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole))
}

/** Says a number of things: one for 1, many for any other, each with {n}. @param {number} n @param {string} one @param {string} many */
export const count = (n, one, many) => t(n === 1 ? one : many, { n: number(n) })

const numbers = new Intl.NumberFormat(locale)
/** @param {number} n */
export const number = n => numbers.format(n)

export const currency = document.body.dataset.currency || 'USD'
const digits = 2 // a cent is a hundredth, whatever the currency
const amounts = new Intl.NumberFormat(locale, { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits })
const parts = new Intl.NumberFormat(locale).formatToParts(1234567.5)
export const decimalMark = parts.find(part => part.type === 'decimal')?.value ?? '.'
const groupMark = parts.find(part => part.type === 'group')?.value ?? ','

/** Returns cents as an amount with its currency. @param {number} cents */
export const money = cents => amounts.format(cents / 10 ** digits)

/** Returns cents as the text of a field: without currency and groups. @param {number} cents */
export const plainMoney = cents => (cents / 10 ** digits).toFixed(digits).replace('.', decimalMark)

/** The codes of ISO 4217; three other letters, as in 5 MIO or 2 TSD, may multiply. */
const codes = new Set(Intl.supportedValuesOf('currency'))
const signs = /^(\p{Sc}|(US|AR|AU|CA|CL|CO|HK|MX|NT|NZ|RD|SG|TT|[ABCJRS])\$|[BS]\/\.?|R)?$/u
const names = /^(din|euro|fr|ft|kč|kr|lei|rm|rp|rs|sfr|tl|zł|грн|лв|руб)\.?$/i
/** Reports whether a text is how spreadsheets write a currency, or none, as the services' import does. @param {string} text */
const isCurrency = text => signs.test(text) || names.test(text) || codes.has(text)

/**
 * Returns the cents of an amount that a person has typed, such as 1299.90, 1.299,90 or $1,299.90; null when the text
 * is no amount or has two meanings. A lone mark before three digits is a group only if the language groups by it.
 * @param {string} text
 * @param {string} [decimal] the only mark of decimals; without it each is taken as it looks
 * @returns {number | null}
 */
export function cents(text, decimal) {
  const [, before = '', written = '', after = ''] = /^(\D*)(\d.*\d|\d)(\D*)$/.exec(text.trim()) ?? []
  if (!isCurrency(before.trim()) || !isCurrency(after.trim())) return null
  const plain = written.replace(/^\d{1,3}([\s'’]\d{3})+(?![\d\s'’])/, groups => groups.replace(/\D/g, ''))
  if (!/^\d[\d.,]*$/.test(plain)) return null
  const marks = [...plain].filter(c => c === '.' || c === ',')
  const last = marks.at(-1)
  let mark = ''
  if (decimal) mark = decimal
  else if (new Set(marks).size === 2) mark = last ?? ''
  else if (marks.length === 1) {
    const isGroup = /[.,]\d{3}$/.test(plain) && last === groupMark
    if (/[.,]\d{3}$/.test(plain) && !isGroup) return null
    mark = isGroup ? '' : last ?? ''
  }
  const [whole, fraction = '', ...more] = mark ? plain.split(mark) : [plain]
  const groups = (whole ?? '').split(/[.,]/)
  if (more.length || /[.,]/.test(fraction) || fraction.length > digits) return null
  if (groups.length > 1 && !groups.every((group, i) => (i ? group.length === 3 : group.length >= 1 && group.length <= 3))) return null
  const value = Number(groups.join('') + fraction.padEnd(digits, '0'))
  return Number.isSafeInteger(value) ? value : null
}

const moments = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
const seconds = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' })
const times = new Intl.DateTimeFormat(locale, { timeStyle: 'short' })
const dates = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' })
const shortDates = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'numeric' })

/** Returns a moment in the clerk's time zone; of today the time alone. @param {string} moment */
export function when(moment) {
  const date = new Date(moment)
  return date.toDateString() === new Date().toDateString() ? times.format(date) : moments.format(date)
}
/** @param {string} moment */
export const exactly = moment => seconds.format(new Date(moment))
/**
 * Says a date in the clerk's time zone; a text that is none stays as it is.
 * @param {string} date such as 2024-03-01
 */
export const dayName = date => (isNaN(+midnight(date)) ? date : dates.format(midnight(date)))
/** @param {string} date */
export const shortDay = date => shortDates.format(midnight(date))

/** Returns the first moment of a date in the clerk's time zone, or of a day after it. @param {string} date */
export function midnight(date, days = 0) {
  const [year, month, day] = date.split('-').map(Number)
  return new Date(year ?? 0, (month ?? 1) - 1, (day ?? 1) + days)
}

/** Returns the date of today, or some days from it, such as 2024-03-01, in the clerk's time zone. */
export function today(days = 0) {
  const now = new Date()
  return dayOf(new Date(now.getFullYear(), now.getMonth(), now.getDate() + days))
}

const two = n => String(n).padStart(2, '0')
/** @param {Date} date */
const dayOf = date => [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join('-')

/** Returns a moment in the clerk's time zone as spreadsheets read it, such as 2024-03-01 09:30. @param {string} moment */
export function stamp(moment) {
  const date = new Date(moment)
  return `${dayOf(date)} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** Returns the last millisecond of a date in the clerk's time zone. @param {string} date */
export const lastMoment = date => new Date(+midnight(date, 1) - 1) // some days begin at 1, with summer time

/** Returns a time that is left, in its two largest units. @param {number} milliseconds */
export function left(milliseconds) {
  const all = Math.max(0, Math.floor(milliseconds / 1000))
  const d = Math.floor(all / 86400), h = Math.floor(all / 3600) % 24, m = Math.floor(all / 60) % 60, s = all % 60
  if (d) return t('{d} d {h} h', { d, h })
  if (h) return t('{h} h {m} min', { h, m })
  if (m >= 10) return t('{m} min', { m })
  return t('{m} min {s} s', { m, s })
}

/** Names who did something. @param {string} actor the actor of an event */
export function person(actor) {
  return { anonymous: t('somebody'), service: t('another service'), system: t('the system') }[actor] ?? actor
}

/** Names the status of an order; the service may have others one day. @param {string} status */
export const statusName = status => ({ CREATED: t('To confirm'), CONFIRMED: t('Confirmed'), CANCELED: t('Canceled') }[status] ?? status)

/** Says where an order stands. @param {{ status: string, cancel_reason: string | null }} order */
export const statusOf = order => (order.cancel_reason === 'reservation_expired' ? t('Canceled by expiry') : statusName(order.status))
