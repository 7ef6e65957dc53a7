/** `fieldgate decode HEX`: what a built-in codec makes of a payload. */
import { Command, InvalidArgumentError } from 'commander';
import { unitOf } from '../../decoders/mapping.ts';
import { codecs, findCodec } from '../../decoders/registry.ts';
import { judge } from '../pipeline/quality.ts';

interface DecodeOptions {
  readonly codec: string;
  readonly fPort: number;
  readonly json?: boolean;
}

export function decodeCommand(): Command {
  return new Command('decode')
    .argument('<hex>', 'payload bytes in hex', parseHex)
    .requiredOption('--codec <name>', `one of ${codecs.map(({ name }) => name).join(', ')}`)
    .option('--f-port <number>', 'LoRaWAN port, 1 to 223', parsePort, 1)
    .option('--json', 'print JSON')
    .action((bytes: Buffer, options: DecodeOptions) => decode(bytes, options));
}

function parseHex(text: string): Buffer {
  const digits = text.replace(/[\s:-]/g, '');
  if (!/^([0-9a-fA-F]{2})+$/.test(digits))
    throw new InvalidArgumentError('pairs of hex digits, please');
  return Buffer.from(digits, 'hex');
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 223) throw new InvalidArgumentError('1 to 223');
  return port;
}

function decode(bytes: Buffer, { codec: name, fPort, json }: DecodeOptions): void {
  const codec = findCodec(name);
  if (codec === undefined) {
    const known = codecs.map((one) => one.name).join(', ');
    process.stderr.write(`fieldgate: no codec is named ${name}; known: ${known}\n`);
    process.exitCode = 2;
    return;
  }
  const result = codec.decode({ bytes, fPort });
  if (json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
  else if (result.ok) {
    for (const { quantity, value, channel } of result.values) {
      const label = channel === undefined ? quantity : `${quantity}[${channel}]`;
      const verdict = judge(quantity, value) === 4 ? '  outside its plausible range' : '';
      process.stdout.write(`${label}: ${value} ${unitOf(quantity)}${verdict}\n`);
    }
  } else process.stderr.write(`fieldgate: ${result.error}\n`);
  if (!result.ok) process.exitCode = 1;
}
