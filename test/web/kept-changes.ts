import type { TestNode } from '../helpers/node.ts'
import { edit, formFields, openEdit, publish, saveEdit, send } from '../helpers/forms.ts'
import type { Fields, Published } from '../helpers/forms.ts'
import type { Visitor } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

/** One thing that somebody does to a site, as a test draws it: the numbers choose among what there is. */
export interface Change {
  do: (typeof CHANGES)[number]
  pick: number
  other: number
}

export const CHANGES = [
  'publish',
  'publish',
  'publish-event',
  'publish-other',
  'publish-group',
  'publish-in-group',
  'translate',
  'editors-piece',
  'edit-title',
  'edit-body',
  'edit-tags',
  'edit-places',
  'edit-language',
  'move-event',
  'edit-group',
  'edit-piece',
  'edit-at-once',
  'comment',
  'comment',
  'moderate',
  'moderate',
  'unhide',
  'hide-comment',
  'withdraw',
  'report',
  'word',
  'erase',
] as const

const TAGS = ['river', 'mill', 'school', 'night bus', 'Čaj', 'market']
const PLACES = ['Harbour', 'Old town', 'North']
const AUTHORS = ['', 'Ana', 'Bert & Co', 'Chérif']
const LANGUAGES = ['en', 'es', 'ar', 'en']
const DECISIONS = ['hide', 'promote', 'feature', 'stick', 'lock', 'unlock', 'publish', 'unstick', 'conceal']
const DAY_MS = 86_400_000

interface Item extends Published {
  kind: string
}

/** Does changes, as readers, authors and an administrator do them, on one node or on two at once. */
export class Changer {
  readonly #a: TestNode
  readonly #b: TestNode
  readonly #root: Visitor
  readonly items: Item[] = []
  readonly #groups: Item[] = []
  readonly #pieces: Item[] = []
  readonly #hidden: string[] = []
  readonly #comments: { item: string; hash: string }[] = []
  #count = 0

  /** @param nodes.root an administrator of `a` */
  constructor({ a, b, root }: { a: TestNode; b: TestNode; root: Visitor }) {
    this.#a = a
    this.#b = b
    this.#root = root
  }

  /** Does one; gives what it was, for the message of a test that fails. */
  async make({ do: what, pick, other }: Change): Promise<string> {
    this.#count += 1
    const title = `Number ${this.#count} of them`
    const tags = [TAGS[pick % TAGS.length], TAGS[other % TAGS.length]].join(', ')
    const common = {
      title,
      tags,
      author: AUTHORS[other % AUTHORS.length] ?? '',
      language: LANGUAGES[pick % LANGUAGES.length] ?? 'en',
      places: other % 2 === 0 ? (PLACES[pick % PLACES.length] ?? '') : '',
      summary: pick % 3 === 0 ? 'In short.' : '',
    }
    const item = of(this.items, pick)
    const group = of(this.#groups, pick)
    switch (what) {
      case 'publish':
        await this.#publish({
          ...common,
          body: `Text ${other}.`,
          ...(pick % 5 === 0 ? { dayOnly: 'yes' } : {}),
        })
        break
      case 'publish-event':
        await this.#publish({ ...common, ...when(pick, other) }, 'event')
        break
      case 'publish-other': {
        const kind = ['link', 'photo', 'audio', 'video'][pick % 4] ?? 'link'
        await this.#publish({ ...common, address: `https://elsewhere.example/${other}` }, kind)
        break
      }
      case 'publish-group': {
        const open: Fields = pick % 2 === 0 ? { open: 'yes' } : {}
        await this.#publish({ ...common, summary: 'We.', ...open }, 'group')
        break
      }
      case 'publish-in-group': {
        if (!group) return this.make({ do: 'publish-group', pick, other })
        const event = pick % 3 === 0
        const fields = { ...common, body: 'Ours.', group: group.item, ...(event ? when(pick, other) : {}) }
        await this.#publish(fields, event ? 'event' : 'article')
        break
      }
      case 'translate': {
        if (!item) break
        const form = { ...common, title: `${title}, übersetzt`, language: 'de', body: 'Auf Deutsch.' }
        const fields = {
          ...form,
          translationOf: item.item,
          ...(item.kind === 'event' ? when(pick, other) : {}),
        }
        await this.#publish(fields, item.kind === 'event' ? 'event' : 'article')
        break
      }
      case 'editors-piece':
        await this.#publishPiece(common, pick, other)
        break
      case 'edit-title':
        return this.#edit(item, { title: `${title}, anew` })
      case 'edit-body':
        return this.#edit(item, { body: `Another text ${this.#count}.` })
      case 'edit-tags':
        return this.#edit(item, { tags: other % 4 === 0 ? '' : tags })
      case 'edit-places':
        return this.#edit(item, { places: other % 3 === 0 ? '' : (PLACES[other % PLACES.length] ?? '') })
      case 'edit-language':
        return this.#edit(item, {
          language: LANGUAGES[other % LANGUAGES.length] ?? 'en',
          author: 'Somebody else',
        })
      case 'move-event': {
        const events = this.items.filter(({ kind }) => kind === 'event')
        return this.#edit(of(events, pick), when(other, pick))
      }
      case 'edit-group': {
        const changes: Fields[] = [
          { title },
          { summary: `We are ${this.#count}.` },
          { open: pick % 2 === 0 ? 'yes' : '' },
        ]
        return this.#edit(group, changes[other % changes.length] ?? {})
      }
      case 'edit-piece': {
        const piece = of(this.#pieces, pick)
        if (!piece) return this.make({ do: 'editors-piece', pick, other })
        await this.#send(`${piece.path}/edit`, { title, action: 'publish' })
        break
      }
      case 'edit-at-once': {
        if (!item) break
        const nodes = [this.#a, this.#b]
        const opened = await Promise.all(nodes.map((node) => openEdit(node, item).catch(() => undefined)))
        for (const [index, form] of opened.entries())
          if (form) await saveEdit(nodes[index] ?? this.#a, item, form, { title: `${title} on ${index}` })
        return `${what} ${item.path}`
      }
      case 'comment':
        return this.#comment(item, other)
      case 'moderate': {
        if (!item) break
        const action = DECISIONS[other % DECISIONS.length] ?? 'hide'
        if (action === 'hide' || action === 'conceal') this.#hidden.push(item.item)
        await this.#decide(item.item, action)
        return `${action} ${item.path}`
      }
      case 'unhide': {
        const hidden = of(this.#hidden, pick)
        if (hidden === undefined) break
        await this.#decide(hidden, 'unhide')
        return `unhide ${hidden}`
      }
      case 'hide-comment': {
        const comment = of(this.#comments, pick)
        if (!comment) break
        await this.#decide(`${comment.item}/${comment.hash}`, other % 3 === 0 ? 'unhide' : 'hide')
        return `decide on a comment on ${comment.item}`
      }
      case 'withdraw': {
        if (!item) break
        const path = `${item.path}/withdraw/${item.secret}`
        const action = other % 2 === 0 ? 'withdraw' : 'reinstate'
        const { token = '' } = formFields(await this.#a.html(path))
        await send(this.#a, path, { token, action })
        return `${action} ${item.path}`
      }
      case 'report': {
        if (!item) break
        const form = formFields(await this.#a.html(`/report/${item.item}`))
        await send(this.#a, `/report/${item.item}`, { ...form, reason: 'It is wrong.' })
        return `report ${item.path}`
      }
      case 'word': {
        const [word, name] = [TAGS[pick % TAGS.length] ?? '', TAGS[other % TAGS.length] ?? '']
        const command = word === name ? ['part', 'river', 'mill', 'school'] : ['rename', word, name]
        await this.#a.run('tag', ...command)
        return `tag ${command.join(' ')}`
      }
      case 'erase': {
        if (!item) break
        this.items.splice(this.items.indexOf(item), 1)
        await this.#send(`/erase/${item.item}`, { category: 'spam', sure: 'yes' })
        return `erase ${item.path}`
      }
    }
    return `${what} ${title}`
  }

  async #publish(fields: Fields, kind = 'article'): Promise<void> {
    const published = await publish(this.#a, fields, kind)
    const item = { ...published, kind }
    if (kind === 'group') this.#groups.push(item)
    else this.items.push(item)
  }

  async #publishPiece(common: Fields, pick: number, other: number): Promise<void> {
    const kind = ['page', 'snippet', 'alert'][pick % 3] ?? 'page'
    const spot = ['front', 'side', 'foot'][other % 3] ?? 'foot'
    const inMenu: Fields = other % 2 === 0 ? { inMenu: 'yes' } : {}
    const page = `/office/publish/${kind}`
    const typed = { ...common, summary: 'Now.', body: 'Words.', spot, onFront: 'yes', ...inMenu }
    const form = formFields(await this.#root.html(page))
    const answer = await this.#root.post(page, { ...form, ...typed, action: 'publish' })
    const [, path, item] = /^(\/[a-z]+\/([^/]+))/.exec(answer.headers.get('location') ?? '') ?? []
    if (path && item) this.#pieces.push({ path, item, secret: '', kind })
  }

  async #edit(item: Item | undefined, changes: Fields): Promise<string> {
    if (!item) return 'nothing to edit'
    const what = `${Object.keys(changes).join(', ')} of ${item.path}`
    // What is withdrawn or erased takes no edits.
    await edit(this.#a, item, changes).catch(() => undefined)
    return what
  }

  async #comment(item: Item | undefined, other: number): Promise<string> {
    if (!item) return 'nothing to comment on'
    const form = formFields(await this.#a.html(`/comments/${item.item}`))
    if (form.token === undefined) return 'takes no comments'
    const answered = this.#comments.find((comment) => comment.item === item.item)
    const isAnswer = answered && other % 3 === 0
    const path = isAnswer ? `/comments/${item.item}/${answered.hash}/answer` : `/comments/${item.item}`
    const opened = isAnswer ? formFields(await this.#a.html(path)) : form
    const answer = await send(this.#a, path, { ...opened, body: `A remark ${other}.`, action: 'publish' })
    const [, hash] = /#c-([0-9a-f]{40})$/.exec(answer.headers.get('location') ?? '') ?? []
    if (hash !== undefined) this.#comments.push({ item: item.item, hash })
    return `comment on ${item.path}`
  }

  async #decide(target: string, action: string): Promise<void> {
    await this.#send(`/moderate/${target}`, { action, category: 'danger' })
  }

  async #send(page: string, fields: Fields): Promise<void> {
    const form = formFields(await this.#root.html(page))
    const { status } = await this.#root.post(page, { ...form, ...fields })
    // What is erased meanwhile is not there.
    if (![303, 404, 410].includes(status)) throw new Error(`${page} answered ${status}`)
  }

  /** Waits until both nodes hold the same and `b` shows it. */
  async arrived(drained: () => Promise<void>): Promise<void> {
    await until(
      'both hold the same',
      async () => {
        const [a, b] = await Promise.all([this.#a.ledgerIds(), this.#b.ledgerIds()])
        return a.length === b.length && a.every((id, index) => id === b[index])
      },
      60_000,
      50,
    )
    await drained()
  }
}

function of<Value>(values: readonly Value[], pick: number): Value | undefined {
  return values.length === 0 ? undefined : values[pick % values.length]
}

/** Times of an event from yesterday to half a year ahead, once or weekly. */
function when(pick: number, other: number): Fields {
  const start = new Date(Date.now() + ((other % 180) - 1) * DAY_MS).toISOString().slice(0, 10)
  const weekly = pick % 3 === 0
  const until = new Date(Date.parse(start) + 28 * DAY_MS).toISOString().slice(0, 10)
  return {
    start,
    startTime: '19:00',
    end: '',
    endTime: '21:00',
    zone: 'Europe/Madrid',
    repeat: weekly ? 'weekly' : 'none',
    until: weekly ? until : '',
    venue: 'The yard',
  }
}
