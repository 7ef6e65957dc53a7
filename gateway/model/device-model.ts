/** A device model: what devices of one make have in common, and so need not say themselves. */
import { createHash } from 'node:crypto';
import type { SeriesLimits } from '../../config/quality-schema.ts';
import type { FieldRule } from '../../decoders/field-rule.ts';
import type { Device, SettledDevice } from './device.ts';

export interface ModelFirmware {
  readonly version: string;
  readonly hardwareVersions: readonly string[];
  /** The id of its codec here. */
  readonly codec?: string;
  /** By region, such as EU868. */
  readonly regions: Readonly<Record<string, ModelProfile>>;
}

export interface ModelProfile {
  readonly macVersion?: string;
  readonly regionalParametersVersion?: string;
  readonly supportsJoin?: boolean;
  readonly supportsClassB?: boolean;
  readonly supportsClassC?: boolean;
}

/** What a person may say of a model, beside what a device repository says. */
export interface ModelSettings {
  readonly name?: string;
  readonly description?: string;
  /** What it measures, in the words of its maker. */
  readonly sensors?: readonly string[];
  /** Before that of its firmware. */
  readonly codec?: string;
  /** Before that of its firmware. */
  readonly macVersion?: string;
  readonly mapping?: readonly FieldRule[];
  readonly limits?: readonly SeriesLimits[];
}

export interface DeviceModel extends ModelSettings {
  /** What a device names; `<vendor>/<device>` for one of a device repository. */
  readonly id: string;
  readonly name: string;
  readonly vendor?: string;
  readonly sensors: readonly string[];
  /** The newest last, as device repositories have it. */
  readonly firmware: readonly ModelFirmware[];
}

/** Of the firmware that the device names, else of the last one that has a codec. */
export function codecOfModel(model: DeviceModel, firmware?: string): string | undefined {
  return model.codec ?? firmwareOf(model, firmware)?.codec;
}

/** Regions may differ in it: then the model says nothing. */
export function macVersionOfModel(model: DeviceModel, firmware?: string): string | undefined {
  const profiles = Object.values(firmwareOf(model, firmware)?.regions ?? {});
  const told = new Set(profiles.flatMap(({ macVersion }) => macVersion ?? []));
  const [only] = told;
  return model.macVersion ?? (told.size === 1 ? only : undefined);
}

function firmwareOf(model: DeviceModel, version: string | undefined): ModelFirmware | undefined {
  const named = model.firmware.find((one) => one.version === version);
  return (
    named ?? model.firmware.findLast(({ codec }) => codec !== undefined) ?? model.firmware.at(-1)
  );
}

/** The device itself where it has neither a model that is known nor rules of its own. */
export function settleDevice(device: Device, model: DeviceModel | undefined): SettledDevice {
  if (model === undefined && device.mapping === undefined) return device;
  const codec = device.codec ?? (model && codecOfModel(model, device.firmware));
  const told = device.kind === 'cellular' ? undefined : model;
  const macVersion = device.macVersion ?? (told && macVersionOfModel(told, device.firmware));
  const rules = [...(device.mapping ?? []), ...(model?.mapping ?? [])];
  return {
    ...device,
    ...(codec === undefined ? {} : { codec }),
    ...(macVersion === undefined ? {} : { macVersion }),
    ...(model?.limits === undefined ? {} : { modelLimits: model.limits }),
    ...(rules.length === 0 ? {} : { mapping: rules, mappingVersion: rulesVersion(rules) }),
  };
}

const versionDigits = 12;

/** Another for every change of what the rules say. */
function rulesVersion(rules: readonly FieldRule[]): string {
  return createHash('sha256').update(JSON.stringify(rules)).digest('hex').slice(0, versionDigits);
}
