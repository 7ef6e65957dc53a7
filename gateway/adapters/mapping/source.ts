/**
 * Sources: where in a message something stands. `/a/b` is a JSON pointer [RFC 6901] into the body,
 * `./a/b` into the element, `topic:name` a level of the topic, `query:name` a parameter of the
 * request, `account` the account's device.
 */
import { isPersonalIdentifier } from '../personal.ts';
import { type Read, report, type Scope } from './context.ts';

const depthMax = 32;
const index = /^(?:0|[1-9]\d{0,8})$/;

/** A source that cannot be is reported, and then reads nothing. */
export function compileSource(source: string, scope: Scope): Read<unknown> {
  if (source === 'account') return ({ account }) => account;
  if (source.startsWith('topic:')) return compileCapture(source.slice('topic:'.length), scope);
  if (source.startsWith('query:')) return compileQuery(source.slice('query:'.length));
  if (source === '' || source.startsWith('/')) {
    const walk = compilePointer(source, scope);
    return ({ root }) => walk(root);
  }
  if (source === '.' || source.startsWith('./')) {
    if (!scope.hasElement)
      report(scope, `${source} points into an element, but there is none here`);
    const walk = compilePointer(source.slice(1), scope);
    return ({ element }) => walk(element);
  }
  report(
    scope,
    `${source} is no source: write /pointer, ./pointer, topic:name, query:name or account`,
  );
  return () => undefined;
}

/** As compileSource, where a personal identifier may not come out in clear. */
export function compileOpenSource(source: string, scope: Scope): Read<unknown> {
  if (isPersonalSource(source)) {
    report(scope, `${source} names a personal identifier: only deviceId with a kind may read it`);
  }
  return compileSource(source, scope);
}

function isPersonalSource(source: string): boolean {
  return source.split(/[/:]/).some((token) => isPersonalIdentifier(token));
}

function compileCapture(name: string, scope: Scope): Read<string> {
  const slot = scope.captures.indexOf(name);
  if (slot < 0) {
    const known = scope.captures.map((capture) => `topic:${capture}`).join(', ') || 'none';
    report(scope, `no topic has a level {${name}}; known: ${known}`);
  }
  return ({ captures }) => captures[slot];
}

/** Of HTTP and CoAP; what is longer than this is no parameter. */
const queryLengthMax = 2_048;

function compileQuery(name: string): Read<string> {
  return ({ route }) => {
    const at = route.indexOf('?');
    if (at < 0 || route.length - at > queryLengthMax) return undefined;
    return new URLSearchParams(route.slice(at)).get(name) ?? undefined;
  };
}

function compilePointer(pointer: string, scope: Scope): (value: unknown) => unknown {
  if (pointer === '') return (value) => value;
  if (/~(?![01])/.test(pointer)) report(scope, `${pointer}: ~ is written ~0 and / is written ~1`);
  const tokens = pointer.slice(1).split('/').map(unescaped);
  if (tokens.length > depthMax) report(scope, `${pointer} is deeper than ${depthMax} levels`);
  for (const token of tokens) {
    // Every object has these, so that a plain look-up would find them in any message.
    if (token in Object.prototype) report(scope, `${pointer}: ${token} cannot be read`);
  }
  const [only] = tokens;
  if (tokens.length === 1 && only !== undefined) return (value) => childOf(value, only);
  return (value) => {
    let at = value;
    for (const token of tokens) at = childOf(at, token);
    return at;
  };
}

/** [RFC 6901] first ~1, then ~0. */
function unescaped(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}

function childOf(value: unknown, token: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value) && !index.test(token)) return undefined;
  return Reflect.get(value, token);
}
