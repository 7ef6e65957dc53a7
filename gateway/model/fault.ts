/**
 * Everything that the world can do wrong, as values. The README's table and this list are equal: a
 * test says so.
 */

export const faultSentences = {
  INBOUND_MALFORMED: 'The message is cut off, or a field of it is missing or wrong.',
  INBOUND_UNRECOGNISED:
    'No adapter claims the message: none is set up for its topic or path, or it is of another form.',
  INBOUND_TOO_LARGE: 'The message is larger than the configured limit.',
  TOPIC_FORBIDDEN: 'The sender may not publish to this topic.',
  DEVICE_UNKNOWN: 'No registered device has this DevAddr and session, or this identifier.',
  FRAME_MALFORMED: 'The bytes are not a LoRaWAN data frame of a sound length.',
  FRAME_UNSUPPORTED:
    'The frame is of a type that carries no telemetry or that needs keys not held here.',
  MIC_MISMATCH: 'The message integrity code does not fit any session of this DevAddr.',
  FRAME_REPLAYED:
    'A valid frame with a counter that was used before: it was recorded and sent again.',
  LEDGER_UNAVAILABLE:
    'The ledger could not write to its disk; the sender was given no acknowledgement.',
  PAYLOAD_ENCRYPTED: 'The payload is encrypted with an application key that is not held here.',
  PAYLOAD_SIMULATED:
    'The network server marks this uplink as simulated: it is kept, but it is not telemetry.',
  CODEC_MISSING: 'No codec is set up for this device and the message carries no decoded values.',
  PAYLOAD_UNDECODABLE: 'The codec of this device could not decode the payload.',
} as const;

export type FaultCode = keyof typeof faultSentences;

export interface Fault {
  readonly kind: 'fault';
  readonly code: FaultCode;
  /** One sentence for a person, without secrets or payload bytes. */
  readonly detail: string;
}

export function fault(code: FaultCode, detail: string): Fault {
  return { kind: 'fault', code, detail };
}
