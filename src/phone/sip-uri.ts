/**
 * As much of SIP and tel URIs as routing needs (RFC 3261 §19.1, RFC 3966). Never throws, whatever it is
 * given.
 */

/** The URI of a From, To or Contact value: between angle brackets, or the value up to its first parameter. */
export function uriOf(header: string): string {
  const open = header.indexOf('<', header.startsWith('"') ? closingQuote(header) : 0);
  if (open === -1) return header.split(';', 1)[0]?.trim() ?? '';
  const close = header.indexOf('>', open);
  return header.slice(open + 1, close === -1 ? undefined : close).trim();
}

function closingQuote(text: string): number {
  for (let index = 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === '"') return index;
  }
  return text.length;
}

/** The tag of a From or To value, which stands outside the brackets. */
export function tagOf(header: string): string | undefined {
  const close = header.lastIndexOf('>');
  const parameters = close === -1 ? header : header.slice(close + 1);
  return /;\s*tag\s*=\s*([^;,\s]+)/i.exec(parameters)?.[1];
}

/** Host and port of a SIP URI as they stand there; empty for others. */
export function hostOf(uri: string): string {
  const rest = /^sips?:(.*)$/i.exec(uri)?.[1] ?? '';
  return (
    rest
      .slice(rest.lastIndexOf('@') + 1)
      .split(/[;?]/, 1)[0]
      ?.trim() ?? ''
  );
}

/** The user part without its parameters, unescaped; for tel URIs the number. Empty when there is none. */
export function userOf(uri: string): string {
  const scheme = /^(sips?|tel):/i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) return '';
  const rest = uri.slice(scheme.length + 1);
  if (scheme === 'tel') return unescaped(rest.split(';', 1)[0] ?? '');
  const at = rest.lastIndexOf('@');
  if (at === -1) return '';
  // A password may follow a colon; numbering parameters (RFC 3966) may follow a semicolon.
  return unescaped(rest.slice(0, at).split(/[:;]/, 1)[0] ?? '');
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * One key for the ways in which carriers write one number: `+1 (555) 0100`, `0015550100` and `15550100` are
 * the same. Anything that is no number is its own key, in lower case.
 */
export function numberKey(user: string): string {
  const digits = user.replace(/[-.() ]/g, '');
  if (!/^\+?[0-9*#]+$/.test(digits)) return user.toLowerCase();
  if (digits.startsWith('+')) return digits.slice(1);
  return digits.length > 4 && digits.startsWith('00') ? digits.slice(2) : digits;
}
