// Import: a file is shown as the page understands it, tried, applied, and what was refused comes back as a file to mend.
import { html, useEffect, useMemo, useRef, useState } from '../vendor/htm-preact.js'
import { patient } from '../client.js'
import { explainDetail } from '../errors.js'
import { cells, csv, save, Saved, separatorOf } from '../file.js'
import { Button } from '../form.js'
import { Problem } from '../table.js'
import { cents, count, money, number, t } from '../words.js'

/** @typedef {'products' | 'customers'} Kind */
/** @typedef {{ name: string, text: string, bytes: ArrayBuffer, encoding: string, separator: string, kind: Kind, columns: string[], decimal: string }} Sheet */
/** @typedef {{ look: string, says: string }} Verdict */

/** The columns that each import reads, and other names by which spreadsheets call them. @type {Record<Kind, Record<string, string[]>>} */
const known = {
  products: {
    sku: ['article', 'artikelnummer', 'código', 'codigo', 'ref', 'referencia', 'item'], name: ['nombre', 'bezeichnung', 'description', 'descripción'],
    price: ['precio', 'preis', 'unit price'], price_cents: [], stock: ['bestand', 'existencias', 'cantidad', 'quantity', 'qty'], active: ['activo', 'aktiv', 'for sale'],
  },
  customers: {
    email: ['e-mail', 'mail', 'correo', 'correo electrónico'], name: ['nombre', 'company', 'empresa', 'customer', 'cliente', 'firma'],
    phone: ['teléfono', 'telefono', 'telefon', 'tel'], external_ref: ['reference', 'referencia', 'customer number', 'kundennummer', 'número'],
  },
}
const titles = /** @type {Record<string, string>} */ ({
  sku: 'SKU', name: 'Name', price: 'Price', price_cents: 'Price in cents', stock: 'Stock level', active: 'For sale', email: 'Email', phone: 'Phone', external_ref: 'Reference',
})
const encodings = ['utf-8', 'windows-1252', 'utf-16le', 'utf-16be', 'iso-8859-15', 'macintosh']
const separators = /** @type {const} */ ([[',', 'Comma'], [';', 'Semicolon'], ['\t', 'Tab'], ['|', '|']])
/** Matches the beginning of a file of Excel or LibreOffice that is not text. */
const workbook = /^(PK\x03\x04|ÐÏ\x11à)/
const lastImport = 'office.import'
const unfinished = () => t('Some rows may be done. Import the file again: what is done stays as it is.')

/** Returns what the last import of this browser did. @returns {{ at: string, name: string, says: string, refused: number } | null} */
export const last = () => JSON.parse(localStorage.getItem(lastImport) ?? 'null')

/** Guesses the encoding: by the mark, else UTF-8 if the bytes are that. @param {ArrayBuffer} bytes */
function encodingOf(bytes) {
  const [a, b] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength))
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return 'utf-8'
  } catch {
    return 'windows-1252'
  }
}

/** Names the column of the service for a title; '' for a column that is not read. @param {Kind} kind @param {string} title */
function columnOf(kind, title) {
  const plain = title.trim().toLowerCase()
  return Object.entries(known[kind]).find(([name, others]) => name === plain || t(titles[name] ?? '').toLowerCase() === plain || others.includes(plain))?.[0] ?? ''
}

/**
 * Reads the rows that have something in a cell. Their numbers are those of the spreadsheet, where the other rows count, too.
 * @param {string} text
 * @param {string} separator
 */
function rowsOf(text, separator) {
  const all = cells(text.replace(/^sep=.\r?\n/i, ''), separator)
  const [top = 0, ...filled] = [...all.keys()].filter(i => all[i]?.some(cell => cell.trim()))
  return { header: all[top] ?? [], rows: filled.map(i => all[i] ?? []), numbers: filled.map(i => i + 1) }
}

/** Reads a file as it seems to be meant. @param {File} file @returns {Promise<Sheet>} */
async function open(file) {
  const bytes = await file.arrayBuffer(), encoding = encodingOf(bytes), text = new TextDecoder(encoding).decode(bytes)
  const separator = separatorOf(text), { header } = rowsOf(text.slice(0, 20_000), separator)
  const score = kind => header.filter(title => columnOf(kind, title)).length
  const kind = score('customers') > score('products') ? 'customers' : 'products'
  return { name: file.name, bytes, encoding, text, separator, kind, columns: header.map(title => columnOf(kind, title)), decimal: '' }
}

/** Reads the cells of a row as the service wants them; what cannot be read is sent as it is, so that the service says what is wrong. @param {string[]} row @param {Sheet} sheet */
function fieldsOf(row, { columns, kind, decimal }) {
  /** @type {Record<string, any>} */
  const fields = {}
  columns.forEach((name, i) => {
    const text = (row[i] ?? '').trim().normalize()
    if (!name) return
    if (!text) {
      if (kind === 'customers' && (name === 'phone' || name === 'external_ref')) fields[name] = null
    } else if (name === 'price') fields.price_cents = cents(text, decimal || undefined) ?? text
    else if (name === 'price_cents' || name === 'stock') fields[name] = /^\d+$/.test(text) ? Number(text) : text
    else if (name === 'active') fields.active = /^(true|yes|1|sí|si|verdadero|ja|wahr)$/i.test(text) ? true : /^(false|no|0|falso|nein|falsch)$/i.test(text) ? false : text
    else fields[name] = row[i]
  })
  return fields
}

export function Import() {
  const [sheet, setSheet] = useState(/** @type {Sheet | null} */ (null))
  const [over, setOver] = useState(false)
  // Each reading of a file has bytes of its own, and its trial goes with them.
  const take = async file => { if (file) setSheet(await open(file)) }
  const choose = ({ target }) => { take(target.files[0]); target.value = '' } // for the same file, too
  const drop = event => { event.preventDefault(); setOver(false); take(event.dataTransfer?.files[0]) }
  return html`<h1>${t('Import')}</h1>
    <label class=${'drop' + (over ? ' over' : '')} onDragOver=${e => { e.preventDefault(); setOver(true) }} onDragLeave=${() => setOver(false)} onDrop=${drop}>
      <span>${sheet ? html`<strong><bdi>${sheet.name}</bdi></strong> · ${t('Choose another file')}` : t('Drop a spreadsheet here (CSV), or choose one')}</span>
      <input type="file" accept=".csv,.tsv,.txt,text/csv" onChange=${choose} /></label>
    ${!sheet && html`<p class="quiet">${t('Products are known by their SKU, customers by their email: what is there is changed, what is new is created. Nothing happens before you have seen what would happen.')}</p>`}
    ${sheet && (workbook.test(sheet.text) ? html`<p role="alert" class="bad">${t('This is a workbook: save its sheet as CSV, and choose that file.')}</p>`
    : html`<${Settings} key=${sheet.bytes} sheet=${sheet} onChange=${setSheet} />`)}`
}

/** @param {{ sheet: Sheet, onChange: (sheet: Sheet) => void }} props */
function Settings({ sheet, onChange }) {
  const { header, rows, numbers } = useMemo(() => rowsOf(sheet.text, sheet.separator), [sheet.text, sheet.separator])
  const [verdicts, setVerdicts] = useState(/** @type {Map<number, Verdict>} */ (new Map()))
  const [phase, setPhase] = useState(/** @type {'ready' | 'trying' | 'tried' | 'applying' | 'applied'} */ ('ready'))
  const [summary, setSummary] = useState(/** @type {any} */ (null))
  const [error, setError] = useState(/** @type {any} */ (null))
  const stop = useRef(/** @type {AbortController | null} */ (null))
  useEffect(() => () => stop.current?.abort(), [])
  const change = part => {
    const next = { ...sheet, ...part }
    if (part.encoding) next.text = new TextDecoder(part.encoding).decode(sheet.bytes)
    if (part.encoding || part.separator || part.kind) next.columns = rowsOf(next.text.slice(0, 20_000), next.separator).header.map(title => columnOf(next.kind, title))
    setVerdicts(new Map())
    setPhase('ready')
    setSummary(null)
    setError(null)
    onChange(next)
  }
  const needed = sheet.kind === 'products' ? 'sku' : 'email'
  const ready = sheet.columns.includes(needed) && rows.length > 0

  const note = (says, refused) => localStorage.setItem(lastImport,
    JSON.stringify({ at: new Date().toISOString(), name: sheet.name, says, refused }))
  const run = async dry => {
    if (!dry) note(unfinished(), 0) // until it is done, even if the page is left before
    setPhase(dry ? 'trying' : 'applying')
    setError(null)
    setSummary(null)
    const found = /** @type {Map<number, Verdict>} */ (new Map()), index = /** @type {Map<any, number>} */ (new Map())
    const sent = /** @type {any[]} */ ([])
    rows.forEach((row, i) => { // as the service reads CSV: 24,90 between commas would be a price of 24 and a stock of 90
      if (row.length !== header.length) return found.set(i, { look: 'bad', says: t('refused: it has more or fewer cells than the first line: each row needs as many separators even where its last cells are empty') })
      const fields = fieldsOf(row, sheet)
      index.set(fields, i)
      sent.push(fields)
    })
    const misread = found.size
    let drawn = 0
    const onRow = (fields, line) => {
      found.set(index.get(fields) ?? 0, verdict(line, row => numbers[index.get(sent[row - 1]) ?? 0] ?? row))
      if (performance.now() - drawn > 150) { drawn = performance.now(); setVerdicts(new Map(found)) }
    }
    stop.current = new AbortController()
    try {
      const call = sheet.kind === 'products' ? patient.importProducts : patient.importCustomers
      const done = sent.length ? await call(/** @type {any} */ (sent), { dry_run: dry }, { onRow, signal: stop.current.signal }) : { created: 0, updated: 0, unchanged: 0, refused: 0 }
      const result = { ...done, refused: done.refused + misread }
      setSummary(result)
      setPhase(dry ? 'tried' : 'applied')
      if (!dry) note(says(result), result.refused)
    } catch (failure) {
      if (!stop.current.signal.aborted) setError(failure)
      setPhase('ready')
    }
    setVerdicts(found)
  }
  const refused = [...verdicts].filter(([, { look }]) => look === 'bad').sort(([a], [b]) => a - b)
  const [saved, setSaved] = useState('')
  const download = () => setSaved(save(new Blob([csv([[...header, 'refusal'], ...refused.map(([i, { says }]) => [...rows[i] ?? [], says])], sheet.separator)], { type: 'text/csv' }),
    sheet.name.replace(/(\.\w+)?$/, '.refused.csv')))
  const busy = phase === 'trying' || phase === 'applying'
  const shown = refused.length && phase !== 'ready' ? refused.slice(0, 200).map(([i]) => i) : [...rows.keys()].slice(0, 50)
  return html`<section aria-label=${t('How the file is read')}>
    <div class="tools">
      <${Choice} disabled=${busy} label=${t('It has')} value=${sheet.kind} options=${[['products', t('Products')], ['customers', t('Customers')]]} onChange=${kind => change({ kind })} />
      <${Choice} disabled=${busy} label=${t('Separator')} value=${sheet.separator} options=${separators.map(([mark, name]) => [mark, t(name)])} onChange=${separator => change({ separator })} />
      <${Choice} disabled=${busy} label=${t('Encoding')} value=${sheet.encoding} options=${encodings.map(name => [name, name])} onChange=${encoding => change({ encoding })} />
      ${sheet.columns.includes('price') && html`<${Choice} disabled=${busy} label=${t('Prices look like')} value=${sheet.decimal} options=${[['', t('as they look')], ['.', '1,299.90'], [',', '1.299,90']]} onChange=${decimal => change({ decimal })} />`}
    </div>
    <p role="status">${count(rows.length, '1 row', '{n} rows')}${!sheet.columns.includes(needed) && html` · <strong class="bad">${t('Say which column has the {name}.', { name: t(titles[needed] ?? '') })}</strong>`}
      ${sheet.columns.includes('stock') && html` · <span class="soon">${t('The stock of the file replaces the stock of now: leave the column out unless it was counted just now.')}</span>`}</p>
    <div class="tools">
      <${Button} class=${phase === 'tried' ? '' : 'first'} off=${!ready || busy} onClick=${() => run(true)}>${t('Try it: nothing is changed')}<//>
      <${Button} class=${phase === 'tried' ? 'first' : ''} off=${!ready || busy || phase !== 'tried'} onClick=${() => run(false)}>${t('Import')}<//>
      ${busy && html`<button type="button" onClick=${() => stop.current?.abort()}>${t('Stop')}</button>`}
      ${refused.length > 0 && !busy && html`<button type="button" onClick=${download}>${t('Save the refused rows')}</button><${Saved} name=${saved} />`}
    </div>
    ${busy && html`<p><progress max=${rows.length} value=${verdicts.size} aria-label=${t('Rows done')}></progress> ${t('{done} of {all}', { done: number(verdicts.size), all: number(rows.length) })}</p>`}
    ${error && html`<${Problem} error=${error} /><p>${unfinished()}</p>`}
    ${summary && html`<p role="status" class=${summary.refused ? 'bad' : 'good'}><strong>${phase === 'tried' ? t('This would happen:') : t('Done:')}</strong> ${says(summary)}
      ${summary.refused > 0 && html` · ${t('Save the refused rows, mend them, and import that file.')}`}</p>`}
    <div class="scroll" tabindex="0" role="region" aria-label=${t('Rows')}><table class="list small sheet">
      <caption class="unseen">${t('Rows')}</caption>
      <thead><tr><td></td>${header.map((title, i) => html`<th scope="col"><bdi>${title}</bdi><br /><${Choice} disabled=${busy} label=${t('Column {title}', { title })} unlabeled value=${sheet.columns[i] ?? ''}
          options=${[['', t('not read')], ...Object.keys(known[sheet.kind]).map(name => [name, t(titles[name] ?? '')])]} onChange=${name => change({ columns: sheet.columns.map((was, at) => (at === i ? name : was === name ? '' : was)) })} /></th>`)}<th scope="col" class="wide">${t('What happens')}</th></tr></thead>
      <tbody>${shown.map(i => html`<tr key=${i}><th scope="row">${number(numbers[i] ?? 0)}</th>${header.map((_, at) => html`<td><bdi>${rows[i]?.[at]}</bdi>
        ${sheet.columns[at] === 'price' && rows[i]?.[at]?.trim() && html` <small class="quiet">${priceOf(rows[i]?.[at] ?? '', sheet.decimal)}</small>`}</td>`)}<td class=${'wide ' + (verdicts.get(i)?.look ?? '')}>${verdicts.get(i)?.says}</td></tr>`)}</tbody>
    </table></div>
    ${rows.length > shown.length && html`<p class="quiet">${t('{shown} of {all} rows are shown.', { shown: number(shown.length), all: number(rows.length) })}</p>`}
  </section>`
}

/** @param {string} text @param {string} decimal */
function priceOf(text, decimal) {
  const amount = cents(text, decimal || undefined)
  return amount === null ? t('no amount') : '= ' + money(amount)
}

/**
 * @param {any} line what the service says of a row
 * @param {(row: number) => number} numberOf the number in the spreadsheet of a row that was sent
 * @returns {Verdict}
 */
function verdict(line, numberOf) {
  if (line.result === 'refused') {
    const details = (line.details ?? []).map(detail => explainDetail(detail.params?.rule === 'repeated'
      ? { ...detail, params: { ...detail.params, row: numberOf(detail.params.row) } } : detail))
    return { look: 'bad', says: [t('refused'), details.join(', ') || line.error].join(': ') }
  }
  return { look: line.result === 'unchanged' ? 'quiet' : 'good', says: t(line.result) }
}

/** @param {{ created: number, updated: number, unchanged: number, refused: number }} summary */
const says = ({ created, updated, unchanged, refused }) => [
  created && count(created, '1 created', '{n} created'), updated && count(updated, '1 updated', '{n} updated'),
  unchanged && count(unchanged, '1 unchanged', '{n} unchanged'), refused && count(refused, '1 refused', '{n} refused'),
].filter(Boolean).join(', ') || t('nothing')

/**
 * @param {{
 *   label: string, value: string, options: string[][], onChange: (value: any) => void, disabled: boolean,
 *   unlabeled?: boolean,
 * }} props
 */
const Choice = ({ label, value, options, onChange, disabled, unlabeled }) => html`<label class="field choice">
  <span class=${unlabeled ? 'unseen' : ''}>${label}</span>
  <select value=${value} disabled=${disabled}
    onChange=${e => onChange(e.target.value)}>${options.map(([key, text]) => html`<option value=${key} selected=${key === value}>${text}</option>`)}</select></label>`
