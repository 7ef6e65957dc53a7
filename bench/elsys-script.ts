/**
 * The codec of the end-to-end benchmark as a script: what its devices send, read as vendors write
 * their decoders, in a directory from which the gateway takes it.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const elsysScriptName = 'bench-elsys';

const source = `
function bin16dec(bin) {
  var num = bin & 0xffff;
  if (num & 0x8000) num = -(0x010000 - num);
  return num;
}
function decodeUplink(input) {
  var bytes = input.bytes;
  var data = {};
  for (var i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case 0x01:
        data.temperature = bin16dec((bytes[i + 1] << 8) | bytes[i + 2]) / 10;
        i += 2; break;
      case 0x02: data.humidity = bytes[i + 1]; i += 1; break;
      case 0x04: data.light = (bytes[i + 1] << 8) | bytes[i + 2]; i += 2; break;
      case 0x07: data.vdd = (bytes[i + 1] << 8) | bytes[i + 2]; i += 2; break;
      default: return { errors: ['unknown type ' + bytes[i]] };
    }
  }
  return { data: { temperature: data.temperature, humidity: data.humidity,
    illuminance: data.light, battery_voltage: data.vdd / 1000 } };
}
`;

/** A directory with the script alone; who asks for it removes it. */
export async function makeScriptDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fieldgate-bench-codecs-'));
  await writeFile(join(directory, `${elsysScriptName}.js`), source);
  return directory;
}
