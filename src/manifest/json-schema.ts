/** The JSON Schemas that editors complete and check with, made from the schemas that Tenure itself checks with. */
import { z } from 'zod';
import { registeredSchemas } from '../config/load.js';
import { configFields } from '../config/schema.js';
import { manifestSchema } from './schema.js';

type JsonSchema = Record<string, unknown>;

/** Of a manifest; committed as `tenure.schema.json`. */
export function manifestJsonSchema(): JsonSchema {
  return titled('Tenure manifest', z.toJSONSchema(manifestSchema, { io: 'input', target: 'draft-7' }));
}

/** Of the operator's file with the options of every registered connector; committed as `tenure-config.schema.json`. */
export function configJsonSchema(): JsonSchema {
  const { targets, stores } = registeredSchemas();
  const schema = z.strictObject({
    ...configFields,
    targets: named(targets, configFields.targets),
    stores: named(stores, configFields.stores),
  });
  return titled(
    "Tenure operator's file",
    z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' }),
  );
}

function named(schemas: Readonly<Record<string, z.ZodType>>, { description }: z.ZodType): z.ZodType {
  const [first, ...rest] = Object.values(schemas);
  const options = first ? z.union([first, ...rest]) : z.unknown();
  return z
    .record(z.string(), options)
    .optional()
    .describe(description ?? '');
}

function titled(title: string, { $schema, ...schema }: JsonSchema): JsonSchema {
  return { $schema, title, ...schema };
}
