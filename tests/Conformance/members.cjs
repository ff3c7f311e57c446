// Writes which members the requests of AdCP's tools have, and of which type: names only, none of AdCP's texts. The library refuses by it
// what AdCP knows and a handler does not. Run it after a change of the version of @adcp/sdk: node members.cjs
const fs = require('fs');
const path = require('path');
const root = path.join(__dirname, 'node_modules/@adcp/sdk/dist/lib/schemas-data/3.0');
const output = path.join(__dirname, '../../src/Tenancy.Adcp/Members/AdcpMembers.txt');

const sections = new Map();
const read = file => JSON.parse(fs.readFileSync(path.join(root, file), 'utf8'));
const fileOf = ref => ref.replace(/^\/schemas\/[^/]+\//, '').replace(/#.*$/, '');

// What a schema says in all its branches. A reference to another file stays one, where nothing else is said beside it.
function branches(schema, file) {
  const found = [schema];
  if (schema.$ref?.startsWith('#')) {
    const target = schema.$ref.slice(2).split('/').reduce((node, part) => node[part], read(file));
    found.push(...branches(target, file));
  }
  for (const some of [schema.oneOf, schema.anyOf, schema.allOf]) for (const branch of some ?? []) found.push(...branches(branch, file));
  return found;
}

function typeOf(schema, file, name) {
  const all = branches(schema, file);
  const ref = all.map(branch => branch.$ref).find(ref => ref && !ref.startsWith('#'));
  const items = all.map(branch => branch.items).find(Boolean);
  if (items && !all.some(branch => branch.properties)) return `${typeOf(items, file, name)}[]`;
  if (all.some(branch => branch.properties)) {
    addSection(name, all.filter(branch => branch.properties), file);
    if (ref) for (const branch of all.filter(branch => branch.$ref && !branch.$ref.startsWith('#')))
      merge(sections.get(name), fileOf(branch.$ref));
    return name;
  }
  if (ref) return typeOfFile(fileOf(ref));
  const type = all.map(branch => branch.type).find(Boolean);
  if (Array.isArray(type)) return type.find(one => one !== 'null');
  const constant = all.find(branch => 'const' in branch || branch.enum);
  return type ?? (constant ? typeof (constant.const ?? constant.enum[0]) : 'any');
}

function typeOfFile(file) {
  const name = file.replace(/\.json$/, '');
  if (sections.has(name)) return name;
  const schema = read(file);
  const all = branches(schema, file);
  if (!all.some(branch => branch.properties)) return typeOf(schema, file, name);
  addSection(name, all, file);
  return name;
}

function merge(members, file) {
  const type = typeOfFile(file);
  for (const [name, member] of sections.get(type) ?? []) members.set(name, member);
}

function addSection(name, all, file) {
  const members = new Map();
  sections.set(name, members);
  for (const branch of all) {
    if (branch.$ref && !branch.$ref.startsWith('#')) merge(members, fileOf(branch.$ref));
    for (const [member, schema] of Object.entries(branch.properties ?? {})) {
      if (members.has(member) && !schema.type && !schema.$ref) continue;
      const fallback = schema.default ?? (schema.$ref && !schema.$ref.startsWith('#') ? read(fileOf(schema.$ref)).default : undefined);
      members.set(member, typeOf(schema, file, `${name}.${member}`)
        + (fallback === undefined || typeof fallback === 'object' ? '' : `=${fallback}`));
    }
  }
}

const tools = new Map();
for (const folder of fs.readdirSync(root).filter(name => fs.statSync(path.join(root, name)).isDirectory() && name !== 'bundled').sort())
  for (const file of fs.readdirSync(path.join(root, folder)).filter(name => name.endsWith('-request.json')
    && name !== 'package-request.json' && name !== 'pagination-request.json').sort()) {
    const tool = file.replace(/-request\.json$/, '').replace(/-/g, '_');
    const [schema, name] = [read(`${folder}/${file}`), `${folder}/${file.replace(/\.json$/, '')}`];
    if (!branches(schema, `${folder}/${file}`).some(branch => branch.properties)) continue;
    addSection(name, branches(schema, `${folder}/${file}`), `${folder}/${file}`);
    const members = tools.get(tool) ?? new Map();
    for (const [member, type] of sections.get(name)) if (!members.has(member)) members.set(member, type);
    sections.delete(name);
    tools.set(tool, members);
  }

const write = members => [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, type]) => `  ${name} ${type}\n`).join('');
const version = require(path.join(root, '../../../../package.json')).version;
let text = `# The members of AdCP's requests, with their types and defaults: by tool, then the objects in them. `
  + `Made by tests/Conformance/members.cjs\n`
  + `# from @adcp/sdk ${version}; not to be changed by hand.\n`;
for (const [tool, members] of [...tools].sort(([a], [b]) => (a < b ? -1 : 1))) text += `tool ${tool}\n${write(members)}`;
const used = new Set();
const queue = [...tools.values()];
while (queue.length > 0) for (const type of queue.pop().values()) {
  const name = type.replace(/=.*$/, '').replace(/(\[\])+$/, '');
  if (sections.has(name) && !used.has(name)) { used.add(name); queue.push(sections.get(name)); }
}
for (const name of [...used].sort()) text += `object ${name}\n${write(sections.get(name))}`;
if (process.argv.includes('--check')) {
  if (fs.readFileSync(output, 'utf8') !== text) {
    console.error(`${output} is not what @adcp/sdk ${version} says: run node members.cjs`);
    process.exit(1);
  }
} else {
  fs.mkdirSync(path.dirname(output), { recursive: true });
  fs.writeFileSync(output, text);
}
