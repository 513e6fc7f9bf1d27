// Prints what index.ts has to know of each operation, and a name for each schema: operations.mjs CUSTOMERS ORDERS EVENTS ORCHESTRATOR
//
// Operations for whoever runs the service and those between services have no method. Imports and exports are of one JSON object a line.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

const services = ['customers', 'orders', 'events', 'orchestrator']
const documents = process.argv.slice(2).map((file) => parse(readFileSync(file, 'utf8')))
const json = (holder) => holder?.content?.['application/json']?.schema

const lines = (holder) => holder?.content?.['application/x-ndjson']
const csvOnly = ['format', 'encoding', 'delimiter', 'bom', 'lines'] // parameters that say nothing about JSON

const schemas = new Map()
const operations = new Map()
const files = new Map()
const shapes = new Map()
documents.forEach((document, i) => {
  const resolve = (it) => (it?.$ref ? it.$ref.slice(2).split('/').reduce((at, key) => at[key], document) : it)
  // shape returns what index.ts has to check of an answer's part: its type, with a question mark when it may be null; the name of an
  // object; a list of one; or an object, whose fields have a question mark when they may be missing.
  const shape = (schema) => {
    const at = resolve(schema)
    const nullable = at.nullable || schema.nullable ? '?' : ''
    if (at.type === 'array') {
      if (nullable) throw new Error(`a list that may be null: ${JSON.stringify(at)}`)
      return [shape(at.items)]
    }
    if (at.type && at.type !== 'object') return (at.format === 'date-time' ? 'time' : at.type) + nullable
    if (!schema.$ref) return at.properties || at.allOf ? fields(at) : `object${nullable}`
    const name = schema.$ref.split('/').at(-1)
    if (!at.properties && !at.allOf) return `object${nullable}`
    if (!shapes.has(name)) shapes.set(name, null).set(name, fields(at))
    return name + nullable
  }
  const fields = (schema) => Object.assign(
    {},
    ...(schema.allOf ?? []).map((part) => fields(resolve(part))),
    ...Object.entries(schema.properties ?? {}).map(([name, of]) => ({ [schema.required?.includes(name) ? name : `${name}?`]: shape(of) })),
  )
  for (const name of Object.keys(document.components.schemas)) if (!schemas.has(name)) schemas.set(name, services[i])
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of ['get', 'put', 'post', 'patch', 'delete']) {
      const operation = item[method]
      if (!operation || operation.tags.some((tag) => tag === 'Operations' || tag === 'Internal')) continue
      const requestBody = resolve(operation.requestBody)
      const success = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'))
      if (success.length !== 1) throw new Error(`${operation.operationId} has several successes`)
      const [[status, response]] = success.map(([status, response]) => [Number(status), resolve(response)])
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve)
      const names = (where) => parameters.filter((p) => p.in === where).map((p) => p.name)
      const moments = parameters.filter((p) => resolve(p.schema).format === 'date-or-date-time').map((p) => p.name)
      const { summary, deprecated } = operation
      if (lines(response)) {
        const query = names('query').filter((name) => !csvOnly.includes(name))
        files.set(operation.operationId, {
          summary, deprecated, row: (lines(requestBody) ?? lines(response))['x-row'].$ref.split('/').at(-1),
          facts: { service: services[i], method, path, query, moments, answer: shape(lines(response)['x-row']) },
        })
        continue
      }
      const properties = Object.keys(resolve(json(requestBody))?.properties ?? {})
      const inputs = [...names('path'), ...names('query'), ...properties]
      const twice = inputs.filter((name, at) => inputs.indexOf(name) !== at)
      if (twice.length) throw new Error(`${operation.operationId}: ${twice} is the name of two inputs`)
      if (requestBody && !properties.length) throw new Error(`${operation.operationId}: its body is no object`)
      if (operations.has(operation.operationId)) throw new Error(`${operation.operationId} is in two documents`)

      const key = names('header').includes('X-Idempotency-Key') ? 'header' : properties.includes('idempotency_key') ? 'body' : 'none'
      operations.set(operation.operationId, {
        summary, deprecated,
        facts: {
          service: services[i], method, path, key, query: names('query'), moments,
          body: requestBody ? (requestBody.required ? 'required' : 'optional') : 'none',
          status, answer: shape(json(response)), limit: parameters.find((p) => p.name === 'limit')?.schema.maximum,
        },
      })
    }
  }
})

const out = ['// Generated from the documents by make sdk. DO NOT EDIT.']
for (const service of services) out.push(`import type * as ${service} from './${service}.js';`)
out.push('', `export type Documented = ${services.map((service) => `${service}.operations`).join(' & ')};`, '')
for (const [name, service] of [...schemas].sort()) out.push(`export type ${name} = ${service}.components['schemas']['${name}'];`)
const table = (name, entries) => {
  out.push('', `export const ${name} = {`)
  for (const [id, { summary, deprecated, facts }] of entries) {
    out.push(`  /** ${summary}${deprecated ? ' @deprecated' : ''} */`, `  ${id}: ${JSON.stringify(facts)},`)
  }
  out.push('} as const;')
}
table('operations', operations)
table('files', files)
out.push('', '/** What a row of each file is. */', 'export interface Rows {', ...[...files].map(([id, { row }]) => `  ${id}: ${row};`), '}')
out.push('', 'export type Shape = string | readonly [Shape] | { readonly [field: string]: Shape };', '', 'export const shapes: Record<string, Shape> = {')
for (const [name, shape] of [...shapes].sort()) out.push(`  ${name}: ${JSON.stringify(shape)},`)
out.push('};')
console.log(out.join('\n'))
