// The address of the page is its state: the path names the screen, the query has the filters.
import { useEffect, useState } from './vendor/htm-preact.js'

const root = new URL('.', import.meta.url).pathname // of the back office, such as /office/
const listeners = new Set()
const changed = () => listeners.forEach(listener => listener())

/**
 * Returns the address of a screen, with those parts of the query that have a value.
 * @param {string} path such as orders/3
 * @param {Record<string, string | number | null | undefined>} [query]
 */
export function at(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return root + path + (search && '?' + search)
}

/** Returns the screen's path and query of this moment. */
export function here() {
  const path = location.pathname.startsWith(root) ? location.pathname.slice(root.length) : ''
  return { path: path.replace(/\/$/, ''), query: Object.fromEntries(new URLSearchParams(location.search)) }
}

/**
 * Shows another screen. With replace, the way back skips the screen of now.
 * @param {string} address what at has returned
 * @param {{ replace?: boolean }} [options]
 */
export function go(address, { replace = false } = {}) {
  if (address === location.pathname + location.search) replace = true
  const steps = (history.state?.steps ?? 0) + (replace ? 0 : 1) // since the page was loaded
  history[replace ? 'replaceState' : 'pushState']({ steps }, '', address)
  if (!replace) scrollTo(0, 0)
  changed()
}

/** Shows the screen of before, if it is one of these. */
export function back() {
  if (history.state?.steps) history.back()
}

/**
 * Changes parts of the query, and leaves the others; the page of a list begins anew.
 * @param {Record<string, string | number | null | undefined>} parts null takes a part away
 * @param {{ replace?: boolean }} [options]
 */
export function filter(parts, options) {
  const { path, query } = here()
  go(at(path, { ...query, cursor: null, ...parts }), options)
}

/** Gives a component the path and the query, and draws it again when they change. */
export function useRoute() {
  const [, draw] = useState(0)
  useEffect(() => {
    const listener = () => draw(n => n + 1)
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }, [])
  return here()
}

addEventListener('popstate', changed)

// A click on a link to another screen loads no page anew.
addEventListener('click', event => {
  const link = event.target instanceof Element ? event.target.closest('a') : null
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey
  if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute('download')) return
  if (link.origin !== location.origin || !link.pathname.startsWith(root) || /\.\w+$/.test(link.pathname)) return
  event.preventDefault()
  go(link.pathname + link.search)
})
