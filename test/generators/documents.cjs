// Variants of a document, for test/generators/run:
//
//   node documents.cjs grown DOCUMENT OUT               with one more value in every enum, one more field in every object
//   node documents.cjs shrunk DOCUMENT OUT              without the first field of every object
//   node documents.cjs without-operations DOCUMENT OUT  without what every service has
//   node documents.cjs without-patterns DOCUMENT OUT    without the patterns of formats
//   node documents.cjs without-imports DOCUMENT OUT     without the operations whose body is a file
//   node documents.cjs lists DOCUMENT                   prints the paths of lists, with their examples filled in
const { readFileSync, writeFileSync } = require('node:fs')
const { parse, stringify } = require('yaml')

const [variant, file, out] = process.argv.slice(2)
const document = parse(readFileSync(file, 'utf8'))

const resolve = part => part.$ref ? part.$ref.slice(2).split('/').reduce((node, key) => node[key], document) : part

function grow(node, key) {
  if (typeof node !== 'object' || node === null || key === 'not') return
  for (const values of [node.enum, node['x-extensible-enum']]) values?.push('one_more')
  Object.entries(node).forEach(([key, child]) => grow(child, key))
  if (node.properties) node.properties.one_more = { type: 'string' }
}

function shrink(node) {
  if (typeof node !== 'object' || node === null) return
  Object.values(node).forEach(shrink)
  const [first] = Object.keys(node.properties ?? {})
  if (first) delete node.properties[first]
  if (Array.isArray(node.required)) node.required = node.required.filter(name => name !== first)
}

function drop(node) {
  if (typeof node !== 'object' || node === null) return
  if (node.format) delete node.pattern
  Object.values(node).forEach(drop)
}

const variants = {
  grown: () => grow(document.components),
  shrunk: () => shrink(document.components),
  'without-operations': () => {
    for (const path of ['/health', '/ready']) delete document.paths[path]
    document.tags = document.tags.filter(tag => tag.name !== 'Operations')
  },
  'without-patterns': () => drop(document),
  'without-imports': () => {
    for (const path of Object.keys(document.paths)) {
      if (path.endsWith('/import')) delete document.paths[path]
    }
  },
  lists: () => {
    for (const [path, item] of Object.entries(document.paths)) {
      if (!item.get?.operationId.startsWith('list')) continue
      const parameters = [...item.parameters ?? [], ...item.get.parameters].map(resolve)
      if (!parameters.some(p => p.name === 'cursor')) continue // the feed, which has no last page
      console.log(path.replace(/{(\w+)}/g, (_, name) => parameters.find(p => p.name === name).example))
    }
  },
}
variants[variant]()
if (out) writeFileSync(out, stringify(document, { aliasDuplicateObjects: false }))
