// Paper: all rows of a filter, and when they were printed.
import { html, useEffect, useRef, useState } from './vendor/htm-preact.js'
import { byKey } from './focus.js'
import { Button } from './form.js'
import { Problem } from './table.js'
import { exactly, t } from './words.js'

// office.css prints it below the page. Ctrl-P prints what is drawn, so that no component may say it.
addEventListener('beforeprint', () => {
  document.body.dataset.printed = t('Printed {when}', { when: exactly(new Date().toISOString()) })
})

const most = 1000

/**
 * Reads all rows of a filter for a button, up to a bound. The reading ends when the button goes away; with
 * another filter it is another button, by its key.
 * @template R
 * @param {(signal: AbortSignal) => AsyncIterable<R>} list
 */
export function useAll(list) {
  const [{ busy, error }, setState] = useState({ busy: false, error: /** @type {any} */ (null) })
  const stop = useRef(new AbortController())
  useEffect(() => () => stop.current.abort(), [])
  /** @param {(rows: R[], more: boolean, signal: AbortSignal) => unknown} use more: the filter has more rows */
  const read = async use => {
    const { signal } = stop.current, rows = []
    let more = false
    setState({ busy: true, error: null })
    try {
      for await (const row of list(signal)) {
        more = rows.length === most
        if (more) break
        rows.push(row)
      }
      if (!signal.aborted) await use(rows, more, signal)
      setState({ busy: false, error: null })
    } catch (failure) {
      setState({ busy: false, error: failure })
    }
  }
  return { busy, read, problem: error && html`<${Problem} error=${error} />` }
}

/**
 * Prints all rows of a filter: first they are on the page.
 * @template R
 * @param {{
 *   list: any, all: (signal: AbortSignal) => AsyncIterable<R>, complete?: (rows: R[], signal: AbortSignal) => Promise<R[]>,
 *   onPrint: (it: any) => void,
 * }} props list: the page of now; all: every row; complete: adds to the rows what paper shows
 */
export function Print({ list, all, complete = async rows => rows, onPrint }) {
  const { busy, read, problem } = useAll(all)
  const timer = useRef(/** @type {any} */ (0))
  useEffect(() => () => { clearTimeout(timer.current); onPrint(null) }, [])
  const print = async (rows, more, signal) => {
    const data = await complete(rows, signal)
    if (signal.aborted) return
    onPrint({ data, more, all: true, meta: { nextCursor: null } })
    timer.current = setTimeout(() => { window.print(); onPrint(null) }, 100) // once they are drawn
  }
  const waits = busy || list.loading || !list.data
  return html`<${Button} off=${waits} ...${byKey('p')} onClick=${() => read(print)}>${t('Print')}<//>${problem}`
}
