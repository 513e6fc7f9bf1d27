// The keyboard: the keys of buttons and links, and where the focus goes when what had it goes away.
import { t } from './words.js'

/** Gives a button or a link a key of its own. @param {string} key */
export const byKey = key => ({ 'aria-keyshortcuts': key, title: t('Key: {key}', { key }) })

let armed = /** @type {Element | null} */ (null) // the button that has the focus by its key

/**
 * Uses what has a key: a link is followed; a button gets the focus, and Enter presses it, so that a word that
 * is typed beside a field does nothing. Reports whether there is such a thing.
 * @param {string} key
 */
export function reach(key) {
  const thing = /** @type {HTMLElement | null} */ (document.querySelector(`main [aria-keyshortcuts="${CSS.escape(key)}"]`))
  if (thing instanceof HTMLAnchorElement) thing.click()
  else if (thing) {
    armed = thing
    thing.focus()
  }
  return !!thing
}

/** Goes to a field, and selects what is there, so that what is typed replaces it. @param {any} field */
export function begin(field) {
  field?.focus()
  field?.select()
}

/** Takes the focus from a button that its key gave it to, and reports whether there was one: a text goes on, Space too. */
export function disarm() {
  const was = armed
  if (was) toHeading()
  return !!was
}

/** Gives the focus to the heading of the dialog, or of the screen. */
export function toHeading() {
  const all = ['dialog[open] h2', 'main h1:not(.printed)', 'main'].map(place => document.querySelector(place))
  const heading = /** @type {HTMLElement | undefined} */ (all.find(Boolean))
  if (!heading) return
  heading.tabIndex = -1
  heading.focus({ preventScroll: true })
}

// What had the focus last, and what it is in. When it is taken from the page, the focus goes to what now stands in its
// cell, to the first field of its form, or to the heading: never to nothing, where a text that is typed would be keys.
let last = /** @type {Element | null} */ (null), around = /** @type {Element[]} */ ([])
addEventListener('focusin', ({ target }) => {
  last = /** @type {Element} */ (target)
  if (last !== armed) armed = null
  around = []
  for (let e = last.parentElement; e; e = e.parentElement) around.push(e)
})
new MutationObserver(() => {
  if (!last || last.isConnected || document.activeElement !== document.body) return
  const place = around.find(e => e.isConnected)
  const next = place?.closest('tbody td, tbody th, dd')?.querySelector('a, button') ?? place?.closest('form')?.querySelector('input')
  if (next instanceof HTMLElement) next.focus()
  else toHeading()
}).observe(document.body, { childList: true, subtree: true })

// A key that is held down sends nothing: only a press of its own does.
addEventListener('keydown', event => {
  if (event.key !== 'Enter' || !event.repeat) return
  event.preventDefault()
  event.stopImmediatePropagation()
}, true)
