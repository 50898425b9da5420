/** What an observation says of one record; undefined where the record says nothing about it. */
export type Seen = { readonly operated: boolean; readonly what: string } | undefined;

export const operated = (what: string): Seen => ({ operated: true, what });
export const failed = (what: string): Seen => ({ operated: false, what });
