/** Temporal's list filters, which are SQL-like. */

/**
 * A value for a list filter. Quotes and backslashes inside are escaped, so that no name can widen the filter or break it. (What has
 * a backslash or a double quote, or ends in a quote, the server itself does not find on SQLite, however it is written.)
 */
export function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
