/** The codec scripts of a gateway: which there are, and what they make of a batch of uplinks. */
import type { Decoded } from '../../decoders/codec.ts';
import { decodedOf } from './decoded-result.ts';
import type { CodecLimits } from './limits.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';
import type { SandboxCall } from './sandbox-messages.ts';
import { type Script, type UplinkInput, uplinkCall } from './script.ts';

export interface ScriptCodecs {
  /** The version of what a device's `codec` means; undefined where no script has that name. */
  versionOf(reference: string): string | undefined;
  /**
   * One result for each input, in order. Never rejects: a script that fails is an error in words.
   */
  decode(inputs: readonly ScriptInput[]): Promise<readonly Decoded[]>;
  /** The same where devices of other scripts wait: a script on trial may be passed over. */
  readonly inPass: PassCodecs;
  close(): Promise<void>;
}

export interface PassCodecs extends Pick<ScriptCodecs, 'versionOf'> {
  decode(inputs: readonly ScriptInput[]): Promise<readonly PassResult[]>;
}

/** With a mark on an error that is none of the script's: the pass had no time for it. */
export type PassResult = Decoded & { readonly isPassedOver?: true };

export interface ScriptInput extends UplinkInput {
  /** As the device names it: an id, or an id with a pinned version. */
  readonly codec: string;
}

export interface ScriptCodecsOptions {
  readonly limits: CodecLimits;
  /** The script that a device's `codec` means. */
  readonly script: (reference: string) => Script | undefined;
  /** The sandbox's program, as in SandboxOptions. */
  readonly program?: URL;
  /** As in SandboxOptions. */
  readonly isShared?: boolean;
  /** As in SandboxOptions. */
  readonly now?: () => number;
  readonly onProblem?: (detail: string) => void;
}

export function openScriptCodecs(options: ScriptCodecsOptions): ScriptCodecs {
  const { script } = options;
  const sandbox = createSandbox(options);
  const versionOf = (reference: string) => script(reference)?.version;

  async function decode(
    inputs: readonly ScriptInput[],
    run: Sandbox['run'],
  ): Promise<PassResult[]> {
    const results: PassResult[] = inputs.map(({ codec }) => missing(codec));
    const groups = groupByScript(inputs, script);
    const answers = await run(groups);
    for (const [index, { places, script: made }] of groups.entries()) {
      for (const [at, text] of (answers[index] ?? []).entries()) {
        const place = places[at];
        if (place !== undefined) results[place] = resultOf(text, made);
      }
    }
    return results;
  }

  return {
    versionOf,
    decode: (inputs) => decode(inputs, sandbox.run),
    inPass: { versionOf, decode: (inputs) => decode(inputs, sandbox.runInPass) },
    close: () => sandbox.close(),
  };
}

function resultOf(text: string, { mapping }: Script): PassResult {
  const decoded = decodedOf(text, mapping);
  return text.startsWith('p') ? { ...decoded, isPassedOver: true } : decoded;
}

function missing(id: string): Decoded {
  return { ok: false, error: `there is no script named ${id}` };
}

interface Group {
  readonly script: Script;
  readonly calls: SandboxCall[];
  /** Where in the batch each call stands. */
  readonly places: number[];
}

function groupByScript(
  inputs: readonly ScriptInput[],
  scriptOf: (reference: string) => Script | undefined,
): Group[] {
  const groups = new Map<string, Group>();
  for (const [place, input] of inputs.entries()) {
    const script = scriptOf(input.codec);
    if (script === undefined) continue;
    const group = groups.get(input.codec) ?? { script, calls: [], places: [] };
    groups.set(input.codec, group);
    group.calls.push(uplinkCall(script, input));
    group.places.push(place);
  }
  return [...groups.values()];
}
