/** The page of human agents and supervisors, at /desk. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../kit/theme.css';
import './desk.css';
import { Desk } from './desk.tsx';
import { browserParts, DeskSession } from './desk-session.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');
const session = new DeskSession(browserParts);
createRoot(root).render(
  <StrictMode>
    <Desk session={session} />
  </StrictMode>,
);
