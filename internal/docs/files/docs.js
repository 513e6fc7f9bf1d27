// Starts Swagger UI on the page's documents, with what it lacks: a filter that finds operations instead of tags, errors that are
// folded away, and the address of the service that a document is of.
const page = document.getElementById('swagger-ui')

function improve({ React: { createElement: h, useState } }) {
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

  // updateJsonSpec gives the document the address of the service that served it.
  const updateJsonSpec = (original, system) => spec => {
    const url = new URL(system.specSelectors.url(), location).origin
    return original(spec?.servers ? { ...spec, servers: [{ ...spec.servers[0], url }] } : spec)
  }
  return {
    fn: { opsFilter },
    components: { FilterContainer },
    wrapComponents: { response },
    statePlugins: { spec: { wrapActions: { updateJsonSpec } } },
  }
}

const documents = JSON.parse(page.dataset.documents)
document.body.classList.toggle('one', documents.length === 1)
SwaggerUIBundle({
  domNode: page,
  urls: documents,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  plugins: [SwaggerUIBundle.plugins.DownloadUrl, improve],
  layout: 'StandaloneLayout',
  deepLinking: true,
  filter: true,
  persistAuthorization: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
})
