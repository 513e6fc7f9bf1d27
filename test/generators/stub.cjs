// A service of next year, on a port of its own choice, which it prints:
//
//   node stub.cjs DOCUMENT...
//
// Every operation that has an example answers with it, changed as the documents allow: every object of an answer has a field more, and
// what is extensible has a value that no document names. A path that ends in 404 gets such an error.
const { readFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { parse } = require('yaml')

const operations = process.argv.slice(2).flatMap(file => {
  const document = parse(readFileSync(file, 'utf8'))
  const resolve = node => node?.$ref ? node.$ref.slice(2).split('/').reduce((n, key) => n[key], document) : node

  function change(value, schema) {
    schema = resolve(schema)
    for (const part of schema.allOf ?? []) value = change(value, part)
    if (schema['x-extensible-enum']) return 'unknown_value'
    if (Array.isArray(value)) return value.map(v => change(v, schema.items))
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (name in value) value[name] = change(value[name], property)
    }
    if (schema.additionalProperties === true) Object.assign(value, { unknown_field: 'text', unknown_object: { list: [1, 2] } })
    return value
  }

  function answer(response) {
    const json = resolve(response).content['application/json']
    if (!json) return undefined // a file
    const { schema, example, examples } = json
    const value = example ?? Object.values(examples ?? {})[0]?.value
    return value && change(structuredClone(value), schema)
  }

  return Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).filter(([, o]) => o.responses).map(([method, o]) => ({
    method: method.toUpperCase(),
    path: new RegExp('^' + path.replace(/{\w+}/g, '[^/]+') + '$'),
    status: o.responses[201] ? 201 : 200,
    body: answer(o.responses[201] ?? o.responses[200]),
    refusal: o.responses[404] && answer(o.responses[404]),
  })))
})

const server = createServer((request, response) => {
  const path = request.url.split('?')[0]
  const operation = operations.find(o => o.method === request.method && o.path.test(path))
  const [status, body] = path.endsWith('/404') ? [404, operation.refusal] : [operation.status, operation.body]
  request.resume().on('end', () => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body)))
})
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`))
