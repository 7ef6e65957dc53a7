/** An edge node for the tests: writes payloads by the field numbers of sparkplug_b.proto. */
import {
  base64,
  double,
  encodeAll,
  flag,
  float,
  fullMessage,
  integer,
  list,
  type Schema,
  text,
} from '../protobuf/encoder.ts';

const metric: Schema = {
  name: [1, text],
  alias: [2, integer],
  timestamp: [3, integer],
  datatype: [4, integer],
  isHistorical: [5, flag],
  isTransient: [6, flag],
  isNull: [7, flag],
  metadata: [8, base64],
  intValue: [10, integer],
  longValue: [11, integer],
  floatValue: [12, float],
  doubleValue: [13, double],
  booleanValue: [14, flag],
  stringValue: [15, text],
  bytesValue: [16, base64],
  datasetValue: [17, base64],
  templateValue: [18, base64],
  extensionValue: [19, base64],
};

const payload: Schema = {
  timestamp: [1, integer],
  metrics: [2, list(fullMessage(metric))],
  seq: [3, integer],
  uuid: [4, text],
  body: [5, base64],
};

export interface MetricFields {
  readonly name?: string;
  readonly alias?: number;
  readonly timestamp?: number;
  readonly datatype?: number;
  readonly isHistorical?: boolean;
  readonly isTransient?: boolean;
  readonly isNull?: boolean;
  readonly metadata?: string;
  readonly intValue?: number;
  readonly longValue?: number;
  readonly floatValue?: number;
  readonly doubleValue?: number;
  readonly booleanValue?: boolean;
  readonly stringValue?: string;
  readonly bytesValue?: string;
  readonly datasetValue?: string;
  readonly templateValue?: string;
  readonly extensionValue?: string;
}

export interface PayloadFields {
  readonly timestamp?: number;
  readonly metrics?: readonly MetricFields[];
  readonly seq?: number;
  readonly uuid?: string;
  readonly body?: string;
}

export function payloadOf(fields: PayloadFields): Buffer {
  return encodeAll(fields, payload);
}

export function bdSeq(value: number): MetricFields {
  return { name: 'bdSeq', datatype: 8, longValue: value };
}
