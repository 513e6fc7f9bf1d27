// Looks at the start page and the documentation pages as a partner does, in Chromium:
//
//   node .ci/browser.mjs CUSTOMERS_BASE ORDERS_BASE ORCHESTRATOR_BASE EVENTS_BASE ... SCREENSHOT_DIR
//
// The services must run on their sample data, on which nobody has executed the documents' examples yet. SERVICE_TOKEN is theirs
// (default dev-service-token), TOKEN a caller's with all scopes, for services that want one, CHROMIUM the browser's program (default /usr/bin/chromium), NODE_MODULES the folder where
// playwright-core is installed. One line for each check; the first that fails ends the script with status 1.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { isDeepStrictEqual as same } from 'node:util'

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'trace']
const FORMATS = ['($int32)', '($int64)', '($date-time)', '($email)'] // those of OpenAPI
const HIGHEST = 3000 // pixels of an operation that is expanded; it was 5 200 with every error's example
// The programs of the start page, and how to run one; those of the other SDKs run where these are tested.
const PROGRAMS = [['curl', 'curl.sh', 'bash'], ['go', 'main.go', 'go', 'run'], ['java'], ['typescript'], ['python']]
const { TOKEN } = process.env
let browser, folder, doing = 'starting'

function check(what, passed, otherwise) {
  if (!passed) throw new Error(`${what}: ${otherwise}`)
  console.log('ok    ' + what)
}

// open returns a page at url, and a function that checks what its visitor should never see: errors in the console, and requests
// to hosts other than those of bases.
async function open(url, bases) {
  doing = `opening ${url}`
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.setDefaultTimeout(60_000) // a cold browser on a busy machine
  const errors = [], strangers = [], origins = bases.map(base => new URL(base).origin)
  page.on('pageerror', e => errors.push(e.message))
  page.on('console', m => {
    const asks = TOKEN && m.text().includes('status of 401') // a page looks before it has a token
    const refused = /status of (400|502)/.test(m.text()) && m.location().url.endsWith('/create-and-confirm-order') // firstOrder asks for it
    if (m.type() === 'error' && !asks && !refused && !m.location().url.endsWith('/favicon.ico')) errors.push(`${m.text()} ${m.location().url}`)
  })
  page.on('request', r => {
    if (/^(http|ws)/.test(r.url()) && !origins.includes(new URL(r.url()).origin)) strangers.push(r.url())
  })
  await page.goto(url, { waitUntil: url.includes('/docs') ? 'networkidle' : 'load' }) // the start page follows the events for ever
  return [page, async name => {
    check(`${name}: no console errors`, errors.length === 0, errors.join(' | '))
    check(`${name}: no request to another host`, strangers.length === 0, strangers.join(' '))
    await page.close()
  }]
}

const shoot = (page, name) => page.screenshot({ path: join(folder, name.toLowerCase().replaceAll(' ', '-') + '.png'), ...(page.context && { fullPage: true }) })

// fitsPhone checks that nobody has to scroll sideways on a small phone.
async function fitsPhone(page, name) {
  check(`${name}: says how wide it is`, await page.locator('meta[name=viewport]').count() === 1, 'no viewport tag')
  await page.setViewportSize({ width: 320, height: 640 })
  const fits = () => document.documentElement.scrollWidth <= 320
  await page.waitForFunction(fits, null, { timeout: 30_000 }).catch(() => {}) // a busy machine resizes the window later
  const width = await page.evaluate(() => document.documentElement.scrollWidth)
  check(`${name}: fits a phone`, width <= 320, `it is ${width} pixels wide`)
  await shoot(page, name + ' phone')
}

// faint returns the texts of a page whose contrast is below 4.5:1. It runs in the page.
const faint = () => {
  const rgba = color => { const n = color.match(/[\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1] }
  const over = (under, top) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]))
  const light = color => {
    const [r, g, b] = color.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const found = []
  for (const e of document.querySelectorAll('body *')) {
    const isHint = e.placeholder && !e.value
    const text = isHint ? e.placeholder : [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join('').trim() || (e.matches('input, textarea') && e.value)
    if (!text || e.matches('option, :disabled') || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
    const layers = []
    let opacity = 1
    for (let at = e; at; at = at.parentElement) {
      layers.unshift(rgba(getComputedStyle(at).backgroundColor))
      opacity *= getComputedStyle(at).opacity
    }
    const back = layers.reduce(over, [255, 255, 255]), ink = rgba(getComputedStyle(e, isHint ? '::placeholder' : null).color)
    const [dark, bright] = [light(back), light(over(back, [...ink.slice(0, 3), ink[3] * opacity]))].sort((a, b) => a - b)
    const ratio = (bright + 0.05) / (dark + 0.05)
    if (ratio < 4.5) found.push(`${e.tagName} "${text.slice(0, 30)}" ${ratio.toFixed(1)}`)
  }
  return [...new Set(found)]
}

async function isReadable(page, name) {
  const found = await page.evaluate(faint)
  check(`18, ${name}: contrast of at least 4.5:1`, found.length === 0, found.join(', '))
}

// onScreen says whether all of an element is in the window.
const onScreen = locator => locator.evaluate(e => {
  const { top, bottom } = e.getBoundingClientRect()
  return top >= 0 && bottom <= innerHeight
})

// inTheDark takes a picture for people to look at, and checks that the page knows of dark mode.
async function inTheDark(page, name) {
  const light = await page.screenshot()
  await page.emulateMedia({ colorScheme: 'dark' })
  check(`${name}: knows dark mode`, !light.equals(await page.screenshot()), 'it looks the same')
  await shoot(page, name + ' dark')
  await page.emulateMedia({ colorScheme: 'light' })
}

// documentation checks that the page shows every operation of a document, and nothing else.
async function documentation(page, spec, name) {
  doing = `reading ${name}`
  const wanted = Object.entries(spec.paths)
    .flatMap(([path, item]) => METHODS.filter(m => item[m]).map(m => `${m.toUpperCase()} ${path}`)).sort()
  await page.locator('.info .title', { hasText: spec.info.title }).waitFor()
  await page.locator('.opblock').first().waitFor()
  const shown = await page.$$eval('.opblock', blocks => blocks.map(b => ['method', 'path']
    .map(part => b.querySelector('.opblock-summary-' + part).textContent.replace(/[\s\u200b]/g, '')).join(' ')).sort())
  const missing = wanted.filter(o => !shown.includes(o))
  check(`${name}: shows all ${wanted.length} operations`, wanted.length > 0 && same(shown, wanted),
    `it shows ${shown.length}${missing.length ? ', without ' + missing.join(', ') : ''}`)
  check(`${name}: shows no error box`, await page.locator('.errors-wrapper').count() === 0, 'it does')
}

// ownPage looks at the page of one service.
async function ownPage(base, bases, spec) {
  const name = spec.info.title
  const [page, verdict] = await open(base + '/docs', bases)
  await documentation(page, spec, name)
  const links = await page.$$eval('nav a', all => all.map(a => a.href).filter(href => href.endsWith('/docs')))
  check(`${name}: links to all services`, same(links.sort(), bases.map(b => b + '/docs').sort()), `it links to ${links.join(', ')}`)
  await shoot(page, name)
  await firstScreen(page, name)
  await page.locator('.opblock-summary-control').first().click()
  await page.locator('.folded').first().waitFor()
  await inTheDark(page, name)
  await fitsPhone(page, name)
  await verdict(name)
}

// firstScreen looks at what stands above the operations, in a small window.
async function firstScreen(page, name) {
  await page.setViewportSize({ width: 1280, height: 800 })
  const about = await page.locator('.info .renderedMarkdown').innerText()
  check(`18, ${name}: three sentences`, about.split(/[.!?](\s|$)/).filter(s => s.trim()).length === 3, about)
  check(`18, ${name}: operations on the first screen`, await onScreen(page.locator('.opblock').nth(1)), 'they are below it')
  check(`18, ${name}: one navigation`, await page.locator('.topbar select').count() === 0 && await page.locator('nav').count() === 1, 'a selector, too')
  check(`18, ${name}: says whether it needs a token`,
    await page.getByText(TOKEN ? 'This deployment needs a token' : 'This deployment is open').count() === 1, 'it does not')
  check(`18, ${name}: locks are open without a token`, await page.locator('.opblock .authorization__btn .locked').count() === 0, 'closed')
  await isReadable(page, name)
  await page.getByRole('link', { name: 'How every call works' }).click()
  const rest = page.locator('#every-call')
  await page.waitForURL(/#every-call$/) // Swagger UI scrolls to it
  check(`18, ${name}: the rest is a link away`, (await rest.innerText()).includes('Correlation.') && await onScreen(rest.locator('h2')), 'it is not')
}

// filter finds an operation by a word of its summary.
async function filter(page) {
  doing = 'filtering operations'
  const box = page.getByRole('searchbox', { name: 'Filter operations' })
  await box.fill('in one call')
  check('Filter: finds an operation by a word', await page.locator('.opblock').count() === 1, 'not the one')
  await box.fill('')
}

// authorize gives the page a token that survives a reload.
async function authorize(page) {
  doing = 'authorizing'
  await page.getByRole('button', { name: 'Authorize' }).click()
  for (const [scheme, token] of [['serviceToken', process.env.SERVICE_TOKEN || 'dev-service-token'], ['bearerAuth', TOKEN]]) {
    if (!token) continue
    const form = page.locator('.auth-container', { hasText: scheme + '\u00a0' }).or(page.locator('.auth-container', { has: page.locator(`code:text-is("${scheme}")`) })).first()
    await form.locator('input').fill(token)
    await form.getByRole('button', { name: 'Apply credentials' }).click()
  }
  await shoot(page, 'Authorize')
  await page.locator('.auth-container .btn-done').first().click()
  await page.reload()
  await page.locator('.authorize.locked').waitFor()
  check('Authorize: survives a reload', true)
}

// execute tries every operation of the document that the page shows, with the values that are filled in, in the page's order.
async function execute(page, name, base) {
  for (const block of await page.locator('.opblock').all()) {
    const path = (await block.locator('.opblock-summary-path').innerText()).replace(/\u200b/g, '')
    const what = `${name}: ${await block.locator('.opblock-summary-method').innerText()} ${path}`
    doing = `executing ${what}`
    await block.locator('.opblock-summary-control').click()
    await block.locator('.folded').first().waitFor()
    const height = await block.evaluate(b => b.offsetHeight)
    check(`${what}: errors are folded`, height <= HIGHEST, `expanded it is ${height} pixels high`)
    await block.getByRole('button', { name: 'Try it out' }).click()
    await startsFresh(block, what)
    await block.getByRole('button', { name: 'Execute' }).click()
    const answer = block.locator('.live-responses-table tbody tr').first()
    await answer.waitFor()
    const status = (await answer.locator('.response-col_status').innerText()).trim()
    check(`${what}: Execute is answered`, /^2\d\d\b/.test(status), (await answer.innerText()).slice(0, 500))
    const url = await block.locator('.request-url pre').innerText()
    check(`${what}: went to its service`, url.startsWith(base + '/'), url)
    await isReadable(page, what)
    await shoot(block, `Try ${what}`.replace(/\W+/g, ' ').trim())
    await block.locator('.opblock-summary-control').click()
  }
}

// startsFresh checks that an operation's form has nothing that its visitor has not asked for.
const keys = new Set()
async function startsFresh(block, what) {
  const rows = await block.locator('tr[data-param-name]').evaluateAll(all => all.map(row => {
    const type = document.createRange()
    type.selectNodeContents(row.querySelector('.parameter__type'))
    return {
      name: row.dataset.paramName, value: row.querySelector('input, select')?.value ?? '', required: !!row.querySelector('.required'),
      isWide: type.getBoundingClientRect().right > row.cells[1].getBoundingClientRect().left - 8,
    }
  }))
  const key = rows.find(row => row.name === 'X-Idempotency-Key')?.value
  const filled = rows.filter(row => !row.required && row.name !== 'X-Idempotency-Key' && row.value)
  check(`17, ${what}: optional parameters are empty`, filled.length === 0, filled.map(row => `${row.name} ${row.value}`).join(', '))
  check(`17, ${what}: its key is new`, key === undefined || /^try-\w{12}$/.test(key) && !keys.has(key), key)
  check(`18, ${what}: types stay in their column`, !rows.some(row => row.isWide), rows.filter(row => row.isWide).map(row => row.name).join(', '))
  const odd = (await block.locator('.prop-format').allInnerTexts()).filter(format => !FORMATS.includes(format))
  check(`17, ${what}: formats are known`, odd.length === 0, odd.join(', '))
  keys.add(key)
}

// clerk works in Swagger UI: looks for a customer, corrects a price, and receives two deliveries of the same size.
async function clerk(page, orders) {
  doing = "doing a clerk's work"
  const read = async path => (await (await fetch(orders + path, { headers: TOKEN ? { Authorization: 'Bearer ' + TOKEN } : {} })).json()).data
  const begin = async (service, operation) => {
    await page.getByRole('navigation').getByRole('link', { name: service }).click()
    await page.locator('.info .title', { hasText: service }).waitFor()
    const block = page.locator('#operations-' + operation)
    await block.locator('.opblock-summary-control').click()
    const start = block.getByRole('button', { name: 'Try it out' })
    if (await start.or(block.getByRole('button', { name: 'Cancel' })).first().innerText() !== 'Cancel') await start.click()
    if (await block.getByRole('button', { name: 'Clear' }).count()) await block.getByRole('button', { name: 'Clear' }).click()
    return block
  }
  const press = async (block, name, status) => {
    const answered = page.waitForResponse(r => r.request().method() !== 'OPTIONS' && r.url().startsWith('http'))
    await block.getByRole('button', { name }).click()
    const answer = await answered
    check(`17: ${name} is answered`, answer.status() === status, `with ${answer.status()}`)
    await page.waitForTimeout(300)
    return answer
  }
  let block = await begin('Customers API', 'Customers-listCustomers')
  await block.locator('tr[data-param-name=search] input').fill('globex')
  const { data } = await (await press(block, 'Execute', 200)).json()
  check('17: a search finds what it names', data.length === 1 && /globex/i.test(data[0].name), JSON.stringify(data))

  block = await begin('Orders API', 'Products-updateProduct')
  const { stock } = await read('/products/2')
  await block.locator('textarea').fill((await block.locator('textarea').inputValue()).replace('129900', '129800'))
  await press(block, 'Execute', 200)
  const changed = await read('/products/2')
  check('17: a new price changes no stock', changed.price_cents === 129800 && changed.stock === stock, JSON.stringify(changed))

  block = await begin('Orders API', 'Products-adjustStock')
  for (const [button, deliveries] of [['Execute', 1], ['Execute', 2], ['Repeat with the same key', 2]]) {
    await press(block, button, 201)
    const now = await read('/products/2')
    check(`17: after ${button}, ${deliveries} deliveries count`, now.stock === stock + 40 * deliveries, `${now.stock} pieces, of ${stock}`)
  }
  await block.getByRole('button', { name: 'Execute' }).dblclick()
  await page.waitForTimeout(1000)
  const last = await read('/products/2')
  check('17: a double click counts once', last.stock === stock + 120, `${last.stock} pieces, of ${stock}`)

  block = await begin('Orders API', 'Orders-createOrder')
  const first = await (await press(block, 'Execute', 201)).json(), second = await (await press(block, 'Execute', 201)).json()
  check('17: two orders are two', first.data.id !== second.data.id, `order ${first.data.id} twice`)
}

// onePage tries every operation of all documents on the page of the orchestrator.
async function onePage(base, bases, specs) {
  const [page, verdict] = await open(base + '/docs', bases)
  const nav = page.getByRole('navigation'), select = { selectOption: name => nav.getByRole('link', { name }).click() }
  const names = (await nav.getByRole('link').allInnerTexts()).filter(name => !['Start page', 'Error codes'].includes(name))
  check('One page: has all documents', same(names.toSorted(), specs.map(s => s.info.title).sort()), names.join(', '))
  await select.selectOption('Customers API')
  check('One page: shows another document itself', page.url().startsWith(base + '/docs?'), page.url())
  await documentation(page, specs[0], 'One page, Customers API')
  await authorize(page)
  for (const [i, spec] of specs.entries()) {
    const name = 'One page, ' + spec.info.title
    await select.selectOption(spec.info.title)
    await documentation(page, spec, name)
    const server = await page.locator('.servers select').inputValue()
    check(`${name}: names its own server`, server === bases[i], server)
    await execute(page, name, bases[i])
    check(`18, ${name}: its navigation says where it is`, await nav.locator('[aria-current]').innerText() === spec.info.title, 'it does not')
  }
  await select.selectOption('Orchestrator')
  await filter(page)
  await clerk(page, bases[1])
  await fitsPhone(page, 'One page')
  await verdict('One page')
}

// belowPath looks at the page of a service through a proxy that serves it below /b2b.
async function belowPath(base, bases) {
  const proxy = createServer(({ url, headers }, answer) => url.startsWith('/b2b/')
    ? get(base + url.slice('/b2b'.length), { headers }, from => from.pipe(answer.writeHead(from.statusCode, from.headers)))
    : answer.writeHead(404).end())
  await once(proxy.listen(0, 'localhost'), 'listening')
  const at = `http://localhost:${proxy.address().port}/b2b`
  for (const path of ['/docs', '/docs/']) {
    const [page, verdict] = await open(at + path, [at, ...bases])
    const block = page.locator('.opblock', { hasText: '/health' }).first()
    await block.locator('.opblock-summary-control').click()
    await block.getByRole('button', { name: 'Try it out' }).click()
    await block.getByRole('button', { name: 'Execute' }).click()
    const asked = await block.locator('.request-url pre').innerText()
    check(`15, below a path, ${path}: Execute goes through the proxy`, asked === at + '/health', asked)
    await page.getByRole('link', { name: 'Error codes' }).click()
    check(`15, below a path, ${path}: a link, too`, page.url() === at + '/docs/errors', page.url())
    await page.getByRole('searchbox').waitFor()
    await verdict(`Below a path, ${path}`)
  }
  proxy.close()
}

// pagesCalls sends what README.md and docs/quickstart-curl.md send with the keys that the documents' examples ask for.
async function pagesCalls(customers, orders, orchestrator) {
  doing = "placing the README's orders"
  const lines = { customer_id: 1, items: [{ product_id: 2, qty: 3 }] }
  for (const [url, key, body] of [
    [customers + '/customers', 'my-customer-1', { name: 'Tech Solutions Inc', email: 'contact@techsolutions.com' }],
    [orders + '/orders', 'my-order-1', lines],
    [orchestrator + '/orchestrator/create-and-confirm-order', 'order-2024-001', { ...lines, idempotency_key: 'order-2024-001' }],
  ]) {
    const { status } = await fetch(url, {
      method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Idempotency-Key': key, ...(TOKEN && { Authorization: 'Bearer ' + TOKEN }) }, body: JSON.stringify(body),
    })
    check(`README: ${key} is placed`, status === 201, `with ${status}`)
  }
}

// firstOrder fills in the form of the start page, twice the same, and runs its curl command.
async function firstOrder(base, bases) {
  const [page, verdict] = await open(base + '/', bases)
  doing = 'placing the first order'
  await page.locator('.state.good').nth(bases.length - 1).waitFor()
  check('Start page: all services are ready', true)
  await page.setViewportSize({ width: 1280, height: 800 })
  if (TOKEN) {
    const texts = await page.locator('select').allInnerTexts()
    check('19: what is wrong stands above the form', await page.getByRole('alert').getByText('needs a token').count() === 1 && texts.join('').trim() === '', texts.join())
    await page.getByRole('button', { name: 'Place and confirm' }).click()
    check('19: without a token, the token is asked for first', await page.locator('input[name=token]:invalid:focus').count() === 1, 'it is not')
    await page.locator('input[name=token]').fill(TOKEN)
    await page.locator('input[name=token]').blur()
  }
  check('Start page: the programs say where a token goes, when one is needed',
    await page.getByText('-H "Authorization: Bearer $B2B_TOKEN"').isVisible() === !!TOKEN, 'they do not')
  await page.getByLabel('Quantity').fill('2')
  await page.getByLabel('Quantity').blur()
  await page.locator('select[name=product] option').first().waitFor({ state: 'attached' }) // with the token come the products
  const key = await page.getByLabel('Idempotency key').inputValue()
  const tops = await Promise.all(['#first-order', 'table'].map(part => page.locator(part).evaluate(e => e.offsetTop)))
  check('19: the first order stands above the services', tops[0] < tops[1], tops.join())
  check('19: amounts have a currency', /\$1,29[89]\.00/.test(await page.locator('select[name=product]').innerText()), await page.locator('select[name=product]').innerText())
  const place = async sentence => {
    await page.getByRole('button', { name: 'Place and confirm' }).click()
    await page.locator('#answer p', { hasText: sentence }).waitFor()
    check('19: the answer is on the screen', await onScreen(page.locator('#answer p')), 'it is not')
    return (await page.locator('#answer p').innerText()).match(/^Order (\d+)/)[1]
  }
  const first = await place('the same order'), again = await place('placed once')
  check('Start page: placed twice with one key is one order', first === again, `orders ${first} and ${again}`)
  for (const [language, file, ...command] of PROGRAMS) {
    doing = `running the ${language} of the start page`
    const code = await page.locator(`#${language} code`).textContent()
    check(`Start page: the ${language} has the key and the address`, code.includes(key) && code.includes(base), code)
    if (!command.length || TOKEN) continue // programs read their token from elsewhere
    writeFileSync(join(folder, file), code)
    const said = execFileSync(command[0], [...command.slice(1), join(resolve(folder), file)], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
    check(`Start page: the ${language} gets the same order`, new RegExp(`order( |.*"id":)${first}\\b`).test(said), said)
  }
  await page.getByLabel('Quantity').fill('1')
  await page.getByLabel('Quantity').blur()
  check('Start page: another order has another key', await page.getByLabel('Idempotency key').inputValue() !== key, key)
  await page.getByLabel('Quantity').fill('900000')
  await page.getByRole('button', { name: 'Place and confirm' }).click()
  await page.locator('#answer p.bad').waitFor()
  const refusal = await page.locator('#answer p').innerText()
  check('19: errors are words', /enough stock.*you ask for 900000/.test(refusal) && !/\/\w|_|^\d/.test(refusal), refusal)
  doing = 'reading the answer of a proxy'
  const placing = '**/create-and-confirm-order'
  for (const [body, contentType] of [['<html><h1>502 Bad Gateway</h1></html>', 'text/html'], ['{"message": "Bad Gateway"}', 'application/json']]) {
    await page.route(placing, route => route.fulfill({ status: 502, contentType, body }))
    await page.getByRole('button', { name: 'Place and confirm' }).click()
    const answer = page.locator('#answer p.bad', { hasText: 'it is placed once' })
    await answer.waitFor()
    const said = await answer.innerText()
    check(`Start page: a proxy's ${contentType} is said in words`, /^The service cannot be reached: .* with status 502\. Place it again/.test(said), said)
    await page.unroute(placing)
  }
  await page.getByLabel('Quantity').fill('1')
  await page.getByLabel('Quantity').blur()
  await manyProducts(page, bases[1])
  await isReadable(page, 'Start page')
  await page.getByRole('tab', { name: 'Go', exact: true }).click()
  check('Start page: tabs show one language', await page.locator('[role=tabpanel]:visible').count() === 1, 'they do not')
  await shoot(page, 'Start page')
  await inTheDark(page, 'Start page')
  await fitsPhone(page, 'Start page')
  await verdict('Start page')
}

// staleFeed opens the start page behind a proxy that answers every question for events with the same page. Its feed would ask without end.
async function staleFeed(base, bases) {
  const [page, verdict] = await open('about:blank', bases)
  doing = 'reading a stale copy of the feed'
  let asked = 0
  const data = [{ position: 6, type: 'order.created', subject_id: 1, actor: 'erp', created_at: '2024-03-01T09:30:00.000Z' }]
  await page.route('**/events?*', route => {
    asked++
    return route.fulfill({ json: { success: true, data, meta: { next_after: 6, last_position: 9 } }, headers: { 'Access-Control-Allow-Origin': '*' } })
  })
  await page.goto(base + '/')
  await page.locator('#live li').first().waitFor()
  await page.waitForTimeout(1000)
  const shown = await page.locator('#live li').count()
  check('Start page: a stale copy of the feed shows its event once, and is not asked for at once', shown === 1 && asked <= 3, `${shown} times, ${asked} requests`)
  await verdict('Stale feed')
}

// manyProducts finds, on the start page, one of more products than a list has.
async function manyProducts(page, orders) {
  doing = 'finding one product of many'
  const rows = Array.from({ length: 150 }, (_, i) => JSON.stringify({ sku: `PART-${1000 + i}`, name: `Part ${1000 + i}`, price_cents: 250, stock: 9 }))
  const { status } = await fetch(orders + '/products/import', {
    method: 'POST', headers: { 'Content-Type': 'application/x-ndjson', ...(TOKEN && { Authorization: 'Bearer ' + TOKEN }) }, body: rows.join('\n'),
  }).then(async answer => (await answer.text(), answer))
  check('19: 150 products more', status === 200, `with ${status}`)
  await page.reload()
  if (TOKEN) {
    await page.locator('input[name=token]').fill(TOKEN)
    await page.locator('input[name=token]').blur()
  }
  const key = await page.getByLabel('Idempotency key').inputValue(), product = page.locator('select[name=product]')
  await page.getByLabel('Find a product').fill('part 1149')
  await product.locator('option', { hasText: 'Part 1149' }).waitFor({ state: 'attached' })
  check('19: a box finds one product of many', /^Part 1149/.test(await product.innerText()), await product.innerText())
  check('19: what was found is another order', await page.getByLabel('Idempotency key').inputValue() !== key, key)
  await page.getByRole('button', { name: 'Place and confirm' }).click()
  await page.locator('#answer p', { hasText: '$2.50' }).or(page.locator('#answer p', { hasText: '$7.50' })).waitFor()
}

// links follows every link of the start page.
async function links(base, bases) {
  const [page] = await open(base + '/', bases)
  for (const link of await page.$$eval('a[href]', all => all.map(a => a.href))) {
    doing = `following the link to ${link}`
    const { status } = await fetch(link)
    check(`Start page: ${link} answers`, status === 200, `with ${status}`)
  }
  await page.close()
  const [codes, verdict] = await open(base + '/docs/errors', bases)
  doing = 'reading the error codes'
  const listed = await codes.locator('#contents a').allInnerTexts(), headings = await codes.locator('h2').allInnerTexts()
  check('22: contents name every code', listed.length > 20 && same(listed, headings), listed.join(', '))
  await codes.getByRole('searchbox').fill('enough stock')
  const left = await codes.locator('h2:visible').allInnerTexts()
  check('22: a search leaves the codes with its words', left.length < 5 && left.includes('insufficient_stock'), left.join(', '))
  check('22: and says when there are none', await codes.getByRole('searchbox').fill('zebra').then(() => codes.getByText('No code has these words.').isVisible()), 'it does not')
  await codes.goto(base + '/docs/errors#timeout')
  check('22: a link shows its code', await onScreen(codes.locator('#timeout')), 'it is not on the screen')
  check('22: search and way back stay on the screen', await onScreen(codes.getByRole('searchbox')) && await onScreen(codes.locator(`nav a[href="../docs"]`)), 'they do not')
  await isReadable(codes, 'Error codes')
  await inTheDark(codes, 'Error codes')
  await fitsPhone(codes, 'Error codes')
  await verdict('Error codes')
}

try {
  const bases = process.argv.slice(2, -1).map(base => base.replace(/\/$/, ''))
  folder = process.argv.at(-1)
  if (bases.length < 4) throw new Error('usage: node .ci/browser.mjs CUSTOMERS_BASE ORDERS_BASE ORCHESTRATOR_BASE EVENTS_BASE SCREENSHOT_DIR')
  mkdirSync(folder, { recursive: true })
  const { NODE_MODULES } = process.env // node_modules itself, or the folder that has it
  const { chromium } = createRequire(NODE_MODULES ? join(resolve(NODE_MODULES), '/') : import.meta.url)('playwright-core')
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--headless', '--no-sandbox',
    '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] })
  const specs = await Promise.all(bases.map(async base => (await fetch(base + '/openapi.json')).json()))
  for (const [i, spec] of specs.entries()) await ownPage(bases[i], bases, spec)
  await belowPath(bases[0], bases)
  await pagesCalls(...bases)
  await onePage(bases[2], bases, specs)
  await firstOrder(bases[2], bases)
  await staleFeed(bases[2], bases)
  await links(bases[2], bases)
} catch (e) {
  console.log(`FAIL  while ${doing}: ${e.message.split('\n')[0]}`)
  process.exitCode = 1
}
await browser?.close()
