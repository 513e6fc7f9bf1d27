// A price that is changed in place: only if nobody else has changed the product meanwhile.
import { html, useLayoutEffect, useRef, useState } from './vendor/htm-preact.js'
import { may } from './client.js'
import { Conflict } from './form.js'
import { useProductEdit } from './edit.js'
import { Outcome } from './form.js'
import { cents, money, plainMoney, t } from './words.js'

/** @typedef {import('./client.js').Product} Product */

/**
 * The price as a button; pressed, it is a field. Enter saves, Esc leaves it.
 * @param {{ product: Product, editing: boolean, onEdit: (on: boolean) => void, onChange: (product: Product) => void }} props
 */
export function PriceInPlace({ product, editing, onEdit, onChange }) {
  if (!may('products:write')) return money(product.price_cents)
  if (!editing) return html`<button type="button" class="plain edit" aria-label=${t('Change the price of {sku}, {price}', { sku: product.sku, price: money(product.price_cents) })} onClick=${() => onEdit(true)}>${money(product.price_cents)}</button>`
  return html`<${PriceField} product=${product} onEdit=${onEdit} onChange=${onChange} />`
}

/** @param {{ product: Product, onEdit: (on: boolean) => void, onChange: (product: Product) => void }} props */
function PriceField({ product, onEdit, onChange }) {
  const [text, setText] = useState(plainMoney(product.price_cents))
  const price = cents(text)
  const field = useRef(/** @type {HTMLInputElement | null} */ (null))
  useLayoutEffect(() => { field.current?.focus(); field.current?.select() }, [])
  const edit = useProductEdit(product, onChange)
  const save = event => {
    event.preventDefault()
    if (price === product.price_cents) onEdit(false)
    else if (price !== null) edit.save({ price_cents: price })
  }
  const keys = event => {
    if (event.key !== 'Escape') return
    event.stopPropagation()
    onEdit(false)
  }
  return html`<form class="in-place" onSubmit=${save} onKeyDown=${keys} aria-label=${t('Price of {sku}', { sku: product.sku })}>
    <input class="short" inputmode="decimal" aria-label=${t('Price of {sku}', { sku: product.sku })} aria-invalid=${price === null} value=${text}
      ref=${field} onInput=${e => setText(e.target.value)} />
    <button class="first">${t('Save')}</button><button type="button" onClick=${() => onEdit(false)}>${t('Back')}</button>
    ${price === null && html`<small class="bad">${t('This is no amount.')}</small>`}
    <${Outcome} sending=${edit.sending} />
    ${edit.theirs && html`<${Conflict} fields=${edit.fields} keepMine=${edit.keepMine} takeTheirs=${edit.takeTheirs} />`}
  </form>`
}
