/**
 * What a message that no adapter was set up for looks like, so that its operator need not guess.
 * A look at the first bytes for words that only one format has: cheap, and only a hint. The words
 * found are never repeated, since the hint goes into a fault's detail.
 */

const looksMax = 4_096;

interface Form {
  readonly name: string;
  /** As the configuration names it. */
  readonly adapter: string;
  readonly words: readonly string[];
}

/** First match wins: what has the more peculiar words comes first. */
const forms: readonly Form[] = [
  form('The Things Stack v3', 'the-things-stack-v3-json', '"end_device_ids"'),
  form('ChirpStack v4', 'chirpstack-v4-json', '"deviceInfo"', '"devEui"'),
  form('Actility ThingPark', 'thingpark', '"DevEUI_'),
  form('Actility ThingPark in XML', 'thingpark', '<DevEUI_'),
  form('Kerlink Wanesy', 'kerlink-wanesy', '"endDevice"', '"devEui"'),
  form('a Helium console', 'helium-console', '"hotspots"', '"dev_eui"'),
  form('LORIOT', 'loriot', '"cmd"', '"EUI"'),
  form('a Basics Station', 'basic-station', '"msgtype"'),
  form('a Semtech packet forwarder', 'semtech-udp', '"rxpk"'),
  form('a ChirpStack Gateway Bridge', 'chirpstack-gateway-bridge-json', '"phyPayload"'),
  form('MultiTech', 'multitech', '"deveui"'),
  form('Senet', 'senet', '"devEui"', '"pdu"'),
  form('a Milesight gateway', 'milesight-gateway', '"devEUI"', '"mac"'),
  form('ChirpStack v3', 'chirpstack-v3-json', '"devEUI"', '"applicationID"'),
];

function form(name: string, adapter: string, ...words: string[]): Form {
  return { name, adapter, words };
}

/** A clause for a fault's detail; undefined when it looks like nothing that is known. */
export function hintOf(body: Buffer): string | undefined {
  const start = body.toString('latin1', 0, looksMax);
  const found = forms.find(({ words }) => words.every((word) => start.includes(word)));
  if (found !== undefined) {
    return `looks like ${found.name}: route it to ${found.adapter} with ingest.routes`;
  }
  if (/^\s*[[{]/.test(start)) {
    return 'it is JSON of no network server known here: a mapping in ingest.mappings can read it';
  }
  return undefined;
}
