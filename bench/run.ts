/**
 * `npm run bench`: every row of the budgets that can be measured here, with what was asked of it;
 * `npm run bench -- --quick frames end-to-end` for some of them, and smaller.
 */
import { families } from './families.ts';
import { type Row, tableOf } from './rows.ts';

const asked = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const isQuick = process.argv.includes('--quick');
const unknown = asked.filter((name) => !Object.hasOwn(families, name));

if (process.argv.includes('--help') || unknown.length > 0) {
  for (const name of unknown) process.stderr.write(`There is no family named ${name}.\n`);
  process.stdout.write('npm run bench -- [--quick] [family …]; without a family, all of them:\n');
  for (const [name, { title }] of Object.entries(families)) {
    process.stdout.write(`  ${name.padEnd(18)} ${title}\n`);
  }
  process.exit(unknown.length > 0 ? 2 : 0);
}

const rows: Row[] = [];
for (const [name, { title, rows: measure }] of Object.entries(families)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stderr.write(`${title} …\n`);
  rows.push(...(await measure({ isQuick })));
}
process.stdout.write(tableOf(rows));
