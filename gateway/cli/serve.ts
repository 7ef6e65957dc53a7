/** `fieldgate serve`: runs the gateway until it is told to stop. */
import { Command } from 'commander';
import type { Config } from '../../config/schema.ts';
import { createLog } from '../log.ts';
import { startGateway } from '../main.ts';
import { tuneCollections } from '../operation/collections.ts';
import type { ReadAgain } from '../reload.ts';
import { checkConfiguration, readConfiguration } from './configuration.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .option('-c, --config <file>', 'YAML configuration; without one, every default holds')
    .action(async ({ config: file }: { config?: string }) => {
      const config = readConfiguration(file);
      if (config !== undefined) await serve(config, () => checkConfiguration(file));
    });
}

async function serve(config: Config, readAgain: ReadAgain): Promise<void> {
  tuneCollections();
  const log = createLog(config.log.level);
  const gateway = await startGateway(config, log);
  log.info({ event: 'listening', addresses: gateway.addresses }, 'gateway is listening');
  if (gateway.signInLink !== undefined) {
    const fields = { event: 'sign-in-link', url: gateway.signInLink };
    log.warn(fields, 'open this link once to sign in; it holds for a day');
  }
  let isStopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (isStopping) return;
    isStopping = true;
    log.info({ event: 'stopping', signal }, 'finishing what is under way');
    await gateway.stop();
    log.info({ event: 'stopped' }, 'gateway has stopped');
    process.exitCode = 0;
  };
  process.on('SIGHUP', () => gateway.reload(readAgain));
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
