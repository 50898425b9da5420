import type { Signed, Statement, StatementType } from '../../domain/statement.js';

/** The statement that a signature is over, when it has this type. It is read and not verified. */
export function statementIn<T extends StatementType>(
  signed: Signed | undefined,
  typ: T,
): Extract<Statement, { typ: T }> | undefined {
  if (signed === undefined) return undefined;
  try {
    const statement = JSON.parse(signed.statement) as Statement;
    return statement.typ === typ ? (statement as Extract<Statement, { typ: T }>) : undefined;
  } catch {
    return undefined;
  }
}
