import { describe, expect, it } from '@jest/globals';
import { createPolls } from '../../gateway/doors/polls.ts';
import { until } from '../setup/gateway-process.ts';
import { now } from '../transports/transport-bench.ts';

const poll = {
  ...{ name: 'routers', topic: 'get/{device}/command', devices: ['1', '2'] },
  ...{ ask: ['temperature', 'signal'], intervalSeconds: 3_600 },
};

function bench() {
  const asked: string[] = [];
  const warned: unknown[] = [];
  let problem: Error | undefined;
  const note = async (name: string, topic: string, payload: Buffer | string) => {
    asked.push(`${name} ${topic} ${payload}`);
    if (problem !== undefined) throw problem;
  };
  return {
    asked,
    warned,
    fail: (error: Error) => {
      problem = error;
    },
    parts: {
      own: () => ({
        publish: (topic: string, payload: Buffer | string) => note('own', topic, payload),
      }),
      remote: () => ({
        publish: (
          broker: string,
          { topic, payload }: { readonly topic: string; readonly payload: Buffer },
        ) => note(broker, topic, payload),
      }),
      log: { warn: (fields: unknown) => warned.push(fields) },
      clock: { now: () => now },
    },
  };
}

describe('A poll', () => {
  it('asks every device every question, each by its own broker', async () => {
    const { asked, parts, warned } = bench();
    const polls = createPolls([poll, { ...poll, name: 'far', broker: 'town' }], parts);
    polls.start();
    await until('all are asked', () => asked.length === 8);
    await polls.stop();
    for (const broker of ['own', 'town']) {
      expect(asked.filter((line) => line.startsWith(broker))).toEqual([
        `${broker} get/1/command temperature`,
        `${broker} get/1/command signal`,
        `${broker} get/2/command temperature`,
        `${broker} get/2/command signal`,
      ]);
    }
    expect(warned).toEqual([]);
  });

  it('goes on with the others when one is not sent, and warns once a minute', async () => {
    const { asked, parts, warned, fail } = bench();
    fail(new Error('town is not connected'));
    const polls = createPolls([{ ...poll, broker: 'town' }], parts);
    polls.start();
    await until('all are asked', () => asked.length === 4);
    await polls.stop();
    expect(warned).toMatchObject([{ event: 'poll-not-sent', poll: 'routers' }]);
  });

  it('asks nobody where nothing is set up, and nobody after its end', async () => {
    const { asked, parts } = bench();
    const none = createPolls([], parts);
    none.start();
    await none.stop();
    const polls = createPolls([poll], parts);
    await polls.stop();
    polls.start();
    await polls.stop();
    expect(asked).toEqual([]);
  });
});
