// Starts Swagger UI on the page's documents, with what it lacks: forms that start harmless, a key for each intention, a filter that
// finds operations instead of tags, errors that are folded away, and the address of the service that a document is of.
const page = document.getElementById('swagger-ui')

// Keys that this page has made, and those of them that have had their effect.
const MADE = /\btry-[0-9a-z]{12}\b/g
const fresh = () => 'try-' + [...crypto.getRandomValues(new Uint8Array(12))].map(n => (n % 36).toString(36)).join('')
const spent = new Set()

const KEY = 'X-Idempotency-Key'

// prepare returns a document for this page: with the address of the service that served it, without examples that would fill in
// an optional parameter, without our own formats, and with keys in the examples of orders that no earlier visitor has used.
function prepare(spec, url) {
  spec = structuredClone(spec)
  forgetFormats(spec)
  if (spec.servers) spec.servers = [{ ...spec.servers[0], url }]
  const items = Object.values(spec.paths)
  const operations = items.flatMap(item => Object.values(item)).filter(operation => operation.responses)
  const parameters = [...items, ...operations].flatMap(has => has.parameters ?? [])
  for (const p of [...parameters, ...Object.values(spec.components?.parameters ?? {})]) {
    if (p.required || p.example === undefined) continue
    if (p.name !== KEY) p.description += `\n\n*Example:* \`${p.example}\``
    delete p.example
  }
  for (const { requestBody } of operations) {
    const example = requestBody?.content['application/json']?.example
    const key = fresh()
    for (const name of ['idempotency_key', 'external_ref']) if (example?.items && name in example) example[name] = key
  }
  return spec
}

// forgetFormats removes the formats that OpenAPI does not know, such as trimmed. Their patterns, which they alone have, stay.
function forgetFormats(node) {
  if (node?.pattern) delete node.format
  if (node && typeof node === 'object') Object.values(node).forEach(forgetFormats)
}

function improve({ React: { createElement: h, Fragment, useState } }) {
  // FilterContainer replaces the box whose filter knows tags only.
  const FilterContainer = ({ layoutSelectors, layoutActions }) => {
    const filter = layoutSelectors.currentFilter()
    return h('div', { className: 'filter wrapper' }, h('input', {
      className: 'operation-filter-input', type: 'search', placeholder: 'Filter operations', 'aria-label': 'Filter operations',
      value: filter === true ? '' : filter, onChange: e => layoutActions.updateFilter(e.target.value),
    }))
  }
  const opsFilter = (tags, phrase) => tags
    .map(tag => tag.update('operations', all => all.filter(found(phrase.toLowerCase()))))
    .filter(tag => tag.get('operations').size > 0)
  const found = phrase => op => [op.get('method'), op.get('path'), op.getIn(['operation', 'operationId']), op.getIn(['operation', 'summary'])]
    .join(' ').toLowerCase().includes(phrase)

  // info shows the first paragraph of the document's description; the others stand below the operations.
  const info = ({ info, url, getComponent }) => h('div', { className: 'info' },
    h('h1', { className: 'title' }, info.get('title'), h('small', null, info.get('version'))),
    h(getComponent('Markdown', true), { source: paragraphs(info)[0] }),
    h('p', null, h('a', { href: '#every-call' }, 'How every call works: keys, errors, values, limits'), ' · ', h('a', { href: url }, 'openapi.yaml')))
  const paragraphs = info => info.get('description').split(/\n\n(.*)/s)
  const operations = (Original, { getComponent, specSelectors }) => props => h(Fragment, null, h(Original, props),
    h('section', { id: 'every-call' },
      h('h2', null, 'How every call works'),
      h(getComponent('Markdown', true), { source: paragraphs(specSelectors.info())[1] })))

  // AuthorizeBtnContainer says whether this deployment needs what the button asks for.
  const AuthorizeBtnContainer = (Original, { specSelectors }) => props => h('div', { className: 'authorization' },
    h('p', null, isOpen(specSelectors) ? 'This deployment is open: no token needed.' : 'This deployment needs a token.'), h(Original, props))
  const isOpen = specSelectors => specSelectors.paths().some(item => item.some(operation => operation.get?.('security')?.some(s => s.size === 0)))

  // isAuthorized ignores that an operation needs no token: a lock is closed by a token alone.
  const isAuthorized = original => (state, securities) => original(securities?.filter(s => s.size > 0))

  // response folds an error into one line with its status and its codes.
  const response = Original => props => {
    const [open, setOpen] = useState(false)
    if (props.code < '400') return h(Original, props)
    const codes = props.response.getIn(['content', 'application/json', 'examples'])
    return h('tr', { className: 'folded' }, h('td', { colSpan: 3 },
      h('details', { onToggle: e => setOpen(e.currentTarget.open) },
        h('summary', null, h('b', null, props.code), ' ', codes ? codes.keySeq().join(', ') : ''),
        open && h('table', null, h('tbody', null, h(Original, props))))))
  }

  // execute sends another key when the one in the form has had its effect. A second button repeats the call with the same key, and
  // so does a double click.
  const execute = Original => props => {
    const { operation, path, method, specSelectors, specActions, oas3Selectors, oas3Actions, onExecute, disabled } = props
    const at = [path, method], body = oas3Selectors.requestBodyValue(path, method)
    const filled = (operation.get('parameters')?.toArray() ?? [])
      .map(param => [param, specSelectors.parameterWithMetaByIdentity(at, param).get('value')])
    const keys = [body, ...filled.map(([, value]) => value)].filter(value => typeof value === 'string').join(' ').match(MADE) ?? []
    const renew = () => {
      const next = new Map(keys.filter(key => spent.has(key)).map(key => [key, fresh()]))
      const renewed = text => text.replace(MADE, key => next.get(key) ?? key)
      for (const [param, value] of filled) if (next.has(value)) specActions.changeParamByIdentity(at, param, next.get(value))
      if (typeof body === 'string' && next.size) oas3Actions.setRequestBodyValue({ value: renewed(body), pathMethod: at })
    }
    return h(Fragment, null,
      h(Original, { ...props, specActions: { ...specActions, execute: call => {
        if (!(window.event?.detail > 1)) renew()
        specActions.execute(call)
      } } }),
      keys.some(key => spent.has(key)) && h('button', {
        className: 'btn opblock-control__btn', disabled, onClick: () => { onExecute(); specActions.execute({ operation, path, method }) },
      }, 'Repeat with the same key'))
  }
  const setResponse = (original, { specSelectors }) => (path, method, answer) => {
    const sent = JSON.stringify(specSelectors.requestFor(path, method))
    if (answer.ok || answer.status === 422) for (const key of sent.match(MADE) ?? []) spent.add(key)
    return original(path, method, answer)
  }

  // changeParamByIdentity changes what Swagger UI fills in by itself, which is the first change of a parameter that has an example
  // or a default: a key is a fresh one, and an optional parameter is empty.
  const changeParamByIdentity = (original, { specSelectors }) => (at, param, value, isXml) => {
    const schema = param.get('schema'), has = [param.get('example'), schema?.get('example'), schema?.get('default')]
    const byItself = has.some(v => v !== undefined) && specSelectors.parameterWithMetaByIdentity(at, param).get('value') === undefined
    return original(at, param, !byItself ? value : param.get('name') === KEY ? fresh() : param.get('required') ? value : null, isXml)
  }

  const folder = url => new URL('.', new URL(url, location)).href.slice(0, -1)
  const updateJsonSpec = (original, system) => spec => original(prepare(spec, folder(system.specSelectors.url())))
  return {
    fn: { opsFilter },
    components: { FilterContainer, info, ParameterIncludeEmpty: () => null }, // an empty parameter counts as not given
    wrapComponents: { response, execute, operations, AuthorizeBtnContainer },
    statePlugins: {
      auth: { wrapSelectors: { isAuthorized } },
      spec: { wrapActions: { updateJsonSpec, setResponse, changeParamByIdentity } },
    },
  }
}

// The links above are those of the other services' pages. A page that has their documents, too, shows them itself: there a token
// is entered once.
const documents = JSON.parse(page.dataset.documents)
const links = [...document.querySelectorAll('nav a')].filter(a => documents.length > 1 && documents.some(d => d.name === a.textContent))
const chosen = () => {
  const name = new URLSearchParams(location.search).get('urls.primaryName')
  const found = documents.find(d => d.name === name) ?? documents[0]
  for (const a of links) a.toggleAttribute('aria-current', a.textContent === found.name)
  return found.url
}
const ui = SwaggerUIBundle({
  domNode: page,
  url: chosen(),
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [SwaggerUIBundle.plugins.DownloadUrl, improve],
  layout: 'BaseLayout',
  deepLinking: true,
  filter: true,
  persistAuthorization: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
})
const show = () => {
  const url = chosen()
  if (url === ui.specSelectors.url()) return // another place of the same document
  ui.specActions.updateUrl(url)
  ui.specActions.download(url)
}
for (const a of links) {
  a.addEventListener('click', e => {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return
    e.preventDefault()
    history.pushState(null, '', '?' + new URLSearchParams({ 'urls.primaryName': a.textContent }))
    show()
  })
}
if (links.length) addEventListener('popstate', show)
