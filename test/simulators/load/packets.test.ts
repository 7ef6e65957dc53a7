import { describe, expect, it } from '@jest/globals';
import {
  connectPacket,
  publishPacket,
  readAnswers,
} from '../../../simulators/load/mqtt-packets.ts';
import {
  connectPacket as plainConnect,
  publishPacket as plainPublish,
} from '../../transports/mqtt/wire.ts';

describe('Packets of a load', () => {
  it('are those of MQTT 3.1.1', () => {
    const login = { clientId: 'load-1', username: 'u', password: 'geheim' };
    expect(connectPacket(login)).toEqual(plainConnect(login));
    expect(connectPacket({ clientId: 'nobody' })).toEqual(plainConnect({ clientId: 'nobody' }));
  });

  it.each([0, 1, 100, 130, 20_000])('publish a body of %d bytes at QoS 1', (length) => {
    const body = 'ə'.repeat(length);
    const packet = publishPacket('a/ü/c', body, 65_535);
    expect(packet).toEqual(plainPublish({ topic: 'a/ü/c', payload: body, id: 65_535 }));
  });

  it('are read wherever the wire has cut them', () => {
    const bytes = Buffer.from('20020000400200074002fffed000', 'hex');
    const wanted = readAnswers(bytes).answers;
    expect(wanted).toEqual([
      { kind: 'connack', code: 0 },
      { kind: 'puback', packetId: 7 },
      { kind: 'puback', packetId: 0xfffe },
      { kind: 'pingresp' },
    ]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const first = readAnswers(bytes.subarray(0, cut));
      const second = readAnswers(Buffer.concat([first.rest, bytes.subarray(cut)]));
      expect([...first.answers, ...second.answers]).toEqual(wanted);
      expect(second.rest).toHaveLength(0);
    }
  });

  it.each(['3003000161', '50020001', '4001', 'd00100'])(
    'refuse an answer that a sender at QoS 1 does not get: %s',
    (hex) => {
      expect(() => readAnswers(Buffer.from(hex.padEnd(12, '0'), 'hex'))).toThrow(RangeError);
    },
  );
});
