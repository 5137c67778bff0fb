/** How the page writes times, lengths, numbers and endings. */

export function clock(iso: string): string {
  return new Date(iso).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

export function dayAndClock(iso: string): string {
  return new Date(iso).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
}

/** `1:05`, or a dash while nobody knows. */
export function length(ms: number | null): string {
  if (ms === null) return '–';
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

export function milliseconds(ms: number | null): string {
  return ms === null ? '' : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function money(micros: number): string {
  return `$${(micros / 1_000_000).toFixed(4)}`;
}

const ABBREVIATIONS = new Set(['crm', 'sms']);

/** `caller-hung-up` as people say it. */
export function plain(slug: string | null): string {
  if (slug === null) return 'Going on';
  if (ABBREVIATIONS.has(slug)) return slug.toUpperCase();
  const text = slug.replaceAll(/[-_.]/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Which colour an ending has. */
export function tone(endingClass: string | null): 'good' | 'bad' | 'odd' | 'none' {
  switch (endingClass) {
    case 'success':
      return 'good';
    case 'server':
    case 'upstream':
      return 'bad';
    case 'client':
    case 'indeterminate':
      return 'odd';
    default:
      return 'none';
  }
}

export function who(from: string): string {
  return from === '' ? 'Somebody on the web' : from;
}
