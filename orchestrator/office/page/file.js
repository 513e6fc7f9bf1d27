// Files: exports that are saved, and spreadsheets that are read.
import { html, useRef, useState } from './vendor/htm-preact.js'
import { delimiter, fetchFile } from './client.js'
import { byKey } from './focus.js'
import { Problem } from './table.js'
import { number, t, today } from './words.js'

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
 * Returns the name of a file: what is in it, the filters that the list names, and its days; without days, that of today.
 * @param {any[]} parts texts; what is empty is left out
 * @param {Record<string, string>} [days]
 */
export function called(parts, { from, to } = {}) {
  const days = from && from === to ? [from] : [from && `${t('From')}-${from}`, to && `${t('To')}-${to}`].filter(Boolean)
  return [...parts, ...(days.length ? days : [t('as of {day}', { day: today() })])].filter(Boolean)
    .map(part => part.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, '-').replace(/^-|-$/g, '').slice(0, 40)).join('-') + '.csv'
}

/**
 * Reads an export of a service as it is: CSV for programs, and for an import.
 * @param {'customers' | 'orders'} service
 * @param {string} path
 * @param {Record<string, any>} query
 * @param {AbortSignal} signal
 */
export async function* exported(service, path, query, signal) {
  const all = new URLSearchParams({ ...query, format: 'csv', bom: 'true', delimiter })
  const answer = await fetchFile(service, `${path}?${all}`, { signal })
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (answer.body).getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value
}

/**
 * A button that saves a file. The file comes in parts, so the page stays usable, and a second click stops it.
 * @param {{ read: (signal: AbortSignal) => AsyncIterable<BlobPart>, file: string, name: string, letter?: string }} props
 * file: its name; letter: the key of the button
 */
export function Download({ read, file, name, letter = '' }) {
  const [size, setSize] = useState(/** @type {number | null} */ (null))
  const [error, setError] = useState(/** @type {any} */ (null))
  const [saved, setSaved] = useState('')
  const stop = useRef(/** @type {AbortController | null} */ (null))
  const load = async () => {
    if (stop.current) return stop.current.abort()
    const { signal } = stop.current = new AbortController()
    setSize(0)
    setError(null)
    setSaved('')
    try {
      const parts = []
      let bytes = 0
      for await (const part of read(signal)) {
        const blob = new Blob([part]) // the browser may keep it outside of the page's memory
        parts.push(blob)
        setSize(bytes += blob.size)
      }
      setSaved(save(new Blob(parts, { type: 'text/csv' }), file))
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

/** Returns rows as lines of CSV. @param {string[][]} rows @param {string} separator */
export const csvLines = (rows, separator) => rows.map(row => row.map(cell => (/["\r\n]/.test(cell) || cell.includes(separator)
  ? `"${cell.replaceAll('"', '""')}"` : cell)).join(separator) + '\r\n').join('')

/** Returns rows as the text of a CSV file. @param {string[][]} rows @param {string} separator */
export const csv = (rows, separator) => '\ufeff' + csvLines(rows, separator)
