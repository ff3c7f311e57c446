// The rows of a run: a line for each as it ends, a table of all at the end, and the lines that the CI counts.
const rows = [];

function add(title, passed, failed, skipped, notes = [], skips = {}) {
  rows.push({ title, passed, failed, skipped });
  console.log(`${failed ? 'FAIL' : 'ok  '} ${title}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  for (const note of notes) console.log(`     ${note}`);
  for (const [reason, steps] of Object.entries(skips)) {
    const all = process.env.VERBOSE ? `\n       ${steps.join('\n       ')}` : '';
    console.log(`     skipped, ${reason}: ${steps.length}${all}`);
  }
}

/** Prints the table and ends the process: with 0 where nothing failed. */
function end() {
  const sum = field => rows.reduce((total, row) => total + row[field], 0);
  const line = (...cells) =>
    console.log(`| ${String(cells[0]).padEnd(40)} | ${cells.slice(1).map(cell => String(cell).padStart(7)).join(' | ')} |`);
  console.log('');
  line('run', 'passed', 'failed', 'skipped');
  for (const row of rows) line(row.title, row.passed, row.failed, row.skipped);
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(sum);
  console.log(`\nTest run summary: ${failed ? 'Failed!' : 'Passed!'}\n  total: ${passed + failed + skipped}\n  failed: ${failed}`
    + `\n  succeeded: ${passed}\n  skipped: ${skipped}`);
  process.exit(failed ? 1 : 0);
}

module.exports = { add, end };
