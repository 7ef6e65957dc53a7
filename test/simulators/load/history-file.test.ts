import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHistoryFile, readHistory } from '../../../simulators/load/history-file.ts';
import { createLoadSource } from '../../../simulators/load/load-message.ts';

const header = { run: '0badcafe', seed: 's', started: '2026-11-22T20:00:00.000Z', ledgerAfter: 7 };
const source = createLoadSource('history', 2);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'load-history-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function written(name: string): Promise<string> {
  const file = join(directory, name);
  const history = await createHistoryFile(file, header);
  for (let number = 0; number < 3; number += 1) history.sent(source.message(number, 100 + number));
  history.acknowledged(0, 1.25);
  history.acknowledged(2, 0.5);
  await history.close();
  return file;
}

describe('The history of a load', () => {
  it('says again what was sent and what was acknowledged', async () => {
    const { header: own, messages } = await readHistory(await written('whole'));
    expect(own).toEqual(header);
    expect(messages).toEqual(
      [true, false, true].map((isAcknowledged, number) => ({
        ...source.message(number, 100 + number),
        isAcknowledged,
      })),
    );
  });

  it('is NDJSON that only its owner may read, and is not written over', async () => {
    const file = await written('lines');
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(createHistoryFile(file, header)).rejects.toThrow(/EEXIST/);
  });

  it('does without a last line that was cut off', async () => {
    const file = await written('cut');
    await appendFile(file, '{"acknowled');
    expect((await readHistory(file)).messages).toHaveLength(3);
  });

  it.each([
    ['', /is empty/],
    ['{"format":"other"}\n', /not the history of a load/],
    ['{"format":"fieldgate-load-history","version":2}\n', /version 1 is read here/],
    ['{"format":"fieldgate-load-history","version":1}\n', /the header is not whole/],
    [
      `${JSON.stringify({ format: 'fieldgate-load-history', version: 1, ...header })}\n{}\n`,
      /line 2/,
    ],
    [
      `${JSON.stringify({ format: 'fieldgate-load-history', version: 1, ...header })}\nno\n{}\n`,
      /line 2 of the history is no JSON object/,
    ],
    [
      `${JSON.stringify({ format: 'fieldgate-load-history', version: 1, ...header })}\n{"acknowledged":5}\n`,
      /acknowledges what was not sent/,
    ],
  ])('is refused, with the line, when it is %j', async (text, reason) => {
    const file = join(directory, 'unsound');
    await writeFile(file, text);
    await expect(readHistory(file)).rejects.toThrow(reason);
  });
});
