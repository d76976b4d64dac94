/** The text of a document between the two marks of a section, or `undefined` when it has no such section. */
export function sectionOf(document: string, name: string): string | undefined {
  const [begin, end] = marks(name);
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  return from < 0 || to < from ? undefined : document.slice(from + begin.length, to).trim();
}

/**
 * The document with another text in a section.
 * @throws Error when it has no such section
 */
export function withSection(document: string, name: string, text: string): string {
  if (sectionOf(document, name) === undefined) throw new Error(`the document has no section ${name}`);
  const [begin, end] = marks(name);
  const before = document.slice(0, document.indexOf(begin) + begin.length);
  return `${before}\n\n${text}\n\n${document.slice(document.indexOf(end))}`;
}

const marks = (name: string): readonly [begin: string, end: string] => [
  `<!-- generated: ${name} -->`,
  `<!-- end: ${name} -->`,
];
