/** The part of the protocol that is of device models and of fields that want a mapping. */

/** How a field is read; see docs/codecs.md. */
export interface FieldRuleJson {
  from: string;
  fromChannel?: string;
  quantity: string | null;
  channel?: string;
  unit?: string;
  scale?: number;
  offset?: number;
  words?: Readonly<Record<string, string | number | null>>;
}

/** Limits of the quality tests of one series; see docs/quality.md. */
export interface SeriesLimitsJson {
  quantity: string;
  channel?: string | undefined;
}

export interface ModelSettingsJson {
  name?: string;
  description?: string;
  sensors?: readonly string[];
  codec?: string;
  macVersion?: string;
  mapping?: readonly FieldRuleJson[];
  limits?: readonly SeriesLimitsJson[];
}

/** One of `GET /api/v1/models`, with all that it gives its devices. */
export interface ModelJson extends ModelSettingsJson {
  id: string;
  name: string;
  /** Whether a device repository knows it. */
  origin: 'import' | 'own';
  vendor?: string;
  sensors: readonly string[];
  firmware: readonly { version: string; hardwareVersions: readonly string[]; codec?: string }[];
  deviceCount?: number;
  /** What was put of it, over what an import says. */
  settings?: ModelSettingsJson;
}

export interface ModelsJson {
  items: ModelJson[];
  nextCursor?: string;
}

/** `GET /api/v1/unmapped`: fields without a place in the vocabulary. */
export interface UnmappedJson {
  items: UnmappedFieldJson[];
  total: number;
  /** Values of fields that there was no room for. */
  beyond: number;
}

export interface UnmappedFieldJson {
  field: string;
  codec?: string;
  model?: string;
  device: string;
  count: number;
  firstSeen: string;
  lastSeen: string;
  lastValue: number | string;
  min?: number;
  max?: number;
  hasRule: boolean;
  suggestions: string[];
}
