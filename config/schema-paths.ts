/** Questions about the schema by path, answered from its JSON Schema form. */
import { configJsonSchema } from './schema.ts';

type Path = readonly (string | number)[];
type Schema = Readonly<Record<string, unknown>>;

/** The keys known at a path; empty where anything goes or nothing is nested. */
export function keysAt(path: Path): readonly string[] {
  return variantsAt(path).flatMap((schema) => Object.keys(propertiesOf(schema)));
}

/** True where the setting is text, so that a password of digits stays text. */
export function isTextAt(path: Path): boolean {
  const variants = variantsAt(path);
  return variants.length > 0 && variants.every((schema) => schema['type'] === 'string');
}

/** The root, for walks. */
export function rootSchema(): Schema {
  const schema = configJsonSchema();
  return isSchema(schema) ? schema : {};
}

export function propertiesOf(schema: Schema): Readonly<Record<string, unknown>> {
  const properties = schema['properties'];
  return isSchema(properties) ? properties : {};
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The schema itself and, where it is a choice, each of its branches. */
export function branchesOf(schema: Schema): Schema[] {
  const choices = schema['anyOf'] ?? schema['oneOf'];
  return Array.isArray(choices) ? choices.filter(isSchema) : [schema];
}

function variantsAt(path: Path): Schema[] {
  let variants = branchesOf(rootSchema());
  for (const part of path) {
    variants = variants.flatMap((schema) => {
      const next = typeof part === 'number' ? schema['items'] : propertiesOf(schema)[part];
      return isSchema(next) ? branchesOf(next) : [];
    });
  }
  return variants;
}
