/** The roles of an identity: a group that owns the rights and cannot log in, and two logins that take turns. */

/** The role that holds the rights. */
export function groupOf(identity: string): string {
  return identity;
}

/** The roles that log in. */
export function loginsOf(identity: string): [string, string] {
  return [`${identity}_a`, `${identity}_b`];
}
