// A change of a product or a customer that happens only if the thing is as the clerk saw it.
import { useRef, useState } from './vendor/htm-preact.js'
import { api, learn } from './client.js'
import { B2BError } from './generated/sdk/index.js'
import { useSend } from './form.js'
import { money, t } from './words.js'

/** @typedef {import('./client.js').Product} Product */
/** @typedef {import('./client.js').Customer} Customer */

const names = { name: 'Name', email: 'Email', phone: 'Phone', external_ref: 'Reference', price_cents: 'Price', active: 'For sale', stock: 'In stock' }

/** @param {string} field @param {any} value */
const say = (field, value) => (value === null || value === undefined ? '–' : field === 'price_cents' ? money(value)
  : typeof value === 'boolean' ? (value ? t('yes') : t('no')) : String(value))

/**
 * Changes a thing by If-Match. The thing is read first: when the fields that change are not as they were shown, both versions are
 * shown, and the clerk decides. After a 412 the thing is read again: it may be that only its stock has moved. A change that is there
 * already, by a call without an answer, is done.
 *
 * It keeps what is typed into fields, too: a field that nobody has touched is as the thing is now, and one
 * that was touched keeps its text until that is saved.
 * @template {{ id: number }} T
 * @param {T} shown
 * @param {(thing: T) => void} onChange
 * @param {{ read: (id: number) => Promise<{ data: T, response: Response }>, write: (id: number, changes: any, etag: string) => Promise<{ data: T }> }} calls
 */
function useEdit(shown, onChange, { read, write }) {
  const changes = useRef(/** @type {any} */ ({}))
  const seen = useRef(shown) // the version on which the change is based
  const [theirs, setTheirs] = useState(/** @type {T | null} */ (null))
  // The fields that are touched: the text, and the value that the clerk saw when it was begun.
  const [typed, setTyped] = useState(/** @type {Record<string, { text: string, was: any }>} */ ({}))
  const thing = /** @type {any} */ (shown)
  const plain = value => value ?? '' // as a field shows it
  // Shows the thing as it is now. What was sent is typed no more, unless it was saved and the text is newer.
  const settle = (now, saved) => {
    const rest = /** @type {typeof typed} */ ({}), sent = changes.current
    for (const [field, { text, was }] of Object.entries(typed)) {
      const newer = saved && text.trim() !== plain(sent[field])
      if (!(field in sent)) rest[field] = { text, was }
      else if (newer) rest[field] = { text, was: now[field] }
    }
    setTyped(rest)
    setTheirs(null)
    onChange(now)
  }
  const sending = useSend(async () => {
    for (let tries = 0; ; tries++) {
      const { data, response } = await read(shown.id)
      const now = /** @type {any} */ (data), was = /** @type {any} */ (seen.current), fields = Object.keys(changes.current)
      if (fields.every(field => now[field] === changes.current[field])) return data
      if (fields.some(field => now[field] !== was[field])) return setTheirs(data)
      try {
        return (await write(shown.id, changes.current, response.headers.get('ETag') ?? '')).data
      } catch (error) {
        if (!(error instanceof B2BError) || error.status !== 412 || tries === 5) throw error
      }
    }
  }, { key: '', note: () => {} }, now => { if (now) settle(now, true) })
  return {
    sending, theirs,
    /** Returns the text of a field. @param {string} field @returns {string} */
    text: field => typed[field]?.text ?? plain(thing[field]),
    /** Types into fields. @param {Record<string, string>} texts */
    type: texts => {
      const all = { ...typed }
      for (const [field, text] of Object.entries(texts)) {
        all[field] = { was: thing[field], ...typed[field], text }
      }
      setTyped(Object.fromEntries(Object.entries(all).filter(([, { text, was }]) => text !== plain(was))))
    },
    /** What is typed and differs from the thing. @type {any} */
    changes: Object.fromEntries(Object.entries(typed).map(([field, { text }]) => [field, text.trim() || null])
      .filter(([field, value]) => plain(value) !== plain(thing[field ?? '']))),
    /** Saves some fields, unless others are on their way. @param {Partial<T>} fields */
    save: fields => {
      if (sending.phase === 'sending' || sending.phase === 'unknown') return
      changes.current = fields
      const was = Object.entries(typed).map(([field, { was }]) => [field, was])
      seen.current = { ...shown, ...Object.fromEntries(was) }
      setTheirs(null)
      sending.send()
    },
    fields: theirs ? Object.keys(names).filter(field => field in theirs && (field in changes.current || /** @type {any} */ (theirs)[field] !== /** @type {any} */ (shown)[field])).map(field => ({
      name: t(/** @type {any} */ (names)[field]), theirs: say(field, /** @type {any} */ (theirs)[field]),
      mine: say(field, field in changes.current ? changes.current[field] : /** @type {any} */ (shown)[field]),
    })) : [],
    keepMine: () => { if (theirs) { seen.current = theirs; setTheirs(null); sending.send() } },
    takeTheirs: () => { if (theirs) settle(theirs, false) },
  }
}

/** @param {Product} product @param {(product: Product) => void} onChange */
export const useProductEdit = (product, onChange) => useEdit(product, onChange, {
  read: id => api.getProduct({ id }),
  write: (id, changes, etag) => api.updateProduct({ id, ...changes }, { headers: { 'If-Match': etag } }),
})

/** @param {Customer} customer @param {(customer: Customer) => void} onChange */
export const useCustomerEdit = (customer, onChange) => useEdit(customer, changed => { learn(changed); onChange(changed) }, {
  read: id => api.getCustomer({ id }),
  write: (id, changes, etag) => api.updateCustomer({ id, ...changes }, { headers: { 'If-Match': etag } }),
})
