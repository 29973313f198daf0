// A page is called what its first line says, not what its file is called; and the main door what it is imported by.

import { Converter, ReflectionKind } from 'typedoc';

// A slash would make a folder of it.
const plain = (markdown) =>
  markdown
    .replace(/[`*_]/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('/', ' ');

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    const text = page.content.map((part) => part.text).join('');
    const title = /^# (.+)$/m.exec(text)?.[1];
    if (title !== undefined) page.name = plain(title);
  });
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, declaration) => {
    if (declaration.kindOf(ReflectionKind.Module) && declaration.name === 'index') declaration.name = 'weakly';
  });
}
