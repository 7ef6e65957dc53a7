/**
 * Resources of LwM2M objects in SenML: `/3303/0/5700` is a temperature [OMA LwM2M Core 1.1, 7.4.4;
 * the objects are those of OMA's registry, 3300 and up of the IPSO Alliance]. An instance beyond
 * the first is a channel.
 */

export interface ResourceName {
  readonly name: string;
  readonly unit?: string | undefined;
  /** Empty for the first instance. */
  readonly channel: string;
}

interface Named {
  readonly name: string;
  readonly value?: number | string | boolean;
  readonly unit?: string;
}

interface Resource {
  readonly name: string;
  /** Where neither the record nor the object tells one; without it the resource is then unknown. */
  readonly unit?: string;
}

/** By object and resource. What may be of any substance or medium is left out. */
const resources: ReadonlyMap<string, Resource> = new Map(
  Object.entries({
    '3/9': { name: 'battery_level', unit: '%' },
    '6/0': { name: 'latitude', unit: 'deg' },
    '6/1': { name: 'longitude', unit: 'deg' },
    '6/2': { name: 'altitude', unit: 'm' },
    '3301/5700': { name: 'illuminance', unit: 'lx' },
    '3303/5700': { name: 'temperature', unit: 'Cel' },
    '3304/5700': { name: 'humidity', unit: '%RH' },
    '3305/5800': { name: 'power', unit: 'W' },
    '3305/5805': { name: 'energy', unit: 'Wh' },
    '3315/5700': { name: 'pressure' },
    '3316/5700': { name: 'voltage' },
    '3317/5700': { name: 'current' },
    '3318/5700': { name: 'frequency' },
    '3321/5700': { name: 'altitude' },
    '3328/5700': { name: 'power' },
    '3330/5700': { name: 'distance' },
    '3331/5805': { name: 'energy', unit: 'Wh' },
  }),
);

/** Sensor Units, a text beside the Sensor Value of the same object. */
const unitsResource = 5701;
/** Small numbers stand in names of other senders, too: without a slash they say nothing. */
const path = /^(?:\/|(?=3[3-4]\d\d\/))(\d{1,5})\/(\d{1,5})\/(\d{1,5})$/;

interface Place {
  readonly object: number;
  readonly instance: number;
  readonly resource: number;
}

/**
 * How the records of one pack are called: `undefined` for what is no resource, `null` for what only
 * says another's unit.
 */
export function resourceNames(
  records: readonly Named[],
): (record: Named) => ResourceName | null | undefined {
  const units = new Map<string, string>();
  for (const { name, value } of records) {
    const place = placeOf(name);
    if (place?.resource === unitsResource && typeof value === 'string') {
      units.set(`${place.object}/${place.instance}`, value);
    }
  }
  return ({ name, value, unit }) => {
    const place = placeOf(name);
    if (place === undefined) return undefined;
    const { object, instance, resource } = place;
    if (resource === unitsResource && typeof value === 'string') return null;
    const known = resources.get(`${object}/${resource}`);
    const told = unit ?? units.get(`${object}/${instance}`) ?? known?.unit;
    const isKnown = known !== undefined && told !== undefined;
    if (!isKnown && !name.startsWith('/')) return undefined;
    return {
      name: isKnown ? known.name : `${object}.${resource}`,
      unit: told,
      channel: instance === 0 ? '' : String(instance),
    };
  };
}

function placeOf(name: string): Place | undefined {
  const match = path.exec(name);
  if (match === null) return undefined;
  const [, object, instance, resource] = match.map(Number);
  if (object === undefined || instance === undefined || resource === undefined) return undefined;
  return { object, instance, resource };
}
