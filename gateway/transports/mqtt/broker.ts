/**
 * The MQTT broker: aedes for the protocol, and around it identity, authority, limits and the
 * receipt.
 *
 * Aedes writes PUBACK before it runs any hook but `authorizePublish`, so the receipt is awaited
 * there: an error returned from it closes the connection without an acknowledgement, and the client
 * sends again. For QoS 2 the same hook runs before PUBREC.
 */
import assert from 'node:assert/strict';
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Aedes, type AedesOptions, type Client } from 'aedes';
import type { Receive, Transport } from '../transport.ts';
import type { AccountReview } from './account-review.ts';
import { noDeviceAccounts } from './accounts.ts';
import { createMqttAdmission } from './admission.ts';
import type { Ban, BanBook, BanInput } from './bans.ts';
import { createMqttClients, sweepIntervalMs } from './clients.ts';
import type { MqttCore } from './core.ts';
import { createMqttCore, flushSockets, monotonicMs, takeConnection } from './core.ts';
import { decideForward, decideSubscribe, grantedQos } from './forward.ts';
import { createMqttIdentity, type MqttIdentity } from './identity.ts';
import type { LimitCount } from './limit-count.ts';
import type { MqttListeners, SecureContext } from './listeners.ts';
import { createMqttListeners } from './listeners.ts';
import type { MqttAccountRules, MqttBrokerOptions, MqttClientView, MqttHooks } from './options.ts';
import { mqttLimitDefaults } from './options.ts';
import { withheldTopic } from './sessions/router.ts';
import { noSessionStore } from './sessions/session-store.ts';
import type { SessionCounts } from './sessions/sessions.ts';
import { passOverUnheard } from './unheard-messages.ts';
import { isMqttPath } from './websocket.ts';

export interface MqttBroker extends Transport {
  /**
   * Sends to subscribers at QoS 1; never fed back into ingest. Resolves when it is queued for them.
   */
  publish(topic: string, payload: Buffer | string, options?: PublishOptions): Promise<void>;
  /** Whether anybody has subscribed to it, or waits for it in a lasting session. */
  isWanted(topic: string): boolean;
  /** Cheaper: false when nobody can want any topic that begins with this level. */
  mayBeWanted(firstLevel: string): boolean;
  /** Those that are connected now. */
  clients(): readonly MqttClientView[];
  /** Ends a client's connection; false when it has none. */
  disconnect(clientId: string): boolean;
  /** Undefined when there are as many bans as there may be. Those it is for are cut. */
  ban(input: BanInput): Ban | undefined;
  readonly bans: Pick<BanBook, 'list' | 'lift' | 'made' | 'flushed'>;
  /** For an HTTP server of somebody else: takes the upgrade request over, whatever its path. */
  upgrade: MqttListeners['upgrade'];
  /** Takes over the upgrade requests of one path of that server, and leaves all others alone. */
  attachTo(server: HttpServer, path?: string): void;
  /**
   * For connections from now on; those with a certificate that is not good any more are ended.
   * Throws, and leaves everything as it was, when a file is unsound.
   */
  setSecureContext(tls: SecureContext): void;
  /**
   * For logins from now on, and connections are held against them: they end when their account is
   * gone or has another password, or the key of their token is trusted no more, and come under the
   * new topic filters else. Throws, and keeps the rules there were, when a key is unsound.
   */
  setAccounts(rules: MqttAccountRules): AccountReview;
  /** Whether the configuration has an account of this name now. */
  isConfigured(username: string): boolean;
  counts(): MqttCounts;
}

export interface PublishOptions {
  /** Kept for those who subscribe later. */
  readonly retain: boolean;
}

export interface MqttCounts extends SessionCounts {
  readonly connections: number;
  /** Those of them that wait for their turn to be opened. */
  readonly connectionsWaiting: number;
  readonly clients: number;
  /** Messages not sent to a subscriber that does not read. */
  readonly droppedSlow: number;
  /** Messages from clients that have no receipt yet. */
  readonly inFlight: number;
  readonly keepaliveTimeouts: number;
  /** How often each limit was reached. */
  readonly limited: LimitCounts;
}

type LimitCounts = ReturnType<LimitCount['counts']>;

const expireIntervalMs = 60_000;

export function createMqttBroker(
  options: MqttBrokerOptions,
  receive: Receive,
  hooks: MqttHooks,
): MqttBroker {
  const limitsOfAll = { ...mqttLimitDefaults, ...options.limits };
  const { store = noSessionStore, ownLevel, bans } = options;
  const core = createMqttCore({ limits: limitsOfAll, store, ownLevel, bans }, receive, hooks);
  const { limits, live } = core;
  const clients = createMqttClients(core, monotonicMs);
  let broker: Aedes | undefined;
  let rules: MqttAccountRules = options;
  let identity: MqttIdentity | undefined;
  let expiry: NodeJS.Timeout | undefined;
  let sweep: NodeJS.Timeout | undefined;
  const listeners = createMqttListeners(options, {
    limits,
    events: {
      onAccept: (accepted) => {
        assert.ok(broker);
        takeConnection(core, accepted, broker.handle);
      },
      onTurnedAway: (address, reason) => core.note('mqtt-turned-away', { address, reason }),
      onLimit: core.limitCount.hit,
    },
  });
  const stop = async (): Promise<void> => {
    clearInterval(expiry);
    clearInterval(sweep);
    await stopBroker(core, broker, listeners);
  };
  return {
    start: async () => {
      assert.equal(broker, undefined);
      const logins = await createMqttIdentity({
        ...{ rules, deviceAccounts: options.deviceAccounts },
        ...{ limits, monotonicMs, now: () => hooks.clock.now(), onLimit: core.limitCount.hit },
      });
      identity = logins;
      broker = await Aedes.createBroker({
        ...aedesOptions(core),
        ...createMqttAdmission(core, logins),
        ...messageHooks(core),
      });
      watchBroker(core, broker);
      passOverUnheard(broker, core);
      expiry = setInterval(() => core.sessions.expire(), expireIntervalMs);
      expiry.unref();
      const { deviceAccounts = noDeviceAccounts } = options;
      sweep = setInterval(
        () => clients.sweep(logins, deviceAccounts.generation()),
        sweepIntervalMs,
      );
      sweep.unref();
      try {
        return await listeners.start();
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
    publish: (topic, payload, { retain } = { retain: false }) =>
      publishOut(core, broker, { topic, payload: Buffer.from(payload), retain }),
    mayBeWanted: (level) => core.router.mayBeHeard(level) || core.sessions.mayBeAwaited(level),
    isWanted: (topic) => core.router.isHeard(topic) || core.sessions.isAwaited(topic),
    clients: clients.list,
    disconnect: clients.disconnect,
    ban: clients.ban,
    bans: core.bans,
    upgrade: listeners.upgrade,
    attachTo: (server, path = '/mqtt') => {
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        if (isMqttPath(request, path)) listeners.upgrade({ request, socket, head });
      });
    },
    setSecureContext: (tls) => clients.distrust(listeners.setSecureContext(tls)),
    setAccounts: (next) => {
      identity?.setRules(next);
      rules = next;
      return identity === undefined ? { cut: 0, changed: 0 } : clients.review(identity);
    },
    isConfigured: (username) => rules.clients.some((account) => account.username === username),
    counts: () => ({
      ...core.sessions.counts(),
      connections: listeners.connections(),
      connectionsWaiting: listeners.waiting(),
      clients: live.size,
      droppedSlow: core.droppedSlow,
      inFlight: core.receiver.inFlight(),
      keepaliveTimeouts: core.keepaliveTimeouts,
      limited: core.limitCount.counts(),
    }),
  };
}

function aedesOptions({ limits, sessions, router }: MqttCore): AedesOptions {
  return {
    mq: router,
    persistence: sessions.persistence,
    connectTimeout: limits.connectTimeoutMs,
    drainTimeout: limits.drainTimeoutMs,
    maxInflightInbound: limits.inflightMax,
    // Of MQTT 3.1 only; its 23 characters are commonly exceeded, and the limit of all is checked.
    maxClientsIdLength: limits.clientIdLengthMax,
  };
}

function messageHooks(core: MqttCore): AedesOptions {
  const { limits, connections } = core;
  return {
    authorizePublish: (client, packet, callback) => {
      const connection = client === null ? undefined : connections.get(client);
      if (connection === undefined) {
        // The will of a client nobody knows any more: there is no one to vouch for it.
        withhold(packet);
        setImmediate(callback, null);
        return;
      }
      const { qos } = packet;
      core.receiver.take(connection, packet, (outcome) => {
        if (outcome instanceof Error) {
          const { address } = connection;
          core.note('mqtt-not-acknowledged', { address, error: outcome });
          callback(outcome);
          return;
        }
        const { acl } = connection.principal ?? {};
        if (outcome === 'withhold') withhold(packet);
        packet.retain = packet.retain && acl?.mayRetain(packet.topic) === true;
        // Set anew for every receiver [MQTT-3.3.1-3].
        packet.dup = false;
        // Aedes numbers a message and routes it some microtasks later; a turn of its own for each
        // keeps one from overtaking another, which a subscriber would then take for a duplicate.
        if (qos === 1) callback(null);
        else setImmediate(callback, null);
      });
    },
    authorizeSubscribe: (client, subscription, callback) => {
      const connection = connections.get(client);
      assert.ok(connection);
      const decision = decideSubscribe(connection, subscription.topic, limits);
      if (decision === 'close') {
        callback(new Error('[MQTT-4.7.1] not a topic filter'));
        return;
      }
      if (decision === 'grant') connection.granted.grant(subscription.topic, subscription.qos);
      else if (decision !== 'refuse') core.limitCount.hit(decision);
      callback(null, decision === 'grant' ? subscription : null);
    },
    authorizeForward: (client, packet) => {
      const connection = connections.get(client);
      assert.ok(connection);
      // Aedes itself lowers the QoS only for filters without wildcards.
      const qos = grantedQos(connection, packet);
      // It waited for a subscription that the client has no more.
      if (qos === 0 && packet.qos > 0 && packet.messageId !== undefined) return null;
      packet.qos = qos;
      const decision = decideForward(connection, packet, limits);
      if (decision === 'drop') core.droppedSlow += 1;
      if (decision === 'drop' || decision === 'cut') core.limitCount.hit('sendBytesMax');
      if (decision === 'drop' || decision === 'hide') return null;
      if (decision === 'cut') connection.conn.destroy();
      return packet;
    },
  };
}

/** Lets aedes acknowledge a packet that must not be routed, kept or retained. */
function withhold(packet: { topic: string; payload: Buffer | string; retain: boolean }): void {
  packet.topic = withheldTopic;
  packet.payload = Buffer.alloc(0);
  packet.retain = false;
}

/** Aedes keeps these limits, and tells in words only. */
const limits = [
  ['connectTimeoutMs', 'connect did not arrive in time'],
  ['inflightMax', 'maxInflightInbound exceeded'],
  ['drainTimeoutMs', 'drain timeout'],
] as const;

function watchBroker(core: MqttCore, broker: Aedes): void {
  const noteClient = (event: string) => (client: Client, error?: Error) => {
    const limit = limits.find(([, words]) => error?.message.startsWith(words));
    if (limit !== undefined) core.limitCount.hit(limit[0]);
    if (event === 'mqtt-keepalive-timeout') core.keepaliveTimeouts += 1;
    const connection = core.connections.get(client);
    const who = { address: connection?.address, clientId: client.id };
    core.note(event, { ...who, reason: error?.message });
  };
  broker.on('clientError', noteClient('mqtt-client-error'));
  broker.on('connectionError', noteClient('mqtt-connection-error'));
  broker.on('keepaliveTimeout', noteClient('mqtt-keepalive-timeout'));
  broker.on('connackSent', (_packet, client) => {
    const connection = core.connections.get(client);
    if (connection !== undefined) connection.isEntering = false;
  });
  broker.on('unsubscribe', (filters, client) => {
    for (const filter of filters) core.connections.get(client)?.granted.revoke(filter);
  });
  // Without a listener, an error in a queue of one client would end the process.
  broker.addListener('error', (error: unknown) => {
    core.hooks.log.error({ event: 'mqtt-broker-error', error }, 'mqtt-broker-error');
  });
}

async function publishOut(
  core: MqttCore,
  broker: Aedes | undefined,
  message: { readonly topic: string; readonly payload: Buffer; readonly retain: boolean },
): Promise<void> {
  const packet = { cmd: 'publish', ...message, qos: 1, dup: false } as const;
  await core.sessions.keep(packet);
  // While nobody can be connected, it waits for those whose sessions last.
  if (broker === undefined || core.isStopping) return;
  await new Promise<void>((resolve, reject) => {
    broker.publish(packet, (error) => (error ? reject(error) : resolve()));
  });
}

/**
 * Finishes the receipts in flight and sends their acknowledgements before any connection is closed.
 */
async function stopBroker(
  core: MqttCore,
  broker: Aedes | undefined,
  listeners: MqttListeners,
): Promise<void> {
  core.isStopping = true;
  listeners.stopAccepting();
  if (broker === undefined) return;
  const isSettled = await core.receiver.settle(core.limits.stopTimeoutMs);
  if (!isSettled) core.hooks.log.warn({ event: 'mqtt-stop-timeout' }, 'mqtt-stop-timeout');
  await flushSockets(core);
  await new Promise<void>((resolve) => broker.close(resolve));
  // Closing published the wills of clients that were still connected.
  await core.receiver.settle(core.limits.stopTimeoutMs);
  listeners.destroyAll();
  // The closed sockets tell so in a turn of their own, and the sessions note when they did.
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.allSettled([core.sessions.flushed(), core.bans.flushed()]);
}
