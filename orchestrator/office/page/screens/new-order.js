// A new order: the customer, then sku, Tab, quantity, Enter, and the next line. The quote beside it follows.
import { html, useRef, useState } from '../vendor/htm-preact.js'
import { api, useLoad } from '../client.js'
import { Combo } from '../combo.js'
import { explain, explainDetail, isUnknown } from '../errors.js'
import { cells, separatorOf } from '../file.js'
import { findCustomers, findProducts } from '../find.js'
import { begin } from '../focus.js'
import { Field, Form, Outcome, random, useDraft, useSend } from '../form.js'
import { at, go } from '../router.js'
import { Bar } from '../table.js'
import { count, money, number, t } from '../words.js'

/** @typedef {{ id: string, sku: string, qty: string }} Line */

/** Makes a line. Its id stays when lines before it go. */
const newLine = (sku = '', qty = '') => ({ id: random(), sku, qty })
const most = 100 // lines of an order

/** Returns the pieces of a line; NaN when the text is no number of pieces. @param {string} text */
const pieces = text => (/^\d{1,7}$/.test(text.trim()) ? Number(text) : NaN)

export function NewOrder() {
  const draft = useDraft('new-order', { customer: 0, customerName: '', reference: '', lines: [newLine()] })
  const { customer, customerName, reference, lines } = draft.values
  const given = lines.filter(line => line.sku.trim() || line.qty.trim())
  const ready = given.filter(line => line.sku.trim() && pieces(line.qty) > 0)
  const [marked, mark] = useState('') // the line for which the order was not saved
  const [tooMany, setTooMany] = useState(0) // lines that a paste would have made
  const items = ready.map(line => ({ sku: line.sku.trim(), qty: pieces(line.qty) }))
  const question = JSON.stringify(customer && items.length ? { customer_id: customer, items } : null)
  const quote = useQuote(question)
  const root = useRef(/** @type {HTMLElement | null} */ (null))

  const sending = useSend(async key => {
    const order = await api.createOrder({
      customer_id: customer, items, ...(reference.trim() && { external_ref: reference.trim() }),
      ...(quote.data && quote.of === question && { expected_total_cents: quote.data.total_cents }),
    }, { idempotencyKey: key })
    if (confirms.current) {
      await api.confirmOrder({ id: order.data.id }, { idempotencyKey: key }).catch(error => {
        if (isUnknown(error)) throw error // a refusal is seen on the order's own screen
      })
    }
    return order
  }, draft, ({ data }) => { draft.forget(); go(at(`orders/${data.id}`)) })
  const confirms = useRef(false)
  const save = button => {
    if (!customer) return focus('input[name=customer]')
    const lacking = given.find(line => !ready.includes(line))
    mark(lacking?.id ?? '')
    if (lacking) return field(lines.indexOf(lacking), lacking.sku.trim() ? 'qty' : 'sku')
    if (!items.length) return focus('input[name=sku]')
    confirms.current = button?.getAttribute('name') === 'confirm'
    sending.send()
  }
  const focus = selector => begin(root.current?.querySelector(selector))

  const setLines = to => draft.change(({ lines: now }) => {
    const next = to(now)
    const filled = next.filter((line, i) => line.sku || line.qty || i === next.length - 1)
    const last = filled.at(-1)
    const full = last && !last.sku && !last.qty || filled.length === most
    return { lines: full ? filled : [...filled, newLine()] }
  })
  const change = (id, part) => draft.change(({ lines: now }) => ({
    lines: now.map(line => (line.id === id ? { ...line, ...part } : line)),
  }))
  const field = (index, name) => { // of a line that may not be drawn yet
    const selector = `[data-line="${index}"] input[name=${name}]`
    if (root.current?.querySelector(selector)) focus(selector)
    else setTimeout(() => focus(selector))
  }
  const next = event => {
    if (event.key !== 'Enter' || event.ctrlKey || event.metaKey || event.defaultPrevented || !(event.target instanceof HTMLInputElement)) return
    event.preventDefault() // Enter leads to the next field; Ctrl-Enter saves
    const index = Number(event.target.closest('[data-line]')?.getAttribute('data-line') ?? -1)
    if (event.target.name === 'sku') return field(index, 'qty')
    if (event.target.name === 'qty') setLines(now => now)
    field(index + 1, 'sku')
  }
  const paste = (event, index) => {
    const text = event.clipboardData?.getData('text/plain') ?? ''
    if (!/[\t\n]/.test(text.trim())) return
    event.preventDefault()
    const pasted = cells(text, text.includes('\t') ? '\t' : separatorOf(text))
      .map(([sku = '', qty = '']) => newLine(sku.trim(), qty.trim())).filter(line => line.sku || line.qty)
    const n = given.filter(line => line !== lines[index]).length + pasted.length
    setTooMany(n > most ? n : 0)
    if (n > most) return
    setLines(now => [...now.slice(0, index), ...pasted, ...now.slice(index + 1)])
    field(Math.min(index + pasted.length, most - 1), 'sku')
  }
  const remove = (id, index) => {
    setLines(now => now.filter(line => line.id !== id))
    field(index ? index - 1 : 1, 'sku') // as the lines are numbered until they are drawn anew
  }

  const quoted = quote.error || !items.length ? undefined : quote.data
  const fill = () => { // lines that the quote knows; those of which nothing is there go
    const there = /** @type {any[]} */ ([...quoted?.fillable?.items ?? []])
    setLines(now => now.flatMap(line => {
      if (!ready.includes(line)) return [line]
      const i = there.findIndex(({ sku }) => sku === line.sku.trim())
      return i < 0 ? [] : [{ ...line, qty: String(there.splice(i, 1)[0].qty) }]
    }))
  }
  const wrong = line => quote.error?.details?.filter(detail =>
    detail.field.startsWith(`/items/${ready.indexOf(line)}/`)) ?? []

  return html`<h1>${t('New order')}</h1>
    <${Form} label=${t('New order')} class="new-order" onSend=${save}>
    <div ref=${root} class="columns" onKeyDown=${next}>
      <div>
        <div class="pair">
          <${Combo} label=${t('Customer')} name="customer" text=${customerName} find=${findCustomers} placeholder=${t('a part of the name or email')} next=${() => field(0, 'sku')} required autofocus aria-invalid=${!customer && customerName ? true : undefined}
            onText=${text => draft.change({ customerName: text, customer: 0 })}
            onPick=${(option, here) => { draft.change({ customer: Number(option.value), customerName: option.text }); if (here) field(0, 'sku') }} />
          <${Field} label=${t('Reference (optional)')} name="reference" value=${reference} maxlength="100" onInput=${value => draft.change({ reference: value })} />
        </div>
        <div role="group" aria-label=${t('Lines')} class="entry">
          ${lines.map((line, index) => {
            const known = quoted?.items.find(item => item.sku === line.sku.trim())
            const short = quoted?.shortages.find(shortage => shortage.sku === line.sku.trim())
            const bad = given.includes(line) && (line.qty || line.id === marked) && !(pieces(line.qty) > 0)
            const nameless = line.id === marked && line.qty.trim() && !line.sku.trim()
            const missing = { field: '/sku', message: '', params: { rule: 'required' } }
            const mistakes = nameless ? [missing] : wrong(line)
            const look = short || bad || mistakes.length ? 'line wrong' : 'line'
            return html`<div class=${look} data-line=${index} key=${line.id}>
              <${Combo} label=${t('SKU')} name="sku" unlabeled=${index > 0} text=${line.sku} find=${findProducts} placeholder=${index ? '' : t('SKU or a part of the name')} aria-invalid=${mistakes.length ? true : undefined}
                next=${() => field(index, 'qty')} onText=${sku => change(line.id, { sku })} onPaste=${e => paste(e, index)}
                onPick=${(option, here) => {
                  change(line.id, { sku: option.value })
                  if (here) field(index, 'qty')
                }} />
              <label class="field pieces"><span class=${index ? 'unseen' : ''}>${t('Quantity')}</span><input name="qty" inputmode="numeric" autocomplete="off" value=${line.qty} aria-invalid=${bad ? true : undefined}
                onInput=${e => change(line.id, { qty: e.target.value })}
                onBlur=${() => setLines(now => now)} /></label>
              <button type="button" class="plain remove" aria-label=${t('Remove line {n}', { n: index + 1 })}
                hidden=${!line.sku && !line.qty} onClick=${() => remove(line.id, index)}>×</button>
              ${(known || short || bad || mistakes.length > 0) && html`<small class="says">${bad ? t('Quantity must be a whole number above 0.')
                : mistakes.length ? explainDetail(mistakes[0])
                : html`${short && html`<strong>${t('only {n} in stock', { n: number(short.available) })}</strong> · `}${known && `${money(known.unit_price_cents)} × ${number(known.qty)} = ${money(known.subtotal_cents)}`}`}</small>`}
            </div>`
          })}
        </div>
        ${tooMany > 0 && html`<p class="bad" role="alert">
          ${t('An order has {most} lines at most, and these would be {n}: nothing was pasted.',
            { most, n: number(tooMany) })}</p>`}
        <p class="quiet unprinted">${t('SKU, Tab, quantity, Enter. Two columns of a spreadsheet can be pasted into a SKU.')}</p>
      </div>
      <aside aria-label=${t('Quote')} class="quote" aria-live="polite">
        <h2>${t('Quote')}</h2><${Bar} loading=${quote.loading} />
        ${!customer ? html`<p class="quiet">${t('Choose a customer to see prices.')}</p>` : !items.length ? html`<p class="quiet">${t('Give a SKU and a quantity.')}</p>` : ''}
        ${quote.error && html`<p class="bad">${explain(quote.error)[0]}</p>`}
        ${quoted && html`<p class="total">${money(quoted.total_cents)}</p><p>${count(quoted.items.length, '1 product', '{n} products')}, ${count(quoted.items.reduce((n, item) => n + item.qty, 0), '1 piece', '{n} pieces')}</p>
          ${quoted.shortages.length > 0
            ? html`<div class="problem"><p>${t('Not enough in stock:')}</p><ul>${quoted.shortages.map(shortage => html`<li><bdi>${shortage.sku}</bdi>: ${t('{available} of {requested}', { available: number(shortage.available), requested: number(shortage.requested) })}</li>`)}</ul>
              ${quoted.fillable && html`<p><button type="button" disabled=${quote.of !== question}
                onClick=${fill}>${t('Order what is there')}</button></p>`}</div>`
            : html`<p class="good">${t('Everything is in stock.')}</p>`}`}
        <p class="buttons"><button class="first" name="save">${t('Save')}</button><button name="confirm">${t('Save and confirm')}</button>
          <button type="button" class="plain"
            disabled=${sending.phase === 'sending' || sending.phase === 'unknown'}
            onClick=${() => { draft.renew(); sending.clear(); setTooMany(0) }}>${t('Clear')}</button></p>
        <${Outcome} sending=${sending} draft=${draft} />
      </aside>
    </div><//>`
}

/**
 * Asks what the lines would cost, when they have been at rest for a moment. The answer of older lines is dropped.
 * @param {string} question the request as JSON, or null
 */
function useQuote(question) {
  const rest = () => new Promise(resolve => setTimeout(resolve, 200))
  const { data, error, loading } = useLoad('quote ' + question, async signal => {
    const request = JSON.parse(question)
    if (!request) return null
    await rest()
    return signal.aborted ? null : { of: question, quote: (await api.quoteOrder(request, { signal })).data }
  })
  return { data: data?.quote, of: data?.of, error, loading: loading && question !== 'null' }
}
