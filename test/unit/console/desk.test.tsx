import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { Desk } from '../../../console/desk/desk.tsx';

describe('the desk', () => {
  it('has a heading', () => {
    expect(renderToStaticMarkup(<Desk />)).toContain('<h1>Desk</h1>');
  });
});
