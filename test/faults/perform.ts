import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { formFields, openEdit, saveEdit, send } from '../helpers/forms.ts'
import type { Fields, Published } from '../helpers/forms.ts'
import { until } from '../helpers/wait.ts'
import { Model } from './model.ts'
import type { FaultNetwork } from './network.ts'
import type { Change, Marker, Operation } from './operations.ts'

/** How long an editor waits for an article that was published on another node. */
const ARRIVAL_MS = 1500
const PARAGRAPHS = 6

interface OpenForm {
  node: string
  article: Published
  fields: Record<string, string>
}

/** Does operations on a network and keeps the model of what has to come of them. */
export class Performer {
  readonly model = new Model()
  readonly #network: FaultNetwork
  readonly #forms = new Map<string, OpenForm>()

  constructor(network: FaultNetwork) {
    this.#network = network
  }

  /**
   * Does one operation. What people do may fail while the network is torn, and what came of it is in the model; what
   * the harness itself does must not fail.
   */
  async perform(operation: Operation): Promise<void> {
    const network = this.#network
    switch (operation.do) {
      case 'publish':
        return this.#publish(operation)
      case 'edit': {
        const { article, people } = operation
        const opened = await Promise.all(people.map(({ node }) => this.#open(node, article)))
        await Promise.all(people.map(({ change }, index) => this.#save(opened[index], change)))
        return
      }
      case 'comment':
        return this.#comment(operation)
      case 'open-form': {
        const opened = await this.#open(operation.node, operation.article)
        if (opened) this.#forms.set(operation.form, opened)
        return
      }
      case 'save-form':
        return this.#save(this.#forms.get(operation.form), operation.change)
      case 'import':
        return this.#import(operation.node, operation.markers)
      case 'stop':
        return network.node(operation.node).stop()
      case 'kill':
        return network.node(operation.node).kill()
      case 'start': {
        const node = network.node(operation.node)
        return node.isRunning ? undefined : node.start()
      }
      case 'pause':
        return network.node(operation.node).pause()
      case 'resume':
        return network.node(operation.node).resume()
      case 'kill-store':
        return network.node(operation.node).killStore()
      case 'fill-disk':
        return network.node(operation.node).fillDisk()
      case 'free-disk':
        return network.node(operation.node).freeDisk()
      case 'clock':
        return network.node(operation.node).setClock(operation.skewMs)
      case 'link': {
        const link = network.link(operation.link)
        if (operation.slowness) link.slowness = operation.slowness
        link.state = operation.state
        return
      }
      case 'reset':
        return network.link(operation.link).reset()
      case 'peers':
        return network.changePeer(operation.node, operation.peer, operation.change)
      case 'together': {
        const under = operation.operations.map((one) => this.perform(one))
        await pause(operation.afterMs)
        await Promise.all([...under, this.perform(operation.last)])
      }
    }
  }

  async #publish({ node: name, article, marker, presses }: Operation & { do: 'publish' }): Promise<void> {
    const node = this.#network.node(name)
    let token: string | undefined
    try {
      ;({ token } = formFields(await node.html('/publish/article')))
    } catch {
      return
    }
    if (token === undefined) return
    this.model.attempt(marker, name)
    const fields = { ...textOf(marker, article), author: '', language: 'en', token, action: 'publish' }
    const press = async () => {
      const response = await send(node, '/publish/article', fields)
      const location = response.headers.get('location') ?? ''
      const [, path, item, secret] = /^(\/articles\/([^/]+))\/published\/(.+)$/.exec(location) ?? []
      if (response.status !== 303 || !path || !item || !secret) {
        this.model.fail(marker, `answered ${response.status}`)
        return
      }
      this.model.acknowledge(marker)
      this.model.articles.set(article, { path, item, secret })
    }
    await Promise.all(
      Array.from({ length: presses }, () =>
        press().catch((error: unknown) => this.model.fail(marker, shortly(error))),
      ),
    )
  }

  /** Comments on an article, where it has arrived. */
  async #comment({ node: name, article, marker }: Operation & { do: 'comment' }): Promise<void> {
    const published = this.model.articles.get(article)
    const node = this.#network.node(name)
    if (!published || !node.isRunning || node.isPaused) return
    const path = `/comments/${published.item}`
    const open = async () => formFields(await node.html(path)).token
    const token = await until('the article is here', open, ARRIVAL_MS, 100).catch(() => undefined)
    if (token === undefined) return
    this.model.attempt(marker, name)
    try {
      const fields = { title: marker, body: paragraph(0, marker), token, action: 'publish' }
      const { status } = await send(node, path, fields)
      if (status === 303) this.model.acknowledge(marker)
      else this.model.fail(marker, `answered ${status}`)
    } catch (error) {
      this.model.fail(marker, shortly(error))
    }
  }

  /** Opens the form to edit an article, if the node is there and has it by now. */
  async #open(name: string, article: string): Promise<OpenForm | undefined> {
    const published = this.model.articles.get(article)
    const node = this.#network.node(name)
    if (!published || !node.isRunning || node.isPaused) return undefined
    const open = () => openEdit(node, published)
    const fields = await until('the article is here', open, ARRIVAL_MS, 100).catch(() => undefined)
    return fields && { node: name, article: published, fields }
  }

  async #save(form: OpenForm | undefined, change: Change): Promise<void> {
    if (!form) return
    const { marker } = change
    const node = this.#network.node(form.node)
    if (!node.isRunning) return
    this.model.attempt(marker, form.node)
    try {
      await saveEdit(node, form.article, form.fields, changed(form.fields, change))
      this.model.acknowledge(marker)
    } catch (error) {
      this.model.fail(marker, shortly(error))
    }
  }

  /** Imports a folder of its own; into a node that does not run as well, whose store the command then opens itself. */
  async #import(name: string, markers: Marker[]): Promise<void> {
    const node = this.#network.node(name)
    if (node.isPaused) return
    const folder = this.#network.folderFor(`import-${markers[0]}`)
    await mkdir(folder, { recursive: true })
    for (const [index, marker] of markers.entries()) {
      const { summary, body } = textOf(marker, '')
      const date = new Date(Date.UTC(2021, 0, 1 + index)).toISOString()
      const text = `---\ntitle: Imported ${index}\ndate: ${date}\ndescription: ${summary}\n---\n\n${body}\n`
      await writeFile(join(folder, `${marker}.md`), text)
      this.model.attempt(marker, name)
    }
    const { code, out, err } = await node.run('import', folder, '--json')
    const { imported = [] } = (code === 0 ? JSON.parse(out) : {}) as { imported?: { source: string }[] }
    for (const marker of markers) {
      if (imported.some(({ source }) => source.includes(marker))) this.model.acknowledge(marker)
      else this.model.fail(marker, shortly(err))
    }
  }
}

/** The first version of a text. The summary is the marker alone, and names the version; the body shows it on its page. */
function textOf(
  marker: Marker,
  article: string,
): Required<Pick<Fields, 'title' | 'summary' | 'body' | 'tags'>> {
  const paragraphs = Array.from({ length: PARAGRAPHS }, (_, index) => paragraph(index, marker))
  return { title: `Article ${article}`, summary: marker, body: paragraphs.join('\n\n'), tags: 'faults' }
}

function changed(fields: Record<string, string>, { marker, part, paragraph: index }: Change): Fields {
  const paragraphs = (fields.body ?? '').split(/\r?\n\r?\n/)
  paragraphs[Math.min(index, paragraphs.length - 1)] = paragraph(index, marker)
  return {
    summary: marker,
    body: paragraphs.join('\n\n'),
    ...(part === 'title' ? { title: `Article as ${marker} calls it` } : {}),
    ...(part === 'tags' ? { tags: `${fields.tags ?? ''}, ${marker}` } : {}),
  }
}

function paragraph(index: number, marker: Marker): string {
  return `Paragraph ${index}, of which there is more to be told, as ${marker} has it.`
}

function shortly(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 120)
}
