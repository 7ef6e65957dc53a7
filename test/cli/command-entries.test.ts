import { describe, expect, it } from '@jest/globals';
import { commandEntries } from '../../gateway/cli/command-entries.ts';

describe('The table of commands', () => {
  it.each(commandEntries.map((entry) => [entry.name, entry] as const))(
    'loads the command that calls itself %s, and describes it nowhere else',
    async (name, { load }) => {
      const command = await load();
      expect(command.name()).toBe(name);
      expect(command.description()).toBe('');
    },
  );

  it('names each command once, in a line', () => {
    const names = commandEntries.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { summary } of commandEntries) expect(summary).toMatch(/^[a-z].*[^.]$/);
  });
});
