/** The whole desk: what is on the page, by what the human agent is doing. */
import type { ReactElement } from 'react';

export function Desk(): ReactElement {
  return (
    <main>
      <h1>Desk</h1>
    </main>
  );
}
