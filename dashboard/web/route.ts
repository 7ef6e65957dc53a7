/** Which view an address stands for. Views live behind `#/`, so any server path serves the page. */

export type Route = { view: 'list' } | { view: 'device'; id: string };

/** An id longer than the gateway allows names no device. */
const idPattern = /^[A-Za-z0-9_.:-]{1,64}$/u;

/** Undefined for an anchor inside the page, which changes no view. */
export function routeOf(hash: string): Route | undefined {
  if (hash === '' || hash === '#' || hash === '#/') return { view: 'list' };
  const match = /^#\/device\/([^/]+)$/u.exec(hash);
  if (match === null) return hash.startsWith('#/') ? { view: 'list' } : undefined;
  const id = decode(match[1] ?? '');
  return idPattern.test(id) ? { view: 'device', id } : { view: 'list' };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

export function addressOf(route: Route): string {
  return route.view === 'list' ? '#/' : `#/device/${encodeURIComponent(route.id)}`;
}
