// The table of what users see: tests/Conformance/clients.md. A section is a situation, a row is a client.
import fs from 'node:fs';

const file = new URL('../clients.md', import.meta.url);
const head = '| client | what its user sees |\n|---|---|';

const escape = text => text.replaceAll('|', '\\|').replaceAll('\n', '<br>');

/** What the page's introduction does not say, or says of another version, of the packages of a package.json. */
export function unnamed({ dependencies }) {
  const [introduction] = fs.readFileSync(file, 'utf8').split('\n## ');
  return Object.entries(dependencies)
    .map(([name, version]) => version.match(/^npm:(.*)@(.*)$/)?.slice(1) ?? [name, version])
    .filter(([name, version]) => !introduction.split('\n').some(line => line.includes(`\`${name}`) && line.includes(version)))
    .map(([name, version]) => `the page does not say ${name} ${version}`);
}

/** The sections below the page's introduction: a map of maps. */
function read() {
  const sections = new Map();
  let rows;
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    const [, title] = line.match(/^## (.*)$/) ?? [];
    if (title) sections.set(title, rows = new Map());
    const [, client, text] = line.match(/^\| (.*?) \| (.*) \|$/) ?? [];
    if (rows && client && client !== 'client') rows.set(client, text);
  }
  return sections;
}

/** Takes down cells, and compares them with the table, or writes it anew. */
export class Cells {
  #seen = new Map();

  set(situation, client, text) {
    if (!this.#seen.has(situation)) this.#seen.set(situation, new Map());
    this.#seen.get(situation).set(client, escape(text));
  }

  /** How many cells of a client are as the table says, and what differs. */
  compare(client) {
    const table = read();
    const notes = [];
    let equal = 0;
    for (const situation of new Set([...this.#seen.keys(), ...table.keys()])) {
      const [expected, actual] = [table, this.#seen].map(cells => cells.get(situation)?.get(client));
      if (expected === actual) equal += expected === undefined ? 0 : 1;
      else notes.push(`${situation}\n       the table: ${expected ?? '(nothing)'}\n       it is:     ${actual ?? '(nothing)'}`);
    }
    return { equal, notes };
  }

  /** Writes what was seen. Clients that did not run keep their rows. */
  write(clients) {
    const table = read();
    const [introduction] = fs.readFileSync(file, 'utf8').split('\n## ');
    const isKept = (name, situation) => !clients.includes(name) && table.get(situation)?.get(name);
    const sections = [...new Set([...this.#seen.keys(), ...table.keys()])].map(situation => {
      const rows = [...this.#seen.get(situation) ?? []].sort(([one], [other]) => clients.indexOf(one) - clients.indexOf(other));
      rows.push(...[...table.get(situation) ?? []].filter(([name]) => isKept(name, situation)));
      return rows.length ? `## ${situation}\n\n${head}\n${rows.map(row => `| ${row.join(' | ')} |`).join('\n')}\n` : '';
    });
    fs.writeFileSync(file, [introduction.trimEnd() + '\n', ...sections.filter(section => section)].join('\n'));
  }
}
