// A price that is changed in place: only if nobody else has changed the product meanwhile.
import { html, useLayoutEffect, useRef, useState } from './vendor/htm-preact.js'
import { may } from './client.js'
import { useProductEdit } from './edit.js'
import { begin } from './focus.js'
import { Conflict, Outcome } from './form.js'
import { cents, money, plainMoney, t } from './words.js'

/** @typedef {import('./client.js').Product} Product */

/**
 * The price as a button; pressed, it is a field, as others of a list may be. Enter saves, Esc leaves it.
 * @param {{ product: Product, onChange: (product: Product) => void }} props
 */
export function PriceInPlace({ product, onChange }) {
  const [editing, setEditing] = useState(false)
  if (!may('products:write')) return money(product.price_cents)
  const price = money(product.price_cents)
  const name = t('Change the price of {sku}, {price}', { sku: product.sku, price })
  if (!editing) return html`<button type="button" class="plain edit" aria-label=${name}
    onClick=${() => setEditing(true)}>${price}</button>`
  const changed = now => { setEditing(false); onChange(now) }
  return html`<${PriceField} product=${product} onLeave=${() => setEditing(false)} onChange=${changed} />`
}

/** @param {{ product: Product, onLeave: () => void, onChange: (product: Product) => void }} props */
function PriceField({ product: now, onLeave, onChange }) {
  const [product] = useState(now) // as the clerk saw it
  const [text, setText] = useState(plainMoney(product.price_cents))
  const price = cents(text)
  const field = useRef(/** @type {HTMLInputElement | null} */ (null))
  useLayoutEffect(() => begin(field.current), [])
  const edit = useProductEdit(product, onChange)
  const leave = () => { if (edit.sending.phase !== 'sending') onLeave() } // an answer is still to be shown
  const save = event => {
    event.preventDefault()
    if (price === product.price_cents) leave()
    else if (price !== null) edit.save({ price_cents: price })
  }
  const keys = event => {
    if (event.key !== 'Escape') return
    event.stopPropagation()
    leave()
  }
  return html`<form class="in-place" onSubmit=${save} onKeyDown=${keys} aria-label=${t('Price of {sku}', { sku: product.sku })}>
    <input class="short" inputmode="decimal" aria-label=${t('Price of {sku}', { sku: product.sku })} aria-invalid=${price === null} value=${text}
      ref=${field} onInput=${e => setText(e.target.value)} />
    <button class="first">${t('Save')}</button><button type="button" onClick=${leave}>${t('Keep the old price')}</button>
    ${price === null && html`<small class="bad">${t('This is no amount.')}</small>`}
    <${Outcome} sending=${edit.sending} />
    ${edit.theirs && html`<${Conflict} fields=${edit.fields} keepMine=${edit.keepMine} takeTheirs=${edit.takeTheirs} />`}
  </form>`
}
