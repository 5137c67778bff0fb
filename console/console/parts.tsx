/** Small pieces that every view of the console uses. */
import type { ReactElement, ReactNode } from 'react';
import type { UseQueryResult } from '@tanstack/react-query';

/** Waits for an answer, tells a refusal, or shows what came. */
export function Answer<Data>({
  query,
  children,
}: {
  query: UseQueryResult<Data>;
  children: (data: Data) => ReactNode;
}): ReactElement {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error !== null)
    return (
      <div className="card notice" role="alert">
        <p>{query.error.message}</p>
        <button className="button" type="button" onClick={() => void query.refetch()}>
          Try again
        </button>
      </div>
    );
  return (
    <p className="muted" role="status">
      Loading …
    </p>
  );
}

export function Empty({ children }: { children: ReactNode }): ReactElement {
  return <p className="empty muted">{children}</p>;
}

export function Tag({ tone, children }: { tone: string; children: ReactNode }): ReactElement {
  return <span className={`tag ${tone}`}>{children}</span>;
}

export function Table({
  caption,
  head,
  children,
}: {
  caption: string;
  head: readonly string[];
  children: ReactNode;
}): ReactElement {
  return (
    <div className="scroll">
      <table>
        <caption className="unseen">{caption}</caption>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function More({
  next,
  go,
}: {
  next: string | null | undefined;
  go: (cursor: string) => void;
}): ReactElement {
  if (next === null || next === undefined) return <></>;
  return (
    <button className="button" type="button" onClick={() => go(next)}>
      Older
    </button>
  );
}
