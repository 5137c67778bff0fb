/** One section of bench/RESULTS.md: its title, how it is measured, and where it stands in the page. */

export interface SectionResult {
  /** Tables and words; headings from `###` on. */
  readonly markdown: string;
  /** Why these figures are not for the page (a busy machine, a part of the section only); null: they are. */
  readonly notWritten: string | null;
}

export interface Section {
  readonly title: string;
  /** Measures and prints; `args` are the words behind the section's name. */
  run(args: readonly string[]): Promise<SectionResult>;
}

const BEGIN = (name: string): string => `<!-- section ${name} -->`;
const HEAD = '# Results of `npm run bench`\n';

/**
 * The page with one section put in or replaced, in the order of `names`.
 * Sections that are not in `names` any more are dropped.
 */
export function withSection(
  page: string,
  names: readonly string[],
  section: { name: string; title: string; markdown: string },
): string {
  const written = sectionsOf(page);
  written.set(section.name, `## ${section.title}\n\n${section.markdown.trim()}\n`);
  const blocks = names.flatMap((name) => {
    const text = written.get(name);
    return text === undefined ? [] : [`${BEGIN(name)}\n\n${text}`];
  });
  return [HEAD, ...blocks].join('\n');
}

function sectionsOf(page: string): Map<string, string> {
  const parts = page.split(/^<!-- section ([a-z-]+) -->\n/m);
  const sections = new Map<string, string>();
  for (let at = 1; at < parts.length; at += 2)
    sections.set(parts[at] ?? '', `${(parts[at + 1] ?? '').trim()}\n`);
  return sections;
}
