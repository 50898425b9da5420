/** Rows of CSV (RFC 4180) out of lines: a quoted field may go over several of them. */
export async function* csvRows(
  lines: AsyncIterable<string>,
): AsyncGenerator<{ readonly fields: readonly string[]; readonly line: number }> {
  let [open, begun, number] = ['', 0, 0];
  for await (const text of lines) {
    number += 1;
    if (open === '') begun = number;
    open = open === '' ? text : `${open}\n${text}`;
    // An even number of quotes closes all of them: a quote within a field is doubled.
    if ((open.split('"').length - 1) % 2 === 1) continue;
    if (open !== '') yield { fields: fieldsOf(open), line: begun };
    open = '';
  }
  if (open !== '') yield { fields: fieldsOf(open), line: begun };
}

const field = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/gy;

function fieldsOf(row: string): string[] {
  return [...row.matchAll(field)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}
