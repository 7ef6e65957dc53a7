/**
 * What a transport hands over: bytes, where they came from and who sent them. Nothing is parsed
 * yet.
 */

/**
 * Who vouches that a reading is genuine, strongest first: `mic` the gateway verified the LoRaWAN
 * frame itself; `network-server` a network server says it did; `tls-client` the device showed a
 * client certificate; `credential` the sender knew a password or a token.
 */
export type VouchedBy = 'mic' | 'network-server' | 'tls-client' | 'credential';

export interface Sender {
  /** The account's name: an MQTT user name, an HTTP token's name. Never a secret. */
  readonly credential: string;
  /**
   * Unlike for every connection or request, across restarts too: tells a resend from a new message.
   */
  readonly connection: string;
  readonly vouches: Exclude<VouchedBy, 'mic'>;
  /** The device this account is tied to, where it is one device's own. */
  readonly deviceId?: string;
}

export interface Inbound {
  readonly transport: 'mqtt' | 'http' | 'udp' | 'coap';
  /** The MQTT topic or the HTTP path. */
  readonly route: string;
  /** Of its source, as it was set up when the message came in; absent where the route decides. */
  readonly adapter?: string;
  readonly body: Buffer;
  /** Epoch milliseconds on the gateway's clock. */
  readonly receivedAt: number;
  readonly sender: Sender;
  /** The MQTT DUP flag: the sender itself says that it has sent this message before. */
  readonly dup: boolean;
  /** The MQTT packet identifier; absent at QoS 0 and on other transports. */
  readonly messageId?: number;
}
