/** The threads of a running gateway, as the system sees them. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { startGatewayProcess, until } from '../setup/gateway-process.ts';
import { describeOnLinux } from '../setup/tools.ts';

/** The 19th field of /proc/pid/task/tid/stat [proc_pid_stat(5)]. */
function niceness(stat: string): number {
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(afterName[16]);
}

describeOnLinux('The threads of a gateway', () => {
  it('let the one that acknowledges go first, by five steps of niceness', async () => {
    const gateway = await startGatewayProcess({ config: {} });
    try {
      const tasks = `/proc/${gateway.pid}/task`;
      const nicenesses = () =>
        readdirSync(tasks).map((id) => niceness(readFileSync(`${tasks}/${id}/stat`, 'latin1')));
      const main = niceness(readFileSync(`${tasks}/${gateway.pid}/stat`, 'latin1'));
      await until('the derive worker runs', () => nicenesses().includes(main + 5));
      expect(Math.min(...nicenesses())).toBe(main);
    } finally {
      await gateway.stop();
    }
  });
});
