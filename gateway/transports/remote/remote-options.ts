/** What a remote broker is set up with. The names of the limits are those of the configuration. */
import type { Sender } from '../../model/inbound.ts';

export interface RemoteBroker extends RemoteCertificates {
  readonly name: string;
  /** `mqtt`, `mqtts`, `ws` or `wss`. */
  readonly url: string;
  /** The broker keeps what comes while the gateway is away under this name. */
  readonly clientId: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Topic filters, `$share/<group>/<filter>` among them. */
  readonly subscribe: readonly string[];
  readonly protocolVersion: '3.1.1' | '5';
  readonly vouches: Exclude<Sender['vouches'], 'tls-client'>;
  readonly deviceId?: string | undefined;
}

/** PEM. */
export interface RemoteCertificates {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

export interface RemoteBrokerLimits {
  readonly packetBytesMax: number;
  /** Messages of one broker between their arrival and their receipt. */
  readonly inFlightMax: number;
  readonly keepaliveSeconds: number;
  readonly connectTimeoutMs: number;
  /** How long the broker is asked to keep messages while the gateway is away (MQTT 5). */
  readonly sessionExpirySeconds: number;
  /** Between two attempts, doubled each time and never above the second. */
  readonly firstRetryMs: number;
  readonly retryMsMax: number;
  readonly stopTimeoutMs: number;
}
