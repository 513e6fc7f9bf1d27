// Receive: sku, pieces, note, Enter, and the next; today's receipts of this browser beside it.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/htm-preact.js'
import { api } from '../client.js'
import { Combo } from '../combo.js'
import { findProducts } from '../find.js'
import { begin, toHeading } from '../focus.js'
import { Field, Form, Outcome, useDraft, useSend } from '../form.js'
import { at, go, useRoute } from '../router.js'
import { count, number, t, today, when } from '../words.js'

/** @typedef {{ product: number, sku: string, name: string, delta: number, level: number, reason: string, at: string, key: string }} Receipt */

const place = 'office.receipts'

/** Returns today's receipts, the newest first. @returns {Receipt[]} */
function kept() {
  const { day, receipts } = JSON.parse(localStorage.getItem(place) ?? '{}')
  return day === today() ? receipts : []
}

export function Receive() {
  const { query } = useRoute()
  const draft = useDraft('receive', { sku: '', pieces: '', note: '' })
  const { sku, pieces, note } = draft.values
  const [receipts, setReceipts] = useState(kept)
  const [missing, setMissing] = useState('')
  const [waits, setWaits] = useState(false) // for what the SKU means that was left
  const [late, setLate] = useState(false) // it was sent meanwhile
  const form = useRef(/** @type {HTMLElement | null} */ (null))
  const field = name => form.current?.querySelector(`input[name=${name}]`)
  const focus = name => begin(field(name))
  const isHere = () => document.activeElement?.closest('form.receive') // the clerk may have gone on to something else
  useLayoutEffect(() => { // the address names a product once, so that a reload keeps what is typed
    if (!query.sku) return
    const other = sku !== query.sku
    if (other && !draft.sent) draft.change({ sku: query.sku, pieces: '', note: sku ? '' : note })
    if (other && draft.sent) toHeading() // no field: what is typed for this product is not for the one that was sent
    else focus('pieces')
    go(at('receive'), { replace: true })
  }, [])
  const delta = /^[+-]?\d{1,9}$/.test(pieces.trim()) ? Number(pieces) : 0

  const sending = useSend(async key => {
    const { data: [product] } = await api.listProducts({ sku: sku.trim() })
    if (!product) return null
    const { data } = await api.adjustStock({ id: product.id, delta, reason: note.trim() || (delta > 0 ? t('received') : t('taken out')) }, { idempotencyKey: key })
    return { product: product.id, sku: product.sku, name: product.name, delta: data.delta, level: data.level, reason: note.trim(), at: data.created_at, key }
  }, draft, receipt => {
    if (!receipt) {
      return lacks(sku.trim())
    }
    const all = [receipt, ...kept().filter(({ key }) => key !== receipt.key)].slice(0, 200)
    localStorage.setItem(place, JSON.stringify({ day: today(), receipts: all }))
    setReceipts(all)
    draft.renew()
    draft.change({ sku: '', note }) // the note of a delivery holds for its next product
    if (isHere()) focus('sku')
  })
  // Says that nothing has a sku, or opens the list again of what has a part of it.
  const lacks = async text => {
    const found = await findProducts(text, new AbortController().signal).catch(() => [])
    if (isHere()) {
      focus('sku')
      if (found.length) field('sku')?.dispatchEvent(new InputEvent('input', { bubbles: true }))
    }
    setMissing(found.length > 7 ? t('Many products match: choose one.')
      : found.length ? count(found.length, '1 product matches: choose it.', '{n} products match: choose one.') : t('There is no product {sku}.', { sku: text }))
  }
  const send = () => {
    setMissing('')
    if (!sku.trim()) return focus('sku')
    if (!delta) return focus('pieces')
    if (waits) setLate(true)
    else sending.send()
  }
  useEffect(() => {
    if (waits || !late) return
    setLate(false)
    send()
  }, [waits, late])
  return html`<h1>${t('Receive')}</h1>
    <div class="columns" ref=${form}>
      <${Form} label=${t('Receive')} class="receive" onSend=${send}>
        ${missing && html`<p key="missing" class="bad" role="alert">${missing}</p>`}
        <${Combo} label=${t('SKU')} name="sku" text=${sku} find=${findProducts} placeholder=${t('SKU or a part of the name')} autofocus aria-invalid=${missing ? true : undefined}
          next=${() => focus('pieces')} onWait=${setWaits} nothing=${t('There is no product {sku}.', { sku: sku.trim() })}
          onText=${text => { setMissing(''); setLate(false); draft.change({ sku: text }) }} onPick=${(option, here) => { draft.change({ sku: option.value }); if (here) focus('pieces') }} />
        <${Field} label=${t('Pieces')} name="pieces" value=${pieces} readonly=${late} inputmode="numeric" aria-invalid=${pieces.trim() && !delta ? true : undefined} onInput=${value => draft.change({ pieces: value })} hint=${t('A minus takes pieces out.')} />
        <${Field} label=${t('Note (optional)')} name="note" value=${note} readonly=${late} maxlength="255" onInput=${value => draft.change({ note: value })} hint=${t('Such as the number of the delivery note.')} />
        ${late && html`<p key="late" class="outcome" role="status">${t('Sending …')}</p>`}<${Outcome} sending=${sending} draft=${draft} />
        <p class="buttons"><button class="first">${delta < 0 ? t('Take out') : t('Receive')}</button></p>
      <//>
      <section aria-labelledby="receipts"><h2 id="receipts">${t('Received here today')}</h2>
        ${receipts.length ? html`<table class="list small" aria-live="polite"><caption class="unseen">${t('Received here today')}</caption>
          <thead><tr><th scope="col">${t('SKU')}</th><th scope="col" class="wide">${t('Name')}</th><th scope="col" class="number">${t('Pieces')}</th><th scope="col" class="number">${t('Stock after')}</th><th scope="col">${t('Note')}</th><th scope="col">${t('When')}</th></tr></thead>
          <tbody>${receipts.map(receipt => html`<tr key=${receipt.key}><th scope="row"><a href=${at(`products/${receipt.product}`)}><bdi>${receipt.sku}</bdi></a></th>
            <td class="wide"><bdi>${receipt.name}</bdi></td><td class="number" data-title=${t('Pieces')}>${(receipt.delta > 0 ? '+' : '') + number(receipt.delta)}</td><td class="number" data-title=${t('Stock after')}>${number(receipt.level)}</td><td data-title=${t('Note')}><bdi>${receipt.reason}</bdi></td><td data-title=${t('When')}>${when(receipt.at)}</td></tr>`)}</tbody></table>`
          : html`<p class="quiet">${t('Nothing yet.')}</p>`}
      </section>
    </div>`
}
