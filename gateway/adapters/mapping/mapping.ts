/** A mapping compiled once: every step is settled when the configuration is read. */
import { isUtf8 } from 'node:buffer';
import type { Mapping } from '../../../config/mapping-schema.ts';
import { type Fault, fault } from '../../model/fault.ts';
import type { Inbound } from '../../model/inbound.ts';
import type { Adapter, Parsed } from '../adapter.ts';
import { bodyBytesMax, malformed, openDocument } from '../document.ts';
import { type Context, inside, type MappingProblem, report, type Scope } from './context.ts';
import { compileEmbedded } from './embedded.ts';
import { openZone } from './local-time.ts';
import { compileRule } from './rule.ts';
import { compileCaptures, parsePattern, type TopicPattern } from './topic-pattern.ts';

export interface MappingParts {
  readonly name: string;
  readonly path: string;
  readonly identityKey: Buffer;
  readonly problems: MappingProblem[];
}

/** Reports every problem; the adapter may only be used when there was none. */
export function compileMapping(mapping: Mapping, parts: MappingParts): Adapter {
  const { name } = parts;
  const scope = scopeOf(mapping, parts);
  const patterns = patternsOf(mapping, inside(scope, 'topics'));
  const captures = [...new Set(patterns.flatMap(({ names }) => names.map((level) => level.name)))];
  const ruleScope: Scope = { ...scope, captures };
  const capture = compileCaptures(patterns, captures);
  const openBody = mapping.body === 'text' ? openText : openDocument;
  const openEmbedded = compileEmbedded(mapping.embedded, inside(ruleScope, 'embedded'));
  const rules = (mapping.rules ?? []).map((rule, at) =>
    compileRule(rule, inside(inside(ruleScope, 'rules'), at), name),
  );

  function parse(inbound: Inbound): Parsed {
    const document = openBody(inbound.body);
    if ('code' in document) return document;
    openEmbedded(document.value);
    const context: Context = {
      root: document.value,
      element: undefined,
      index: 0,
      route: inbound.route,
      captures: capture(inbound.route),
      account: inbound.sender.deviceId,
      complaints: document.complaints,
      hasContent: false,
    };
    const rule = rules.find(({ fits }) => fits(context));
    if (rule === undefined) return malformed(`no rule of the mapping ${name} fits the message`);
    const [first, ...others] = rule.read(context);
    const [complaint] = context.complaints;
    if (complaint !== undefined) return malformed(complaint);
    return first === undefined
      ? malformed('no element of the message is read')
      : [first, ...others];
  }

  return {
    name,
    topicFilters: patterns.map(({ filter }) => filter),
    isNetworkServer: mapping.networkServer ?? false,
    parse,
  };
}

function scopeOf(mapping: Mapping, { path, problems, identityKey }: MappingParts): Scope {
  const { zone } = mapping;
  const scope = { path, problems, captures: [], hasElement: false, zone, identityKey };
  if (mapping.rules === undefined) report(scope, 'has neither rules nor a profile');
  if (zone === undefined || openZone(zone) !== undefined) return scope;
  report(inside(scope, 'zone'), `${zone} is no IANA time zone, such as Asia/Baku`);
  return { ...scope, zone: 'UTC' };
}

function patternsOf({ topics }: Mapping, scope: Scope): TopicPattern[] {
  return (topics ?? []).flatMap((topic, at) => parsePattern(topic, inside(scope, at)) ?? []);
}

/** A body that is one bare value: the text itself, without the blanks around it. */
function openText(
  body: Buffer,
): { readonly value: unknown; readonly complaints: string[] } | Fault {
  if (body.length > bodyBytesMax) {
    return fault('INBOUND_TOO_LARGE', `the body has more than ${bodyBytesMax} bytes`);
  }
  if (!isUtf8(body)) return malformed('the body is not UTF-8');
  return { value: body.toString('utf8').trim(), complaints: [] };
}
