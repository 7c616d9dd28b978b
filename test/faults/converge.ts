import { isDeepStrictEqual } from 'node:util'
import type { Comment, Edit } from '../../src/ledger/document.ts'
import { commentId } from '../../src/project/site-item.ts'
import type { SiteItem } from '../../src/project/site-item.ts'
import { until } from '../helpers/wait.ts'
import type { FaultNode } from './fault-node.ts'
import type { Model } from './model.ts'
import type { FaultNetwork } from './network.ts'
import type { Marker } from './operations.ts'

const BOUND_MS = 60_000
const STEP_MS = 250
const PAGES_AT_ONCE = 4

/** What the network came to, once all its nodes agreed. */
export interface Converged {
  /** How long it took them, from the call. */
  seconds: number
  /** Versions and comments in the ledger, each node's being the same. */
  texts: number
}

/**
 * Waits until all nodes agree and have projected what they hold, then checks what they agreed on.
 *
 * @throws Error that says what is not as it should be, on which node
 */
export async function converge(network: FaultNetwork, model: Model): Promise<Converged> {
  const begun = performance.now()
  const nodes = [...network.nodes.values()]
  let problem = ''
  await until(
    'all nodes agree',
    async () => {
      problem = await disagreement(nodes, model)
      return problem === ''
    },
    BOUND_MS,
    STEP_MS,
  ).catch(async (error: unknown) => {
    const links = await Promise.all(nodes.map(linksOf))
    throw new Error(`${problem || String(error)}\n${links.join('\n')}`, { cause: error })
  })
  const seconds = (performance.now() - begun) / 1000
  const [first] = nodes
  if (!first) throw new Error('a network has nodes')
  const versions = await versionsOf(first)
  checkLedger(versions, await first.ledgerIds(), model, network.vouched)
  for (const node of nodes) await checkPages(node, versions, model)
  return { seconds, texts: versions.size }
}

/** What keeps the nodes from having come together, or nothing. */
async function disagreement(nodes: readonly FaultNode[], model: Model): Promise<string> {
  const [first, ...others] = nodes
  if (!first) return ''
  const held = await Promise.all(nodes.map(ledgerOf))
  const all = [...new Set(held.flat())].sort()
  const lacking = nodes.map(({ name }, index) => {
    const missing = all.length - (held[index]?.length ?? 0)
    return missing > 0 ? `${name} lacks ${missing} of ${all.length} ledger documents` : ''
  })
  if (lacking.some(Boolean)) return lacking.filter(Boolean).join('; ')

  const versions = await versionsOf(first)
  const lost = model.markers('acknowledged').filter((marker) => !versions.has(marker))
  if (lost.length > 0) return `acknowledged and in no ledger: ${told(lost, model)}`

  const site = await first.siteDocuments()
  const off = Object.keys(site).filter((id) => id.startsWith('held:'))
  if (off.length > 0) return `${first.name} holds off its pages ${off.join(', ')}`
  const edits = all.filter((id) => id.includes(':edit:')).length
  const items = Object.values(site).filter(({ type }) => type === 'item')
  const projected = items.reduce((count, { graph }) => count + Object.keys(graph).length, 0)
  if (projected !== edits) return `${first.name} has projected ${projected} of ${edits} versions`
  const comments = all.filter((id) => id.includes(':comment:')).map((id) => id.split(':'))
  const unseen = comments.filter(([item = '', , hash = '']) => !(commentId(item, hash) in site))
  if (unseen.length > 0) return `${first.name} has projected all but ${unseen.length} comments`
  for (const node of others) {
    const different = differingKeys(site, await node.siteDocuments())
    if (different.length > 0)
      return `the site documents of ${first.name} and ${node.name} differ: ${different.join(', ')}`
  }
  return ''
}

/** Every text that was sent is at most once in the ledger, and there is nothing that nobody sent. */
function checkLedger(versions: Versions, ids: readonly string[], model: Model, vouched: number): void {
  for (const [marker, documents] of versions) {
    if (!model.attempts.has(marker)) throw new Error(`nobody wrote ${documents[0]?._id} with "${marker}"`)
    if (documents.length > 1) throw new Error(`${marker} is in the ledger ${documents.length} times`)
  }
  const others = ids.filter((id) => !/:(?:edit|comment):|^_design\//.test(id))
  const admissions = others.filter((id) => id.includes(':admission:'))
  if (admissions.length !== vouched)
    throw new Error(`there are ${admissions.length} admissions, and nodes vouch for ${vouched}`)
  if (others.length !== admissions.length) throw new Error(`the ledger has grown by ${others.join(', ')}`)
}

/** Every version and comment that is in the ledger can be read, and so can every article. */
async function checkPages(node: FaultNode, versions: Versions, model: Model): Promise<void> {
  const wanted = [...versions].flatMap(([marker, [document]]) => (document ? [{ marker, document }] : []))
  const read = async () => {
    for (let next = wanted.pop(); next; next = wanted.pop()) {
      const { marker, document } = next
      const item = `/articles/${document.item}`
      const path = document.type === 'edit' ? `${item}/versions/${document._id.split(':')[2]}` : item
      const response = await node.page(path)
      if (response.status !== 200 || !(await response.text()).includes(`as ${marker} has it`))
        throw new Error(`${node.name} does not show version ${told([marker], model)}: ${response.status}`)
    }
  }
  await Promise.all(Array.from({ length: PAGES_AT_ONCE }, read))
  for (const [name, { path }] of model.articles) {
    const { status } = await node.page(path)
    if (status !== 200) throw new Error(`${node.name} answers ${status} for article ${name}`)
  }
}

/** Versions by the marker that is their summary, comments by the one that is their title. */
type Versions = Map<Marker, (Edit | Comment)[]>

async function versionsOf(node: FaultNode): Promise<Versions> {
  const { rows } = await node.withCouch((couch) => couch.database('ledger').allDocs({ include_docs: true }))
  const versions: Versions = new Map()
  for (const { doc } of rows) {
    if (doc?.type !== 'edit' && doc?.type !== 'comment') continue
    const told = doc as unknown as Edit | Comment
    const marker = String(told.type === 'edit' ? told.fields.summary : told.fields.title)
    versions.set(marker, [...(versions.get(marker) ?? []), told])
  }
  return versions
}

async function ledgerOf(node: FaultNode): Promise<string[]> {
  return (await node.ledgerIds()).filter((id) => !id.startsWith('_design/'))
}

function differingKeys(one: Record<string, SiteItem>, other: Record<string, SiteItem>): string[] {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...keys].filter((key) => !isDeepStrictEqual(one[key], other[key]))
}

function told(markers: readonly Marker[], model: Model): string {
  return markers.map((marker) => `${marker} (sent to ${model.attempts.get(marker)?.node ?? '?'})`).join(', ')
}

async function linksOf(node: FaultNode): Promise<string> {
  const { out, err } = await node.run('peer', 'list')
  return `${node.name}:\n${out}${err}`
}
