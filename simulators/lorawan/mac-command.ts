/**
 * The few MAC commands that the simulated devices and their network server say to each other
 * [TS001-1.0.4 5; LoRaWAN 1.1, 5]. Anything else ends the reading, as its length is not known.
 */
export type NetworkCommand =
  | { readonly name: 'DevStatusReq' }
  | { readonly name: 'LinkAdrReq'; readonly dataRate: number; readonly txPower: number }
  | { readonly name: 'RekeyConf' };

export type DeviceCommand =
  | { readonly name: 'DevStatusAns'; readonly battery: number; readonly margin: number }
  | { readonly name: 'LinkAdrAns' }
  | { readonly name: 'RekeyInd' };

const cids = { linkAdr: 0x03, devStatus: 0x06, rekey: 0x0b } as const;
const minorVersion = 1;
/** All eight channels, in the first mask of the plan, each frame once. */
const channelMask = 0xff;
const oneTransmission = 0x01;
/** Channels, data rate and power: all taken. */
const allAccepted = 0x07;

export function encodeNetworkCommand(command: NetworkCommand): Buffer {
  switch (command.name) {
    case 'DevStatusReq':
      return Buffer.of(cids.devStatus);
    case 'LinkAdrReq': {
      const { dataRate, txPower } = command;
      return Buffer.of(cids.linkAdr, (dataRate << 4) | txPower, channelMask, 0, oneTransmission);
    }
    case 'RekeyConf':
      return Buffer.of(cids.rekey, minorVersion);
  }
}

export function encodeDeviceCommand(command: DeviceCommand): Buffer {
  switch (command.name) {
    case 'DevStatusAns':
      return Buffer.of(cids.devStatus, command.battery, command.margin & 0x3f);
    case 'LinkAdrAns':
      return Buffer.of(cids.linkAdr, allAccepted);
    case 'RekeyInd':
      return Buffer.of(cids.rekey, minorVersion);
  }
}

export function readNetworkCommands(bytes: Buffer): NetworkCommand[] {
  const commands: NetworkCommand[] = [];
  let at = 0;
  while (at < bytes.length) {
    const cid = bytes[at];
    if (cid === cids.devStatus) {
      commands.push({ name: 'DevStatusReq' });
      at += 1;
    } else if (cid === cids.linkAdr && at + 4 < bytes.length) {
      const rates = bytes.readUInt8(at + 1);
      commands.push({ name: 'LinkAdrReq', dataRate: rates >> 4, txPower: rates & 0x0f });
      at += 5;
    } else if (cid === cids.rekey) {
      commands.push({ name: 'RekeyConf' });
      at += 2;
    } else break;
  }
  return commands;
}

/** The names of what a device says, in its order. */
export function readDeviceCommands(bytes: Buffer): DeviceCommand[] {
  const commands: DeviceCommand[] = [];
  let at = 0;
  while (at < bytes.length) {
    const cid = bytes[at];
    if (cid === cids.devStatus && at + 2 < bytes.length) {
      const margin = (bytes.readUInt8(at + 2) << 26) >> 26;
      commands.push({ name: 'DevStatusAns', battery: bytes.readUInt8(at + 1), margin });
      at += 3;
    } else if (cid === cids.linkAdr || cid === cids.rekey) {
      commands.push({ name: cid === cids.linkAdr ? 'LinkAdrAns' : 'RekeyInd' });
      at += 2;
    } else break;
  }
  return commands;
}
