// The start page: the state of the services, the first order, and the same order as code.
const $ = (selector, root = document) => root.querySelector(selector)
const form = $('#first-order')
const { customer, product, quantity, key, token } = form.elements

// ask returns the body of an answer. Its errors are for a person.
async function ask(url, options = {}) {
  const headers = { ...options.headers, ...(token.value && { Authorization: 'Bearer ' + token.value }) }
  let response
  try {
    response = await fetch(url, { ...options, headers })
  } catch {
    throw new Error('No answer.')
  }
  const body = await response.json()
  if (response.ok) return body
  const details = (body.details ?? []).map(d => `${d.field} ${d.message}`)
  throw Object.assign(new Error([`${response.status} ${body.code}: ${body.error}`, ...details].join(' ')), body)
}

for (const row of document.querySelectorAll('[data-base]')) {
  const state = $('.state', row)
  ask(row.dataset.base + '/ready')
    .then(({ version }) => show('good', 'ready', version), () => show('bad', 'not reachable'))
  const show = (look, ...words) => {
    state.classList.add(look)
    state.textContent = words[0]
    if (words[1]) state.append(Object.assign(document.createElement('small'), { textContent: words[1] }))
  }
}

const price = cents => (cents / 100).toLocaleString('en', { minimumFractionDigits: 2 })

// list fills a selection with what a service has.
async function list(select, url, describe) {
  try {
    const { data } = await ask(url)
    select.replaceChildren(...data.map(thing => new Option(describe(thing), thing.id)))
    if (data.length === 0) throw new Error('There is none yet: make one in Swagger UI, or load the sample data with b2b seed.')
  } catch (e) {
    select.replaceChildren(new Option(e.message, ''))
  }
}

async function lists() {
  const chosen = [customer.value || '1', product.value || '2']
  await Promise.all([
    list(customer, form.dataset.customers + '/customers?limit=100', c => c.name),
    list(product, form.dataset.orders + '/products?limit=100', p => `${p.name}: ${price(p.price_cents)}, ${p.stock} in stock`),
  ])
  for (const [i, select] of [customer, product].entries()) {
    if ([...select.options].some(o => o.value === chosen[i])) select.value = chosen[i]
  }
}

const templates = [...document.querySelectorAll('pre code')].map(code => [code, code.textContent])

// renew makes another key for another order, and shows both in the code.
function renew() {
  const random = crypto.getRandomValues(new Uint8Array(9)) // crypto.randomUUID is for https only
  key.value = 'first-order-' + btoa(String.fromCharCode(...random)).replaceAll('+', 'a').replaceAll('/', 'b')
  sent = 0
  $('#answer').replaceChildren()
  for (const [code, text] of templates) {
    code.textContent = text.replaceAll('FIRST-ORDER', key.value)
      .replace(/(customer_?id\W+)1(?=L?\b)/gi, '$1' + (customer.value || 1))
      .replace(/(product_?id\W+)2(?=L?\b)/gi, '$1' + (product.value || 2))
      .replace(/(qty\W+)3(?=L?\b)/gi, '$1' + (quantity.value || 3))
  }
}

let sent
form.addEventListener('change', e => { if (e.target === token) lists(); else renew() })
form.addEventListener('submit', async e => {
  e.preventDefault()
  const answer = $('#answer'), time = ++sent
  const say = (look, words, body) => {
    answer.replaceChildren(Object.assign(document.createElement('p'), { className: look, textContent: words }))
    if (!body) return
    const details = document.createElement('details')
    details.append(Object.assign(document.createElement('summary'), { textContent: 'The answer' }))
    details.append(Object.assign(document.createElement('pre'), { textContent: JSON.stringify(body, null, 2) }))
    answer.append(details)
  }
  say('', 'Waiting for the answer …')
  try {
    const body = await ask('/orchestrator/create-and-confirm-order', {
      method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        customer_id: +customer.value, items: [{ product_id: +product.value, qty: +quantity.value }], idempotency_key: key.value,
      }),
    })
    const { order } = body.data
    say('good', `Order ${order.id} is ${order.status}, ${price(order.total_cents)} in all. ` + (time === 1
      ? 'Place it again: the key makes it the same order.' : `Sent ${time} times with one key, placed once.`), body)
    lists()
  } catch (e) {
    say('bad', e.message + (e.code ? '' : ' Place it again: the key is the same, so it is placed once.'), e.success === false && { ...e })
  }
})

const tabs = [...document.querySelectorAll('[role=tab]')]
const choose = tab => {
  for (const t of tabs) {
    t.setAttribute('aria-selected', t === tab)
    t.tabIndex = t === tab ? 0 : -1
    document.getElementById(t.getAttribute('aria-controls')).hidden = t !== tab
  }
}
for (const [i, tab] of tabs.entries()) {
  tab.addEventListener('click', () => choose(tab))
  tab.addEventListener('keydown', e => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key]
    if (!step) return
    const next = tabs.at((i + step) % tabs.length)
    choose(next)
    next.focus()
  })
}
for (const button of document.querySelectorAll('.copy')) {
  button.addEventListener('click', async () => {
    const code = $('code', button.parentElement)
    getSelection().selectAllChildren(code) // where the clipboard is for https only
    await navigator.clipboard?.writeText(code.textContent)
    button.textContent = navigator.clipboard ? 'Copied' : 'Selected'
  })
}

renew()
lists().then(renew)
