/** Narrows the JSON of an InfluxQL answer. */

export interface Series {
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

/** All series of all statements; throws the server's own error when there is one. */
export function parseSeries(answer: unknown): readonly Series[] {
  const found: Series[] = [];
  for (const result of listIn(answer, 'results')) {
    const error = valueIn(result, 'error');
    if (error !== undefined) throw new Error(`InfluxDB refuses the query: ${String(error)}`);
    for (const series of listIn(result, 'series')) found.push(parseOne(series));
  }
  return found;
}

function parseOne(series: unknown): Series {
  // A server with max-row-limit cuts answers off: a page would then look like the last one.
  if (valueIn(series, 'partial') === true) {
    throw new Error('InfluxDB cut the answer off: raise its max-row-limit');
  }
  const columns = listIn(series, 'columns').map((column) => String(column));
  const values = listIn(series, 'values').map((row) => (Array.isArray(row) ? row : []));
  return { columns, values };
}

function listIn(holder: unknown, name: string): readonly unknown[] {
  const list = valueIn(holder, name);
  return Array.isArray(list) ? list : [];
}

function valueIn(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object' || holder === null) return undefined;
  return Object.entries(holder).find(([key]) => key === name)?.[1];
}
