/** A credential's material on its way out to a consumer. It goes to where it was asked for, and into no message. */
import { render } from '../consumers/render.js';
import type { Slot } from '../domain/credential.js';
import { TenureError } from '../domain/errors.js';
import type { Delivery } from '../domain/identity.js';
import type { Material } from '../stores/store.js';
import { CliError, nextCommands, usage } from './errors.js';
import type { Session } from './session.js';

export interface Wanted {
  readonly slot: Slot;
  /** `store:path`: read there, without asking Temporal. */
  readonly from?: string;
}

/** Reads the material of an identity from the first of its deliveries. */
export async function readMaterial(session: Session, typed: string, wanted: Wanted): Promise<Material> {
  const delivery = wanted.from === undefined ? await deliveryOf(session, typed) : parseDelivery(wanted.from);
  const store = await session.services.store(delivery.store);
  try {
    return (await store.read(delivery.path, { slot: wanted.slot })).material;
  } catch (error) {
    if (!(error instanceof TenureError)) throw error;
    throw new CliError(error.code, error.message, nextCommands(error.code, typed));
  }
}

async function deliveryOf(session: Session, typed: string): Promise<Delivery> {
  // Loaded here: with --from, a consumer's start does not wait for Temporal's client.
  const [{ nameOf }, { standingOf }] = await Promise.all([import('./identities.js'), import('./standing.js')]);
  const name = nameOf(typed);
  const client = await session.services.client();
  const { state } = await standingOf(client, await session.services.namespace(), name);
  const delivery = state.spec?.deliver[0];
  if (!delivery)
    throw new CliError('NotFound', `${name} was never provisioned (${state.status})`, [
      `tenure show ${name}`,
      'tenure apply',
    ]);
  return delivery;
}

function parseDelivery(text: string): Delivery {
  const match = /^([^:]+):(.+)$/.exec(text);
  if (!match) throw usage(`--from ${text}: expected store:path, e.g. local:payments/db`);
  return { store: match[1]!, path: match[2]! };
}

/** One field; a message names the fields, never a value. */
export function fieldOf(material: Material, field: string): string {
  const value = Object.hasOwn(material, field) ? material[field] : undefined;
  if (value === undefined) throw usage(`there is no field ${field}; there are: ${Object.keys(material).join(', ')}`);
  return value;
}

/** The variable of a field, e.g. `TENURE_PASSWORD`. */
export function variableOf(prefix: string, field: string): string {
  return `${prefix}${field}`.replace(/[^A-Za-z0-9]+/g, '_').toUpperCase();
}

/** Material as lines of `NAME='value'`, in the form that the files of consumers have. */
export function dotenv(material: Material, prefix: string): string {
  const named = Object.entries(material).map(([field, value]) => [`${prefix}${field}`, value]);
  return render({ path: '', format: 'dotenv' }, Object.fromEntries(named) as Material);
}
