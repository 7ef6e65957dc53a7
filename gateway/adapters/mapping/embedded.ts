/** Text inside a message that is a document of its own: JSON in a string, an NMEA sentence. */
import type { EmbeddedSpec } from '../../../config/mapping-schema.ts';
import { openDocument } from '../document.ts';
import { inside, report, type Scope } from './context.ts';
import { readNmea } from './nmea.ts';
import { compileSource } from './source.ts';

/** Gives the message with the texts opened in their places. */
export type Open = (root: unknown) => void;

/** What is no document stays the text it was: some senders put either in one place. */
export function compileEmbedded(specs: readonly EmbeddedSpec[] | undefined, scope: Scope): Open {
  const steps = (specs ?? []).map((spec, at) => compileOne(spec, inside(scope, at)));
  return (root) => {
    for (const step of steps) step(root);
  };
}

function compileOne({ at, as }: EmbeddedSpec, scope: Scope): Open {
  if (!/^\/[^~]+$/.test(at)) {
    report(inside(scope, 'at'), `${at} is no pointer below the body`);
    return () => undefined;
  }
  const slash = at.lastIndexOf('/');
  const readParent = compileSource(at.slice(0, slash), inside(scope, 'at'));
  const readText = compileSource(at, inside(scope, 'at'));
  const key = at.slice(slash + 1);
  const open = as === 'json' ? openJson : readNmea;
  return (root) => {
    const context = { ...emptyContext, root, complaints: [] };
    const parent = readParent(context);
    const text = readText(context);
    if (typeof text !== 'string' || typeof parent !== 'object' || parent === null) return;
    const opened = open(text);
    // The document was made of this message's bytes and belongs to nobody else.
    if (opened !== undefined) Reflect.set(parent, key, opened);
  };
}

const emptyContext = {
  element: undefined,
  index: 0,
  route: '',
  captures: [],
  account: undefined,
  hasContent: false,
};

/** Only objects and arrays: a lone number or text is the value itself. */
function openJson(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  const document = openDocument(Buffer.from(text, 'utf8'));
  return 'code' in document ? undefined : document.value;
}
