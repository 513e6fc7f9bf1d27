// Compares the English texts of the back office with their Spanish: node test/office/texts.mjs FOLDER_OF_THE_PAGES
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]
const { spanish } = await import(join(folder, 'spanish.js'))
const sources = readdirSync(folder, { recursive: true }).map(String)
  .filter(name => name.endsWith('.js') && name !== 'spanish.js' && !/^(vendor|generated)/.test(name))
  .map(name => readFileSync(join(folder, name), 'utf8'))
const literal = String.raw`'((?:[^'\\\n]|\\.)*)'`
const texts = new Set()
for (const source of sources) {
  for (const [, text] of source.matchAll(new RegExp(String.raw`\bt\(${literal}`, 'g'))) texts.add(text)
  for (const [, one, many] of source.matchAll(new RegExp(String.raw`\bcount\(.*?, ${literal}, ${literal}\)`, 'g'))) texts.add(one).add(many)
  for (const [, one, many] of source.matchAll(new RegExp(String.raw`\bt\([^()]*? \? ${literal} : ${literal}`, 'g'))) texts.add(one).add(many)
}
// Texts that t gets from a table: whatever the tables of these names hold.
for (const [, table] of sources.join('\n').matchAll(/const (?:fields|rules|sentences|names|titles) = (?:\/\*.*?\*\/ \()?\{(.*?)\n?\}/gs)) {
  for (const [, text] of table.matchAll(new RegExp(String.raw`: ${literal}`, 'g'))) texts.add(text)
}
for (const [, table] of sources.join('\n').matchAll(/const (?:chips|places|keys|separators|screens) = (?:\/\*.*?\*\/ \()?\[(.*?)\n?\]\)?\n/gs)) {
  for (const [, text] of table.matchAll(new RegExp(String.raw`(?:, |name: )${literal}(?:\]| \})`, 'g'))) texts.add(text)
}
// Every code of docs/errors.md has a sentence, but for those that the pages never show: their requests are
// well formed, they ask for no events and webhooks, and of a key that is not known they say nothing.
const never = [
  'malformed_json', 'malformed_row', 'idempotency_key_required', 'idempotency_key_unknown',
  'order_incomplete', 'method_not_allowed', 'unsupported_media_type', 'events_expired',
  'webhook_endpoint_not_found', 'too_many_webhook_endpoints',
]
const said = /const sentences = \{(.*?)\n\}/s.exec(sources.join('\n'))?.[1] ?? ''
const catalogue = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const unsaid = [...catalogue.matchAll(/^## (\w+)$/gm)].map(([, code]) => code)
  .filter(code => !never.includes(code) && !said.includes(`\n  ${code}: `))
const missing = [...texts].filter(text => !(text in spanish) && text !== '|')
const all = sources.join('\n')
const dead = Object.keys(spanish).filter(text => !all.includes(`'${text.replaceAll("'", "\\'")}'`) && !['created', 'updated', 'unchanged'].includes(text))
const params = text => (text.match(/\{\w+\}/g) ?? []).sort().join()
const odd = Object.entries(spanish).filter(([english, text]) => params(english) !== params(text)).map(([english]) => english)
for (const [what, list] of Object.entries({
  'without Spanish': missing, 'in no source': dead, 'with other parameters': odd,
  'of these errors are missing': unsaid,
})) {
  if (list.length) console.log(`FAIL  texts ${what}:\n  ${list.join('\n  ')}`)
  process.exitCode ||= Number(list.length > 0)
}
if (!process.exitCode) console.log(`ok    ${texts.size} texts are in both languages`)
