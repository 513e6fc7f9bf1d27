// The keyboard: the keys of buttons and links, and where the focus goes when what had it goes away.
import { t } from './words.js'

export const off = 'office.keys' // the place in the browser's storage that says that single keys do nothing

/** Gives a button or a link a key of its own. @param {string} key */
export const byKey = key => (localStorage.getItem(off) ? {} : { 'aria-keyshortcuts': key, title: t('Key: {key}', { key }) })

/** Reports whether an element is one to write in. @param {Element | null} element */
export const isField = element => !!element?.matches('input:not([type=checkbox]), select, textarea')

const pause = 1000 // ms; a character that comes earlier after another one goes on with a word
let armed = /** @type {Element | null} */ (null) // the button that has the focus by its key
let typed = 0 // when a button got it so, or when the last character of a word came

/** Reports whether a key is a character that goes on with a burst of others: it is no key of its own. @param {string} key */
export const isWord = key => key.length === 1 && Date.now() - typed < pause / 2

/**
 * Uses what has a key: a link is followed; a button gets the focus, and Enter presses it, so that a word that is typed
 * beside a field does nothing: inside a word no button gets it. Reports whether the key was used.
 * @param {string} key
 */
export function reach(key) {
  const thing = /** @type {HTMLElement | null} */ (document.querySelector(`main [aria-keyshortcuts="${CSS.escape(key)}"]`))
  if (thing instanceof HTMLAnchorElement) thing.click()
  else if (!thing || thing !== armed && Date.now() - typed < pause) return false
  else {
    typed = Date.now()
    armed = thing
    thing.focus()
  }
  return true
}

/**
 * Takes a key that nothing uses. A character is one of a word, and takes the focus from a button that got it by its key;
 * Enter ends the word. Space presses what has the focus, except inside a word. Reports whether the key shall do nothing else.
 * @param {string} key
 */
export function pass(key) {
  if (key === 'Enter') typed = 0
  if (key.length > 1 || key === ' ' && Date.now() - typed > pause) return false
  const was = armed
  typed = Date.now()
  if (was) toHeading()
  return !!was
}

/** Returns a function that reports whether since then the focus has stayed and no word was typed. */
export function watch() {
  const was = document.activeElement, before = typed
  return () => document.activeElement === was && typed === before
}

/** Goes to a field, and selects what is there, so that what is typed replaces it. @param {any} field */
export function begin(field) {
  field?.focus()
  field?.select()
}

/** Gives the focus to the heading of a part of the screen; else to that of the dialog, or of the screen. @param {Element | null} [part] */
export function toHeading(part) {
  const all = [part?.querySelector('h2'), ...['dialog[open] h2', 'main h1:not(.printed)', 'main'].map(place => document.querySelector(place))]
  const heading = /** @type {HTMLElement | undefined} */ (all.find(Boolean))
  if (!heading) return
  heading.tabIndex = -1
  heading.focus({ preventScroll: true })
}

// What had the focus last, and what it is in. When it is taken from the page, the focus goes to what now stands in its
// cell, to the first field of its group, or to the heading: never to nothing, and to no field of another meaning.
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
  const next = place?.closest('tbody td, tbody th, dd')?.querySelector('a, button')
  const group = place?.closest('[role=group], fieldset, aside'), field = group?.querySelector('input')
  if (next instanceof HTMLElement) next.focus()
  else if (field) begin(field)
  else toHeading(group)
}).observe(document.body, { childList: true, subtree: true })

let acted = '' // the key that has acted last

/** Lets a key act once: until it is pressed anew, it neither acts again nor writes into the field that it has opened. @param {KeyboardEvent} event */
export function once(event) {
  event.preventDefault()
  acted = event.key
}

// Drops, before anything else sees them, keys that are held down, and those of an input method that composes a text: its Enter
// ends a word, and neither picks nor sends.
addEventListener('keydown', event => {
  const composes = event.isComposing || event.keyCode === 229 // the number is Safari's
  const again = event.repeat && ['Enter', 'Escape', acted].includes(event.key)
  if (!event.repeat) acted = ''
  if (again && !composes) event.preventDefault()
  if (again || composes) event.stopImmediatePropagation()
}, true)
