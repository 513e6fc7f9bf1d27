// Files: exports that are saved, and spreadsheets that are read.
import { html, useRef, useState } from './vendor/htm-preact.js'
import { delimiter, fetchFile } from './client.js'
import { byKey } from './focus.js'
import { Problem } from './table.js'
import { number, t } from './words.js'

/** Saves a file under a name, and returns that. @param {Blob} file @param {string} name */
export function save(file, name) {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(file), download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  return name
}

/** Says that a file was saved. @param {{ name: string }} props */
export const Saved = ({ name }) => html`<small role="status" class=${name ? 'note' : 'unseen'}>${name && t('{name} was saved.', { name })}</small>`

/**
 * A button that saves an export as a spreadsheet. The file comes in parts, so the page stays usable, and a second click stops it.
 * @param {{
 *   service: 'customers' | 'orders', path: string, query: Record<string, any>, name: string, letter?: string, days?: Record<string, string>,
 * }} props letter: its key; days: the file is called by the days from and to that it is about, not by that of today
 */
export function Download({ service, path, query, name, letter = '', days: { from, to } = {} }) {
  const [size, setSize] = useState(/** @type {number | null} */ (null))
  const [error, setError] = useState(/** @type {any} */ (null))
  const [saved, setSaved] = useState('')
  const stop = useRef(/** @type {AbortController | null} */ (null))
  const about = from === to ? from : [from ? 'from-' + from : '', to ? 'to-' + to : ''].filter(Boolean).join('-')
  const load = async () => {
    if (stop.current) return stop.current.abort()
    const { signal } = stop.current = new AbortController()
    setSize(0)
    setError(null)
    setSaved('')
    try {
      const all = new URLSearchParams({ ...query, format: 'csv', bom: 'true', delimiter })
      const answer = await fetchFile(service, `${path}?${all}`, { signal })
      const parts = []
      let bytes = 0
      const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader()
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        parts.push(part.value)
        bytes += part.value.length
        setSize(bytes)
      }
      const called = /filename="?([^";]+)/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1] ?? 'export.csv'
      setSaved(save(new Blob(/** @type {BlobPart[]} */ (parts), { type: 'text/csv' }), called.replace(/\d{4}-\d\d-\d\d/, day => about || day)))
    } catch (failure) {
      if (!signal.aborted) setError(failure)
    }
    stop.current = null
    setSize(null)
  }
  return html`<button type="button" ...${letter && byKey(letter)} onClick=${load}>${size === null ? name : t('{size} KB, stop', { size: number(Math.round(size / 1024)) })}</button><${Saved} name=${saved} />
    ${error && html`<${Problem} error=${error} again=${load} />`}`
}

/**
 * Reads the cells of a spreadsheet's text: cells in quotes may have separators, quotes (doubled) and line breaks. Empty lines are
 * rows, too, as in the spreadsheet.
 * @param {string} text
 * @param {string} separator
 * @returns {string[][]}
 */
export function cells(text, separator) {
  /** @type {string[][]} */
  const rows = []
  let row = /** @type {string[]} */ ([]), at = 0
  const end = () => {
    if (row.length) rows.push(row)
    row = []
  }
  while (at < text.length) {
    let cell = ''
    if (text[at] === '"') {
      for (at++; at < text.length; at++) {
        if (text[at] === '"' && text[at + 1] !== '"') break
        if (text[at] === '"') at++
        cell += text[at]
      }
      at++
    }
    let next = at
    while (next < text.length && text[next] !== separator && text[next] !== '\n' && text[next] !== '\r') next++
    row.push(cell + text.slice(at, next))
    at = next
    if (text[at] === separator) {
      at++
      if (at === text.length) row.push('')
    } else {
      if (text[at] === '\r' && text[at + 1] === '\n') at++
      at++
      end()
    }
  }
  end()
  return rows
}

/** Finds the separator in the first line of a file with something in it. @param {string} text */
export function separatorOf(text) {
  const named = /^sep=(.)\r?\n/i.exec(text)?.[1]
  if (named) return named
  const first = text.trimStart().split(/\r?\n/, 1)[0]?.replace(/"[^"]*"/g, '') ?? ''
  const counts = [';', '\t', ','].map(mark => /** @type {const} */ ([mark, first.split(mark).length]))
  return counts.reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}

/** Returns rows as the text of a CSV file. @param {string[][]} rows @param {string} separator */
export const csv = (rows, separator) => '\ufeff' + rows.map(row => row.map(cell => /["\r\n]/.test(cell) || cell.includes(separator)
  ? `"${cell.replaceAll('"', '""')}"` : cell).join(separator)).join('\r\n') + '\r\n'
