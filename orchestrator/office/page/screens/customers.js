// Customers: found by a part of the name or the email.
import { html, useEffect, useRef, useState } from '../vendor/htm-preact.js'
import { api, deletedToo, may, useLoad } from '../client.js'
import { called, Download, exported } from '../file.js'
import { at, filter, useRoute } from '../router.js'
import { Chip, Listing, Table } from '../table.js'
import { count, t, when } from '../words.js'

/** @typedef {import('../client.js').Customer} Customer */

/** A search of a list, which the query keeps. @param {{ value: string, placeholder: string }} props */
export function SearchField({ value, placeholder }) {
  const [text, setText] = useState(value)
  const timer = useRef(/** @type {any} */ (0)), typed = useRef(value)
  useEffect(() => { if (value !== typed.current) setText(typed.current = value) }, [value])
  useEffect(() => () => clearTimeout(timer.current), []) // else it would filter the next screen
  const change = next => {
    setText(next)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => { typed.current = next.trim(); filter({ search: next.trim() }, { replace: true }) }, 200)
  }
  return html`<label class="field"><span class="unseen">${t('Search')}</span><input type="search" maxlength="255" value=${text} placeholder=${placeholder} onInput=${e => change(e.target.value)} /></label>`
}

export const columns = [
  { title: t('Name'), kind: 'wide', cell: customer => html`${customer.name}${customer.deleted_at && html` <span class="status canceled">${t('deleted')}</span>`}` },
  { title: t('Email'), cell: customer => customer.email },
  { title: t('Phone'), cell: customer => customer.phone },
  { title: t('Reference'), cell: customer => customer.external_ref },
  { title: t('Changed'), kind: 'quiet', cell: customer => when(customer.updated_at) },
]

export function Customers() {
  const { query } = useRoute()
  const asked = { ...(query.search && { search: query.search }), ...(query.deleted && deletedToo()) }
  const cursor = /** @type {any} */ (query.cursor || undefined)
  const list = useLoad('customers ' + JSON.stringify([asked, cursor]), async signal => {
    const { data, meta } = await api.listCustomers({ ...asked, limit: 50, cursor }, { signal })
    return { data, meta }
  })
  const says = { search: query.search && `“${query.search}”` }
  return html`<h1>${t('Customers')}</h1>
    <div class="tools">
      <${SearchField} value=${query.search ?? ''} placeholder=${t('a part of the name or email')} />
      ${may('events:read') && html`<div class="chips"><${Chip} parts=${{ deleted: 'true' }}>${t('Deleted, too')}<//></div>`}
    </div>
    <div class="tools actions">
      ${may('customers:write') && html`<a class="button first" href=${at('customers/new')}>${t('New customer')}</a>`}
      <${Download} read=${signal => exported('customers', '/customers/export', query.search ? { search: query.search } : {}, signal)} file=${called([t('Customers'), query.search])} letter="e" name=${t('Export')} />
    </div>
    <${Listing} list=${list} filters=${says} nothing=${t('There are no customers yet. A list can be imported.')} counted=${n => count(n, '1 customer', '{n} customers')}>
      <${Table} caption=${t('Customers')} columns=${columns} rows=${list.data?.data ?? []} href=${customer => at(`customers/${customer.id}`)} />
    <//>`
}
