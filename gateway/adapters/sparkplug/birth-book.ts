/**
 * What the births said, in memory: which alias is which metric, and which number comes next. It is
 * lost at a restart, and then asked for again; so it is bounded by forgetting who was silent
 * longest.
 */
import type { Metric } from './payload.ts';
import type { Origin } from './topic.ts';

export interface BirthLimits {
  readonly nodesMax: number;
  /** Of all nodes and devices together; about 200 bytes each. */
  readonly metricsMax: number;
  readonly devicesPerNodeMax: number;
}

/** A metric as its birth described it. */
export interface Described {
  readonly name: string;
  readonly dataType: number;
}

/** The metrics of one node, or of one device behind it. */
export interface Birth {
  readonly byAlias: ReadonlyMap<number, Described>;
  readonly byName: ReadonlyMap<string, Described>;
}

export interface Node {
  /** The session's number, equal in a birth and its death. */
  bdSeq?: number | undefined;
  /** The number the next message has to have; undefined until a birth tells. */
  nextSeq?: number | undefined;
  birth?: Birth | undefined;
  readonly devices: Map<string, Birth>;
  metricCount: number;
  /** When a birth was last asked for, by the clock of the host. */
  askedAt?: number | undefined;
  /** Where it was heard last, and so where it can be asked. */
  connection?: string | undefined;
}

export interface BirthBook {
  /** The node, known or new; it is now the last to be forgotten. */
  touch(origin: Origin): Node;
  /** Puts what a birth says in the place of what was known. */
  describe(node: Node, origin: Origin, metrics: readonly Metric[]): void;
  /** Forgets the device, or the node's births with all its devices. */
  forget(node: Node, origin: Origin): void;
  counts(): { readonly nodes: number; readonly metrics: number };
}

export function createBirthBook(limits: BirthLimits): BirthBook {
  /** In the order in which they were last heard, the longest silence first. */
  const nodes = new Map<string, Node>();
  let metricCount = 0;

  function count(node: Node, change: number): void {
    node.metricCount += change;
    metricCount += change;
  }

  function forgetAll(node: Node): void {
    count(node, -node.metricCount);
    node.birth = undefined;
    node.nextSeq = undefined;
    node.bdSeq = undefined;
    node.devices.clear();
  }

  function drop(node: Node, deviceId: string): void {
    count(node, -sizeOf(node.devices.get(deviceId)));
    node.devices.delete(deviceId);
  }

  /** The newest node is never among them: what it has just said fits in one message. */
  function makeRoom(): void {
    for (const [key, node] of nodes) {
      if (nodes.size <= limits.nodesMax && metricCount <= limits.metricsMax) return;
      if (nodes.size === 1) return;
      forgetAll(node);
      nodes.delete(key);
    }
  }

  return {
    touch: (origin) => {
      const key = `${origin.groupId}/${origin.nodeId}`;
      const node = nodes.get(key) ?? { devices: new Map(), metricCount: 0 };
      nodes.delete(key);
      nodes.set(key, node);
      makeRoom();
      return node;
    },
    describe: (node, { deviceId }, metrics) => {
      const birth = birthOf(metrics);
      if (deviceId === undefined) {
        forgetAll(node);
        node.birth = birth;
      } else {
        drop(node, deviceId);
        const oldest = node.devices.keys().next().value;
        if (node.devices.size >= limits.devicesPerNodeMax && oldest !== undefined) {
          drop(node, oldest);
        }
        node.devices.set(deviceId, birth);
      }
      count(node, sizeOf(birth));
      makeRoom();
    },
    forget: (node, { deviceId }) => {
      if (deviceId === undefined) forgetAll(node);
      else drop(node, deviceId);
    },
    counts: () => ({ nodes: nodes.size, metrics: metricCount }),
  };
}

function birthOf(metrics: readonly Metric[]): Birth {
  const byAlias = new Map<number, Described>();
  const byName = new Map<string, Described>();
  for (const { name, alias, dataType } of metrics) {
    if (name === undefined || name === '') continue;
    const described = { name, dataType };
    byName.set(name, described);
    if (alias !== undefined) byAlias.set(alias, described);
  }
  return { byAlias, byName };
}

function sizeOf(birth: Birth | undefined): number {
  return birth === undefined ? 0 : Math.max(birth.byName.size, birth.byAlias.size);
}
