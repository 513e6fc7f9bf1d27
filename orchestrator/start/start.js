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
  const body = await response.json().catch(() => null) // HTML of a proxy
  if (body && response.ok) return body
  if (!body?.error) throw new Error(`The service cannot be reached: something before it, such as a proxy, has answered with status ${response.status}.`)
  const sentences = [body.error, ...(body.details ?? []).map(inWords)]
  throw Object.assign(new Error(sentences.map(s => /[.!?]$/.test(s) ? s : s + '.').join(' ')), { body, status: response.status })
}

// inWords says a detail in the words of the form.
const FIELDS = { customer_id: 'Customer', product_id: 'Product', qty: 'Quantity', idempotency_key: 'Idempotency key' }
function inWords({ field, message, params }) {
  if (params?.available !== undefined) {
    return `Quantity: you ask for ${params.requested}, and ${params.available} of ${params.sku ?? 'this product'} are in stock`
  }
  const name = FIELDS[field.split('/').at(-1)]
  return name ? `${name}: ${message}` : message
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

// follow shows the last events, and each next one, until a token is needed or another one given.
const live = $('#live'), shown = 8
let following
async function follow() {
  const mine = following = {}, events = live.dataset.events + '/events'
  for (let after; following === mine;) {
    try {
      after ??= Math.max(0, (await ask(events + '?limit=1')).meta.last_position - shown)
      const { data, meta } = await ask(`${events}?wait=30&after=${after}`)
      if (following !== mine) return
      if (meta.next_after < after || data.length && meta.next_after === after) throw new Error('The events would come again.')
      after = meta.next_after
      live.hidden = false
      for (const e of data) {
        const what = `${e.type} ${e.subject_id}`, when = new Date(e.created_at).toLocaleString('en')
        const item = Object.assign(document.createElement('li'), { value: e.position, textContent: what })
        item.append(Object.assign(document.createElement('small'), { textContent: ` ${when}, by ${e.actor}` }))
        $('ol', live).prepend(item)
      }
      for (const old of [...$('ol', live).children].slice(shown)) old.remove()
    } catch ({ status, body }) {
      if (status === 401 || status === 403) return
      if (status === 410) after = body.details[0].params.last_position
      else await new Promise(done => setTimeout(done, 10_000))
    }
  }
}
if (live.dataset.events) {
  follow()
  token.addEventListener('change', () => { $('ol', live).replaceChildren(); follow() })
}

const price = cents => (cents / 100).toLocaleString('en', { style: 'currency', currency: form.dataset.currency, minimumFractionDigits: 2 })

// choices are the lists of the form: where each comes from, and what a line of it says.
const choices = [
  { select: customer, first: '1', url: form.dataset.customers + '/customers?limit=100', describe: c => c.name },
  { select: product, first: '2', url: form.dataset.orders + '/products?active=true&limit=100', describe: p => `${p.name}: ${price(p.price_cents)}, ${p.stock} in stock` },
].map(choice => ({ ...choice, find: $(`[data-for=${choice.select.name}]`), asked: 0 }))

// list fills a selection with what its service has, or finds. Where that is more than a page, there is a box to find the others.
async function list(choice) {
  const { select, find, url, describe } = choice, asked = ++choice.asked, search = find.value.trim()
  const { data, meta } = await ask(url + '&search=' + encodeURIComponent(search))
  if (asked !== choice.asked) return // a later answer is on its way
  const chosen = select.value || choice.first
  select.replaceChildren(...data.map(thing => new Option(describe(thing), thing.id)))
  if (meta.nextCursor !== null) {
    find.parentElement.hidden = false
    select.append(Object.assign(new Option('… and more: find it above', ''), { disabled: true }))
  }
  if (data.some(thing => String(thing.id) === chosen)) select.value = chosen
  if (data.length) return
  select.replaceChildren(new Option(search ? 'Nothing found' : 'None yet', ''))
  if (!search) throw new Error(`There is no ${select.name} yet: make one in Swagger UI, or load the sample data with b2b seed.`)
}

// lists fills both, and says above the form what is wrong.
async function lists() {
  const before = customer.value + ' ' + product.value
  const results = await Promise.allSettled(choices.map(list))
  complain(results.find(result => result.reason)?.reason)
  if (customer.value + ' ' + product.value !== before) renew()
}

function complain(error) {
  const problem = $('#problem'), isToken = error?.status === 401
  problem.hidden = !error
  problem.textContent = !isToken ? error?.message : token.value ? 'This token is not accepted.'
    : 'This deployment needs a token. Ask whoever runs it for one, or make one with b2b token, and paste it here.'
  if (!isToken) return
  $('#needs-token').hidden = $('#token-of-program').hidden = false
  token.required = true
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
form.addEventListener('change', e => { if (e.target === token) lists(); else if (e.target.type !== 'search') renew() })
for (const choice of choices) {
  let typing
  choice.find.addEventListener('input', () => {
    clearTimeout(typing)
    typing = setTimeout(lists, 250)
  })
  choice.find.addEventListener('keydown', e => { if (e.key === 'Enter') e.preventDefault() }) // it would place the order
}
form.addEventListener('submit', async e => {
  e.preventDefault()
  const answer = $('#answer'), time = ++sent
  const say = (look, words, body) => {
    answer.replaceChildren(Object.assign(document.createElement('p'), { className: look, textContent: words }))
    answer.scrollIntoView({ block: 'nearest' })
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
    say('bad', e.message + (e.body ? '' : ' Place it again: the key is the same, so it is placed once.'), e.body)
    if (e.status === 401) complain(e)
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
lists()
