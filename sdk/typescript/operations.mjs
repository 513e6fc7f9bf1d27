// Prints what index.ts has to know of each operation, and a name for each schema: operations.mjs CUSTOMERS ORDERS ORCHESTRATOR
//
// Operations for whoever runs the service, those between services, and streams that are not JSON have no method.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

const services = ['customers', 'orders', 'orchestrator']
const documents = process.argv.slice(2).map((file) => parse(readFileSync(file, 'utf8')))
const json = (holder) => holder?.content?.['application/json']?.schema

const schemas = new Map()
const operations = new Map()
documents.forEach((document, i) => {
  const resolve = (it) => (it?.$ref ? it.$ref.slice(2).split('/').reduce((at, key) => at[key], document) : it)
  for (const name of Object.keys(document.components.schemas)) if (!schemas.has(name)) schemas.set(name, services[i])
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of ['get', 'put', 'post', 'patch', 'delete']) {
      const operation = item[method]
      if (!operation || operation.tags.some((tag) => tag === 'Operations' || tag === 'Internal')) continue
      const requestBody = resolve(operation.requestBody)
      const success = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'))
      if (!success.every(([, response]) => json(resolve(response))) || (requestBody && !json(requestBody))) continue

      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve)
      const names = (where) => parameters.filter((p) => p.in === where).map((p) => p.name)
      const properties = Object.keys(resolve(json(requestBody))?.properties ?? {})
      const inputs = [...names('path'), ...names('query'), ...properties]
      const twice = inputs.filter((name, at) => inputs.indexOf(name) !== at)
      if (twice.length) throw new Error(`${operation.operationId}: ${twice} is the name of two inputs`)
      if (requestBody && !properties.length) throw new Error(`${operation.operationId}: its body is no object`)
      if (operations.has(operation.operationId)) throw new Error(`${operation.operationId} is in two documents`)

      const key = names('header').includes('X-Idempotency-Key') ? 'header' : properties.includes('idempotency_key') ? 'body' : 'none'
      operations.set(operation.operationId, {
        summary: operation.summary, deprecated: operation.deprecated,
        facts: { service: services[i], method, path, key, query: names('query'), body: requestBody ? (requestBody.required ? 'required' : 'optional') : 'none' },
      })
    }
  }
})

const out = ['// Generated from the documents by make sdk. DO NOT EDIT.']
for (const service of services) out.push(`import type * as ${service} from './${service}.js';`)
out.push('', `export type Documented = ${services.map((service) => `${service}.operations`).join(' & ')};`, '')
for (const [name, service] of [...schemas].sort()) out.push(`export type ${name} = ${service}.components['schemas']['${name}'];`)
out.push('', 'export const operations = {')
for (const [name, { summary, deprecated, facts }] of operations) {
  out.push(`  /** ${summary}${deprecated ? ' @deprecated' : ''} */`, `  ${name}: ${JSON.stringify(facts)},`)
}
out.push('} as const;')
console.log(out.join('\n'))
