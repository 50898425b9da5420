/** Where a log lies: texts under names, each written once and never changed. A folder, or a bucket under object lock. */
export interface Shelf {
  /** For messages: the folder, or the bucket. */
  readonly where: string;
  /** The text under `name`; undefined where there is none. */
  get(name: string): Promise<string | undefined>;
  /** Puts `text` under `name` only if nothing is there, in one step that several workers can race for; says whether it did. */
  create(name: string, text: string): Promise<boolean>;
  /** The full names below `folder`, sorted. */
  list(folder: string): Promise<readonly string[]>;
  /** The highest number of those that {@link numbered} has named in `folder`; undefined for none. */
  last(folder: string): Promise<number | undefined>;
}

/** Twelve digits, so that names sort as their numbers do. */
const digits = 12;

/** `<folder>/000000000042<suffix>`. */
export function numbered(folder: string, number: number, suffix = ''): string {
  return `${folder}/${String(number).padStart(digits, '0')}${suffix}`;
}

/** The number in a name that {@link numbered} made. */
export function numberIn(name: string): number | undefined {
  const found = new RegExp(String.raw`/(\d{${digits}})(\.[a-z]+)?$`).exec(name)?.[1];
  return found === undefined ? undefined : Number(found);
}
