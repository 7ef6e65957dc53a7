/** What the compiled parts of a mapping see while they read one message, and how they complain. */

/** One message on its way through a mapping. */
export interface Context {
  /** The opened body. */
  readonly root: unknown;
  /** The element of `each` or of a list that is read now; the body outside of them. */
  element: unknown;
  /** The place of that element, from 0. */
  index: number;
  /** The topic, or the path with its query. */
  readonly route: string;
  /** The named levels of the topic, in the order of the scope's captures. */
  readonly captures: readonly (string | undefined)[];
  /** The device that the sender's account is tied to. */
  readonly account: string | undefined;
  /** What could not be read; the first is shown. */
  readonly complaints: string[];
  /** Whether anything that gives a value was there: a message with nothing in it is a fault. */
  hasContent: boolean;
}

/** Reads one thing from a message; undefined where there is none. */
export type Read<T> = (context: Context) => T | undefined;

/** Notes the first thing that is wrong. The words come from the mapping, never from the message. */
export function complain(context: Context, source: string, expected: string): undefined {
  if (context.complaints.length === 0) {
    const place = source.startsWith('.') ? `${source} of element ${context.index}` : source;
    context.complaints.push(`${place === '' ? 'the body' : place} is not ${expected}`);
  }
  return undefined;
}

export interface MappingProblem {
  /** The path in the configuration, with dots. */
  readonly path: string;
  readonly detail: string;
}

/** What a part may refer to while it is compiled, and where its problems go. */
export interface Scope {
  readonly path: string;
  readonly problems: MappingProblem[];
  /** The names that the topics of the mapping give to levels. */
  readonly captures: readonly string[];
  /** Whether there is an element to point into with `./`. */
  readonly hasElement: boolean;
  /** The zone of clock faces that name none of their own. */
  readonly zone: string | undefined;
  /** Makes ids of personal identifiers; see hashed-identity.ts. */
  readonly identityKey: Buffer;
}

export function inside(scope: Scope, key: string | number): Scope {
  return { ...scope, path: `${scope.path}.${key}` };
}

export function report(scope: Scope, detail: string): undefined {
  scope.problems.push({ path: scope.path, detail });
  return undefined;
}
