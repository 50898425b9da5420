/** The text of a credential in the forms that programs read. */
import { TenureError } from '../domain/errors.js';
import type { Notify } from '../domain/identity.js';
import type { Material } from '../stores/store.js';

export type FileNotify = Extract<Notify, { file: unknown }>['file'];

/** `InvalidRequest` where the form cannot hold the material; the message names fields, never values. */
export function render({ format, template }: FileNotify, material: Material): string {
  if (format !== 'template') return renderMaterial(material, format);
  if (template === undefined) throw invalid('the template is missing');
  return renderTemplate(template, material);
}

/** The whole material as JSON, or as lines that set variables. */
export function renderMaterial(material: Material, format: 'json' | 'dotenv'): string {
  return format === 'json' ? `${JSON.stringify(material, null, 2)}\n` : renderDotenv(material);
}

/** `{{field}}` becomes the field's value. Values are put in as they are: quoting is the template's business. */
function renderTemplate(template: string, material: Material): string {
  return template.replace(/\{\{([^{}]*)\}\}/g, (_, inside: string) => {
    const field = inside.trim();
    const value = Object.hasOwn(material, field) ? material[field] : undefined;
    if (value !== undefined) return value;
    throw invalid(`the template asks for {{${field}}}, and there is only: ${Object.keys(material).join(', ')}`);
  });
}

/**
 * One `NAME='value'` for each field. There is no standard for such files: a value is only written in a form that a POSIX
 * shell, Node and the dotenv libraries read the same, and refused where there is none.
 */
function renderDotenv(material: Material): string {
  const names = new Map<string, string>();
  const lines = Object.entries(material).map(([field, value]) => {
    const name = field.replace(/[^A-Za-z0-9]+/g, '_').toUpperCase();
    if (!/^[A-Z_]/.test(name)) throw invalid(`${field} gives no name of a variable; use the format json or template`);
    const other = names.get(name);
    if (other !== undefined) throw invalid(`${other} and ${field} are both ${name}; use the format json or template`);
    names.set(name, field);
    return `${name}=${quoted(field, value)}\n`;
  });
  return lines.join('');
}

function quoted(field: string, value: string): string {
  // In single quotes everything is literal. A backslash before the closing one is taken for its escape by some.
  if (!/['\r\0]|\\$/.test(value)) return `'${value}'`;
  if (!/["\\$`\r\n\0]/.test(value)) return `"${value}"`;
  throw invalid(
    `${field} has characters that readers of dotenv files understand differently; use the format json or template`,
  );
}

function invalid(problem: string): TenureError {
  return new TenureError('InvalidRequest', problem);
}
