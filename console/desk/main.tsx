/** The page of human agents and supervisors, at /desk. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../kit/theme.css';
import { Desk } from './desk.tsx';

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <Desk />
  </StrictMode>,
);
