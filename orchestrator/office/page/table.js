// The parts of a list: chips that filter, rows that the arrows walk through, pages, and what an empty list says.
import { html, useEffect, useRef } from './vendor/htm-preact.js'
import { explain } from './errors.js'
import { byKey, toHeading } from './focus.js'
import { at, filter, go, here } from './router.js'
import { t } from './words.js'

/**
 * @template R
 * @typedef {{ title: string, cell: (row: R) => any, kind?: 'number' | 'quiet' | 'wide' | 'text' | 'state' }} Column
 */

/** The link that was followed from a list: on the way back it gets the focus. @type {Map<string, string>} */
const left = new Map()

/**
 * A table. The first column links to href; a click anywhere in a row follows it. With selected, each row has a box.
 * @template {{ id: number }} R
 * @param {{
 *   caption: string, columns: Column<R>[], rows: R[], href?: (row: R) => string,
 *   selected?: Set<number>, onSelect?: (selected: Set<number>) => void, row?: (row: R) => string,
 * }} props
 */
export function Table({ caption, columns, rows, href, selected, onSelect, row: look }) {
  const table = useRef(/** @type {HTMLTableElement | null} */ (null))
  const last = useRef(-1)
  useEffect(() => {
    const back = left.get(location.pathname + location.search)
    const link = back && table.current?.querySelector(`tbody a[href="${CSS.escape(back)}"]`)
    if (link instanceof HTMLElement && document.activeElement?.matches('body, main, h1')) link.focus()
  }, [rows.length > 0])
  const all = rows.length > 0 && rows.every(row => selected?.has(row.id))
  const choose = (index, on, range) => {
    const next = new Set(selected)
    const from = range && last.current >= 0 ? last.current : index
    for (const row of rows.slice(Math.min(from, index), Math.max(from, index) + 1)) {
      if (on) next.add(row.id)
      else next.delete(row.id)
    }
    last.current = index
    onSelect?.(next)
  }
  const follow = (event, row) => {
    const part = event.target instanceof Element ? event.target.closest('a, button, input, label, form, td, th') : null
    if (!href || !part?.matches('td, th') || getSelection()?.toString()) return
    left.set(location.pathname + location.search, href(row))
    go(href(row))
  }
  return html`<table ref=${table} class="list">
    <caption class="unseen">${caption}</caption>
    <thead><tr>
      ${onSelect && html`<td class="check"><input type="checkbox" aria-label=${t('Select all on this page')} checked=${all}
        onChange=${e => onSelect(new Set(e.target.checked ? rows.map(row => row.id) : []))} /></td>`}
      ${columns.map(column => html`<th scope="col" class=${column.kind}>${column.title}</th>`)}
    </tr></thead>
    <tbody>${rows.map((row, index) => html`<tr key=${row.id} class=${look?.(row)} aria-selected=${onSelect ? selected?.has(row.id) : undefined}
        onClick=${e => follow(e, row)}>
      ${onSelect && html`<td class="check"><input type="checkbox" aria-label=${t('Select {id}', { id: row.id })} checked=${selected?.has(row.id)}
        onClick=${e => choose(index, e.target.checked, e.shiftKey)} /></td>`}
      ${columns.map((column, i) => (i === 0
        ? html`<th scope="row" class=${column.kind}>${href
          ? html`<a href=${href(row)} onClick=${() => left.set(location.pathname + location.search, href(row))}>${column.cell(row)}</a>`
          : column.cell(row)}</th>`
        : html`<td class=${column.kind} data-title=${column.title}><bdi>${column.cell(row)}</bdi></td>`))}
    </tr>`)}</tbody>
  </table>`
}

/** Moves the focus to another row's link, by the arrows and by j and k. Reports whether there are rows. @param {1 | -1} step */
export function walk(step) {
  const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('main table.list tbody th a')])
  const row = document.activeElement?.closest('tr')
  const at = links.findIndex(link => link.closest('tr') === row)
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.max(0, Math.min(at + step, links.length - 1))]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
  return links.length > 0
}

/**
 * What surrounds the rows of a list: the thin bar while it loads, what went wrong, which filters leave nothing, pages.
 * @param {{
 *   list: { data: any, error: any, loading: boolean, reload: () => void }, filters?: Record<string, string | null | undefined>,
 *   nothing: string, all?: boolean, counted?: (n: number) => string, children?: any,
 * }} props filters: what hides rows, by the names of the query; nothing: what a list without filters says; all: a button prints all pages;
 * counted: says how many rows a list of one page has
 */
export function Listing({ list, filters = {}, nothing, all, counted, children }) {
  const { data, error, loading, reload } = list
  const active = Object.entries(filters).filter(([, says]) => says)
  const { query } = here()
  const page = useRef(query.cursor)
  useEffect(() => { // another page begins at its first row
    if (page.current !== query.cursor && document.activeElement?.matches('body, .pages a')) toHeading()
    page.current = query.cursor
  }, [query.cursor])
  const paged = data && (data.meta.nextCursor || query.cursor && !data.all)
  return html`<div class="listing" aria-busy=${loading}>
    <${Bar} loading=${loading} />
    ${error && html`<${Problem} error=${error} again=${reload} />`}
    ${data && (data.data.length ? children : html`<div class="empty" role="status">
      ${active.length
        ? html`<p>${query.cursor ? t('There is nothing on this page.') : t('Nothing matches:')} ${active.map(([, says], i) => html`${i > 0 && ', '}<strong>${says}</strong>`)}</p>
          <p><button type="button" onClick=${() => filter(Object.fromEntries(active.map(([name]) => name.split(' ')).flat().map(name => [name, null])))}>${t('Show all')}</button></p>`
        : html`<p>${nothing}</p>`}
    </div>`)}
    ${data?.data.length > 0 && counted && html`<p class="quiet">${paged ? t('{n} on this page', { n: data.data.length }) : counted(data.data.length)}${data.all && data.more && ` · ${t('no more are printed')}`}</p>`}
    ${paged && html`<p class="printed">${t('This is one page of a longer list.')} ${all && t('The button “Print” prints all.')}</p>`}
    ${data && (query.cursor || data.meta.nextCursor) && html`<nav class="pages" aria-label=${t('Pages')}>
      ${query.cursor && html`<a class="button" ...${byKey(',')} href=${at(here().path, { ...query, cursor: null })}>${t('First page')}</a>`}
      ${data.meta.nextCursor && html`<a class="button" rel="next" ...${byKey('.')} href=${at(here().path, { ...query, cursor: data.meta.nextCursor })}>${t('Next page')}</a>`}
    </nav>`}
  </div>`
}

/** The thin bar that says that something loads. @param {{ loading: boolean }} props */
export const Bar = ({ loading }) => html`<div class="bar" role="status">${loading && html`<i></i><span class="unseen">${t('Loading')}</span>`}</div>`

/** Says what went wrong. @param {{ error: any, again?: () => void }} props */
export function Problem({ error, again }) {
  const [sentence, ...details] = explain(error)
  return html`<div class="problem" role="alert">
    <p>${sentence}</p>
    ${details.length > 0 && html`<ul>${details.map(detail => html`<li>${detail}</li>`)}</ul>`}
    ${again && html`<p><button type="button" onClick=${again}>${t('Try again')}</button></p>`}
  </div>`
}

/**
 * A chip that sets parts of the query, or takes them away when they are set.
 * @param {{ parts: Record<string, string>, clears?: Record<string, null>, children?: any }} props
 */
export function Chip({ parts, clears = {}, children }) {
  const { path, query } = here()
  const on = Object.entries(parts).every(([name, value]) => query[name] === value) && Object.keys(clears).every(name => !query[name] || name in parts)
  const off = Object.fromEntries(Object.keys(parts).map(name => [name, null]))
  return html`<a class="chip" aria-current=${on ? 'true' : undefined} href=${at(path, { ...query, cursor: null, ...clears, ...(on ? off : parts) })}>${children}</a>`
}
