// Looks at the documentation pages as a partner does, in Chromium:
//
//   node .ci/browser.mjs CUSTOMERS_BASE ORDERS_BASE ORCHESTRATOR_BASE SCREENSHOT_DIR
//
// The services must run on their sample data. CHROMIUM names the browser's program (default /usr/bin/chromium), NODE_MODULES the
// folder where playwright-core is installed. One line for each check; the first that fails ends the script with status 1.
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { isDeepStrictEqual as same } from 'node:util'

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'trace']
const ORDER_PATH = '/orchestrator/create-and-confirm-order'
let browser, folder, doing = 'starting'

function check(what, passed, otherwise) {
  if (!passed) throw new Error(`${what}: ${otherwise}`)
  console.log('ok    ' + what)
}

// open returns a page at url, and a function that checks what its visitor should never see: errors in the console, and requests
// to hosts other than those of bases.
async function open(url, ...bases) {
  doing = `opening ${url}`
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.setDefaultTimeout(60_000) // a cold browser on a busy machine
  const errors = [], strangers = [], origins = bases.map(base => new URL(base).origin)
  page.on('pageerror', e => errors.push(e.message))
  page.on('console', m => {
    if (m.type() === 'error' && !m.location().url.endsWith('/favicon.ico')) errors.push(`${m.text()} ${m.location().url}`)
  })
  page.on('request', r => {
    if (/^(http|ws)/.test(r.url()) && !origins.includes(new URL(r.url()).origin)) strangers.push(r.url())
  })
  await page.goto(url, { waitUntil: 'networkidle' })
  return [page, async name => {
    check(`${name}: no console errors`, errors.length === 0, errors.join(' | '))
    check(`${name}: no request to another host`, strangers.length === 0, strangers.join(' '))
    await page.close()
  }]
}

const shoot = (page, name) => page.screenshot({ path: join(folder, name.toLowerCase().replaceAll(' ', '-') + '.png'), fullPage: true })

// fitsPhone checks that nobody has to scroll sideways on a small phone.
async function fitsPhone(page, name) {
  check(`${name}: says how wide it is`, await page.locator('meta[name=viewport]').count() === 1, 'no viewport tag')
  await page.setViewportSize({ width: 320, height: 640 })
  const width = await page.evaluate(() => document.documentElement.scrollWidth)
  check(`${name}: fits a phone`, width <= 320, `it is ${width} pixels wide`)
  await shoot(page, name + ' phone')
}

// documentation checks that Swagger UI shows every operation of the service's document, and returns the document.
async function documentation(base) {
  doing = `reading ${base}/openapi.json`
  const spec = await (await fetch(base + '/openapi.json')).json()
  const name = spec.info.title
  const wanted = Object.entries(spec.paths)
    .flatMap(([path, item]) => METHODS.filter(m => item[m]).map(m => `${m.toUpperCase()} ${path}`)).sort()
  const [page, verdict] = await open(base + '/docs', base)
  await page.waitForSelector('.opblock')
  const shown = await page.$$eval('.opblock', blocks => blocks.map(b => ['method', 'path']
    .map(part => b.querySelector('.opblock-summary-' + part).textContent.replace(/[\s\u200b]/g, '')).join(' ')).sort())
  const missing = wanted.filter(o => !shown.includes(o))
  check(`${name}: /docs shows all ${wanted.length} operations`, wanted.length > 0 && same(shown, wanted),
    `it shows ${shown.length}${missing.length ? ', without ' + missing.join(', ') : ''}`)
  check(`${name}: /docs shows no error box`, await page.locator('.errors-wrapper').count() === 0, 'it does')
  await shoot(page, name)
  await fitsPhone(page, name)
  await verdict(name)
  return spec
}

// placeOrder sends the document's own example from Swagger UI.
async function placeOrder(base, spec) {
  const [page, verdict] = await open(base + '/docs', base)
  doing = 'trying the example order in Swagger UI'
  const block = page.locator('.opblock-post', { has: page.locator(`[data-path="${ORDER_PATH}"]`) })
  await block.locator('.opblock-summary-control').click()
  await block.getByRole('button', { name: 'Try it out' }).click()
  const body = JSON.parse(await block.locator('textarea').inputValue())
  const { example } = spec.paths[ORDER_PATH].post.requestBody.content['application/json']
  check('Try it out: the body is the example of the document', same(body, example), 'it is ' + JSON.stringify(body))
  await block.getByRole('button', { name: 'Execute' }).click()
  const answer = block.locator('.live-responses-table tbody tr').first()
  await answer.waitFor()
  const text = (await answer.innerText()).replace(/\s+/g, ' ').trim()
  check('Execute: 201 and a CONFIRMED order', /^201\b.*"CONFIRMED"/.test(text), text)
  await shoot(page, 'Try it out')
  await verdict('Try it out')
}

// startPage follows every link of the orchestrator's page.
async function startPage(base, bases, specs) {
  const [page, verdict] = await open(base + '/', ...bases)
  await shoot(page, 'Start page')
  const titles = []
  for (const [i, link] of (await page.$$eval('a[href]', all => all.map(a => a.href))).entries()) {
    doing = `following the link to ${link}`
    if (new URL(link).pathname === '/docs') {
      await page.locator('a[href]').nth(i).click()
      titles.push(await page.locator('.info .title').evaluate(h => h.firstChild.textContent.trim()))
      await page.waitForLoadState('networkidle')
      await page.goBack({ waitUntil: 'networkidle' })
    } else {
      const { status } = await fetch(link)
      check(`Start page: ${link} answers`, status === 200, `with ${status}`)
    }
  }
  const wanted = specs.map(s => s.info.title).sort()
  await fitsPhone(page, 'Start page')
  check(`Start page: links to /docs of ${wanted.join(', ')}`, same(titles.sort(), wanted), `they lead to ${titles.join(', ') || 'nothing'}`)
  await verdict('Start page')
}

try {
  const bases = process.argv.slice(2, 5).map(base => base.replace(/\/$/, ''))
  folder = process.argv[5]
  if (!folder) throw new Error('usage: node .ci/browser.mjs CUSTOMERS_BASE ORDERS_BASE ORCHESTRATOR_BASE SCREENSHOT_DIR')
  mkdirSync(folder, { recursive: true })
  const { NODE_MODULES } = process.env // node_modules itself, or the folder that has it
  const { chromium } = createRequire(NODE_MODULES ? join(resolve(NODE_MODULES), '/') : import.meta.url)('playwright-core')
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--headless', '--no-sandbox',
    '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] })
  const specs = []
  for (const base of bases) specs.push(await documentation(base))
  await placeOrder(bases[2], specs[2])
  await startPage(bases[2], bases, specs)
} catch (e) {
  console.log(`FAIL  while ${doing}: ${e.message.split('\n')[0]}`)
  process.exitCode = 1
}
await browser?.close()
