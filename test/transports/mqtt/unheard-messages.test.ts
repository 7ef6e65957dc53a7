import { describe, expect, it } from '@jest/globals';
import { createMqttRouter } from '../../../gateway/transports/mqtt/sessions/router.ts';
import { passOverUnheard } from '../../../gateway/transports/mqtt/unheard-messages.ts';

/** What stands behind: takes down the topics that go all the way. */
function passing(awaitedLevel?: string) {
  const published: string[] = [];
  const router = createMqttRouter();
  const broker = {
    publish(packet: { readonly topic: string }, client: unknown, done?: () => void) {
      published.push(packet.topic);
      if (typeof client === 'function') client();
      else done?.();
    },
  };
  const sessions = { mayBeAwaited: (level: string) => level === awaitedLevel };
  passOverUnheard(broker, { router, sessions });
  const publish = (topic: string, retain = false) =>
    new Promise<void>((resolve) => {
      const packet = { topic, retain };
      broker.publish(packet, {}, () => resolve());
    });
  return { published, router, broker, publish };
}

describe('A message on its way to subscribers', () => {
  it('ends at once where nobody has subscribed to anything like its topic', async () => {
    const { published, publish } = passing();
    await publish('application/1/device/2/event/up');
    expect(published).toEqual([]);
  });

  it.each(['application/#', 'application/1/device/2/event/up', '+/+/device/#', '#'])(
    'goes all the way where somebody has subscribed to %s',
    async (filter) => {
      const { published, router, publish } = passing();
      router.on(filter, () => {});
      await publish('application/1/device/2/event/up');
      expect(published).toEqual(['application/1/device/2/event/up']);
    },
  );

  it('goes all the way where a lasting session waits for its first level', async () => {
    const { published, publish } = passing('application');
    await publish('application/1');
    await publish('gateway/1');
    expect(published).toEqual(['application/1']);
  });

  it('goes all the way where it is to be retained', async () => {
    const { published, publish } = passing();
    await publish('application/1', true);
    expect(published).toEqual(['application/1']);
  });

  it('goes all the way where it is the broker’s own, which names no client', () => {
    const { published, broker } = passing();
    let isDone = false;
    broker.publish({ topic: '$SYS/1/new/clients' }, () => {
      isDone = true;
    });
    expect(published).toEqual(['$SYS/1/new/clients']);
    expect(isDone).toBe(true);
  });
});
