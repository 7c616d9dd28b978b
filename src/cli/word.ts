import { Command } from 'commander'
import type { Vocabulary } from '../kinds/base/vocabulary.ts'
import { sayOfWord } from '../newsroom/words.ts'
import type { WordChange } from '../newsroom/words.ts'
import { SITE_DATABASE } from '../project/rebuild.ts'
import { openStoreForCommand } from '../store.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'

/** `hyperactive tag …` and `hyperactive place …` */
export function wordCommand(vocabulary: Vocabulary): Command {
  const command = new Command(vocabulary).description(
    `order the vocabulary of ${vocabulary}s, on every node: rename, merge, suggest`,
  )
  const add = (
    name: string,
    about: string,
    words: [string, string][],
    change: (...given: string[]) => Omit<WordChange, 'vocabulary'>,
  ) => {
    const inner = withSettings(new Command(name)).description(about).option('--json', 'print JSON')
    for (const [argument, text] of words) inner.argument(argument, text)
    inner.action(async (...given: unknown[]) => {
      const texts = given.slice(0, words.length).flat() as string[]
      const { json } = given[words.length] as { json?: boolean }
      const loaded = settingsOf(inner)
      await using store = await openStoreForCommand(loaded)
      const newsroom = {
        ledger: store.ledger,
        site: await store.couch.ensureDatabase(SITE_DATABASE),
        key: store.key,
        language: loaded.config.site.language,
      }
      const document = await sayOfWord(newsroom, { vocabulary, ...change(...texts) })
      print(json, { document: document ?? null }, document === undefined ? 'it is so already' : 'done')
    })
    command.addCommand(inner)
  }
  add(
    'rename',
    'list everything that carries <old> under <new>',
    [
      ['<old>', 'the name until now'],
      ['<new>', 'the name from now on'],
    ],
    (old = '', name = '') => ({ name, also: [old] }),
  )
  add(
    'merge',
    'list everything that carries one of <others> under <name>',
    [
      ['<name>', 'the name that stays'],
      ['<others...>', 'names that lead to it'],
    ],
    (name = '', ...others) => ({ name, also: others }),
  )
  add(
    'part',
    'take <others> out of <name> again',
    [
      ['<name>', 'the name'],
      ['<others...>', 'names that shall stand for themselves'],
    ],
    (name = '', ...others) => ({ name, not: others }),
  )
  add('suggest', 'suggest <name> to people who publish', [['<name>', 'the name']], (name = '') => ({
    name,
    suggested: true,
  }))
  add('unsuggest', 'suggest <name> no more', [['<name>', 'the name']], (name = '') => ({
    name,
    suggested: false,
  }))
  return withExamples(
    command,
    `${vocabulary} rename colour color`,
    `${vocabulary} merge housing rents evictions`,
  )
}
