/** Values as Cedar reads them in JSON. */
import type { CedarValueJson, TypeAndId } from './cedar.js';

export function uid(type: string, id: string): TypeAndId {
  return { type: `Tenure::${type}`, id };
}

export function reference(type: string, id: string): CedarValueJson {
  return { __entity: uid(type, id) };
}

export function milliseconds(ms: number): CedarValueJson {
  return extension('duration', `${ms}ms`);
}

export function extension(fn: string, arg: string): CedarValueJson {
  return { __extn: { fn, arg } };
}
