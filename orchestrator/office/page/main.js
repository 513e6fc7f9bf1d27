// The frame of the pages: navigation, the box on top, the keyboard, signing in, and the screen of the path.
import { html, render, useEffect, useRef, useState } from './vendor/htm-preact.js'
import { bearer, may, signIn, useToken } from './client.js'
import { Combo } from './combo.js'
import { findAll, open } from './find.js'
import { begin, isField, isWord, off, once, pass, reach, toHeading } from './focus.js'
import { Dialog, Field, Form } from './form.js'
import { arrive, hasIssuer, leave } from './oidc.js'
import { at, back, go, useRoute } from './router.js'
import { CustomerScreen, NewCustomer } from './screens/customer.js'
import { Customers } from './screens/customers.js'
import { Import } from './screens/import.js'
import { NewOrder } from './screens/new-order.js'
import { OrderScreen } from './screens/order.js'
import { Orders } from './screens/orders.js'
import { NewProduct, ProductScreen } from './screens/product.js'
import { Products } from './screens/products.js'
import { Receive } from './screens/receive.js'
import { Today } from './screens/today.js'
import { walk } from './table.js'
import { exactly, language, t } from './words.js'

/** The screens by their path; {id} is a number. @type {[RegExp, string, (id: number) => any][]} */
const screens = [
  [/^$/, 'Today', () => html`<${Today} />`],
  [/^orders$/, 'Orders', () => html`<${Orders} />`],
  [/^orders\/new$/, 'New order', () => html`<${NewOrder} />`],
  [/^orders\/(\d{1,16})$/, 'Order {id}', id => html`<${OrderScreen} key=${id} id=${id} />`],
  [/^products$/, 'Products', () => html`<${Products} />`],
  [/^products\/new$/, 'New product', () => html`<${NewProduct} />`],
  [/^products\/(\d{1,16})$/, 'Product {id}', id => html`<${ProductScreen} key=${id} id=${id} />`],
  [/^receive$/, 'Receive', () => html`<${Receive} />`],
  [/^customers$/, 'Customers', () => html`<${Customers} />`],
  [/^customers\/new$/, 'New customer', () => html`<${NewCustomer} />`],
  [/^customers\/(\d{1,16})$/, 'Customer {id}', id => html`<${CustomerScreen} key=${id} id=${id} />`],
  [/^import$/, 'Import', () => html`<${Import} />`],
]

const places = /** @type {const} */ ([['', 'Today'], ['orders', 'Orders'], ['products', 'Products'], ['receive', 'Receive'], ['customers', 'Customers'], ['import', 'Import']])

function Office() {
  const { path, query } = useRoute()
  const { token, refused } = useToken()
  const [help, setHelp] = useState(false)
  const [signing, setSigning] = useState(false)
  const main = useRef(/** @type {HTMLElement | null} */ (null))
  const found = screens.find(([pattern]) => pattern.test(path))
  const id = Number(found?.[0].exec(path)?.[1] ?? 0)
  const title = found ? t(found[1], { id }) : t('There is nothing here.')
  useEffect(() => { document.title = `${title} · ${t('Back office')}` }, [title])
  const where = at(path, query), shown = useRef(where)
  useEffect(() => { // a screen of the bar is announced, and Tab goes on from its beginning
    const from = shown.current.split('?')[0] === at(path) ? 'nav a' : 'body, nav a'
    if (shown.current !== where && document.activeElement?.matches(from)) toHeading()
    shown.current = where
  }, [where])
  useKeys(() => setHelp(true))
  const allowed = place => place !== 'receive' && place !== 'import' || may('products:write') || place === 'import' && may('customers:write')
  return html`<a class="skip" href="#main" onClick=${e => { e.preventDefault(); main.current?.focus() }}>${t('To the content')}</a>
    <header class="frame unprinted">
      <nav aria-label=${t('Back office')}>${places.filter(([place]) => allowed(place)).map(([place, name]) => html`<a href=${at(place)} aria-current=${path.split('/')[0] === place ? 'page' : undefined}>${t(name)}</a>`)}</nav>
      <${Box} />
      <div class="corner">
        <button type="button" class="plain" onClick=${() => setSigning(true)}>${token ? bearer().sub ?? t('Signed in') : t('Sign in')}</button>
        <button type="button" class="plain" aria-label=${t('Keyboard and help')} onClick=${() => setHelp(true)}>?</button>
      </div>
    </header>
    <main id="main" ref=${main} tabindex="-1">
      ${refused && html`<${SignIn} refused=${!!token} />`}
      ${!(refused && !token) && (found ? found[2](id) : html`<h1>${title}</h1><p><a href=${at('')}>${t('To the first page')}</a></p>`)}
    </main>
    ${help && html`<${Help} onClose=${() => setHelp(false)} />`}
    ${signing && html`<${Dialog} title=${token ? t('Signed in') : t('Sign in')} onClose=${() => setSigning(false)}><${Account} onDone=${() => setSigning(false)} /><//>`}`
}

/** The box on top: whatever is known of an order, a customer or a product leads there. */
function Box() {
  const [text, setText] = useState('')
  const box = useRef(/** @type {HTMLInputElement | null} */ (null))
  return html`<div class="box" role="search"><${Combo} inputRef=${box} id="box" type="search" unlabeled label=${t('Find an order, a customer or a product')} placeholder=${t('Find: order, SKU, name')} text=${text} maxlength="255"
    leave=${false} onText=${setText} find=${findAll} onPick=${option => { setText(''); box.current?.blur(); open(option) }} aria-keyshortcuts=${localStorage.getItem(off) ? 'Control+K' : '/ Control+K'} />${!localStorage.getItem(off) && html`<kbd aria-hidden="true">/</kbd>`}</div>`
}

/** Asks for a token, when a service wants one. It takes no focus from a field in which somebody writes. @param {{ refused: boolean }} props */
function SignIn({ refused }) {
  const [value, setValue] = useState('')
  return html`<${Form} label=${t('Sign in')} class="sign-in" onSend=${() => signIn(value)}>
    <h1>${t('Sign in')}</h1>
    <p role="alert">${refused ? t('This token is not accepted, or its time is over.') : t('This system needs a token.')} ${t('Ask whoever runs it for a link, made by b2b office, or paste a token here.')}</p>
    ${hasIssuer && html`<${Elsewhere} />`}
    <${Field} label=${t('Token')} type="password" value=${value} onInput=${setValue} autofocus=${!hasIssuer && !isField(document.activeElement)} />
    <p class="buttons"><button class=${hasIssuer ? '' : 'first'}>${t('Sign in')}</button></p>
  <//>`
}

/** Leads to the issuer. */
function Elsewhere() {
  const [error, setError] = useState('')
  return html`<p><button type="button" class="first" autofocus onClick=${() => leave().catch(e => setError(e.message))}>${t('Sign in with your account')}</button></p>
    ${(error || problem) && html`<p class="bad" role="alert">${t('It did not work: {why}', { why: error || problem })}</p>`}`
}

/** Says who is signed in, and signs out. @param {{ onDone: () => void }} props */
function Account({ onDone }) {
  const { token } = useToken()
  const { sub, scope, customer_id: customer, exp } = bearer()
  const [value, setValue] = useState('')
  if (!token) return html`<${Form} label=${t('Sign in')} onSend=${() => { signIn(value); onDone() }}>
    <p>${t('Ask whoever runs it for a link, made by b2b office, or paste a token here.')}</p>
    ${hasIssuer && html`<${Elsewhere} />`}
    <${Field} label=${t('Token')} type="password" value=${value} onInput=${setValue} autofocus=${!hasIssuer} />
    <p class="buttons"><button class=${hasIssuer ? '' : 'first'}>${t('Sign in')}</button><button type="button" onClick=${onDone}>${t('Close')}</button></p><//>`
  return html`<dl class="facts">
      <div><dt>${t('Who')}</dt><dd><bdi>${sub ?? '–'}</bdi></dd></div><div><dt>${t('May do')}</dt><dd>${scope ?? '–'}</dd></div>
      ${customer && html`<div><dt>${t('Customer')}</dt><dd>${t('only customer {id}', { id: customer })}</dd></div>`}
      ${exp && html`<div><dt>${t('Until')}</dt><dd>${exactly(new Date(exp * 1000).toISOString())}</dd></div>`}</dl>
    <p class="buttons"><button type="button" onClick=${() => { signIn(''); onDone() }}>${t('Sign out')}</button><button type="button" class="first" onClick=${onDone}>${t('Close')}</button></p>`
}

const keys = /** @type {const} */ ([
  ['/  ·  Ctrl-K', 'Find anything'], ['↑  ·  k', 'The row above'], ['↓  ·  j', 'The row below'], ['Enter', 'Open the row, press the button'], ['.', 'Next page'], [',', 'First page'],
  ['n', 'New order'], ['r', 'Receive'], ['c', 'To “Confirm”'], ['x', 'To “Cancel”'], ['p', 'To “Print”'], ['e', 'To “Export”'],
  ['1 … 6', 'The screens on top'], ['Ctrl-Enter', 'Send the form'], ['Esc', 'Leave a field or a dialog; else back'], ['?', 'This help'],
])

/** @param {{ onClose: () => void }} props */
function Help({ onClose }) {
  const [on, setOn] = useState(!localStorage.getItem(off))
  const change = event => {
    setOn(event.target.checked)
    if (event.target.checked) localStorage.removeItem(off)
    else localStorage.setItem(off, 'off')
  }
  return html`<${Dialog} title=${t('Keyboard')} onClose=${onClose}>
    <table class="small"><caption class="unseen">${t('Keyboard')}</caption><tbody>${keys.map(([key, does]) => html`<tr><th scope="row"><kbd>${key}</kbd></th><td>${t(does)}</td></tr>`)}</tbody></table>
    <p><label><input type="checkbox" checked=${on} onChange=${change} /> ${t('Single keys work (never while you write)')}</label></p>
    <p role="status">${!on && t('Single keys are off, and ? with them: the button ? on top opens this again, and Ctrl-K finds.')}</p>
    <p class="buttons"><button type="button" class="first" autofocus onClick=${onClose}>${t('Close')}</button></p><//>`
}

/** Reports whether all of a field's text is selected. @param {any} field */
const selects = ({ value, selectionStart, selectionEnd }) => value && selectionStart === 0 && selectionEnd === value.length

/** The keys of the pages. Inside a field only Esc and Ctrl-K are keys; the others are text. @param {() => void} help */
function useKeys(help) {
  useEffect(() => {
    const onKeyDown = event => {
      if (event.defaultPrevented || event.altKey) return
      const find = () => { once(event); begin(document.getElementById('box')) }
      if ((event.ctrlKey || event.metaKey) && event.key === 'k') return find()
      if (event.ctrlKey || event.metaKey || document.querySelector('dialog[open]')) return
      const target = /** @type {HTMLElement} */ (event.target)
      const writes = isField(target)
      if (event.key === 'Escape') return writes ? target.blur() : back()
      if (target.id === 'box' && event.key === '/' && selects(target)) return find() // as a new search begins
      if (writes || localStorage.getItem(off) && event.key.length === 1) return
      if (isWord(event.key)) return pass(event.key) && event.preventDefault()
      const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key]
      const does = {
        '/': find, '?': help, n: () => go(at('orders/new')), r: () => go(at('receive')),
        ...Object.fromEntries(places.map(([place], i) => [String(i + 1), () => go(at(place))])),
      }[event.key]
      if (step && walk(step)) return event.preventDefault()
      if (reach(event.key)) return once(event)
      if (does) {
        once(event)
        does()
      } else if (pass(event.key)) event.preventDefault()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [])
}

document.documentElement.lang = language
let problem = '' // of coming back from the issuer
await arrive().catch(e => { problem = e.message })
render(html`<${Office} />`, /** @type {HTMLElement} */ (document.getElementById('office')))
